"""Downloads of the page of reports: figures, heat map and forecast as files (D10).

Place on the path of a call: long after it. Promises: a file holds what the page showed, with the titles of queues and
seats beside their keys; who may see the page may have the file, and seats by name only supervisors.
Never: holds a file in memory, or a caller's name.
"""

import asyncio
import tempfile
from collections.abc import Callable, Mapping
from typing import Any, BinaryIO

from aiohttp import web

from callcenter.errors import BadInput
from callcenter.reports.ahead import ahead
from callcenter.reports.columns import ALL
from callcenter.reports.columns import TOTAL as TOTAL_PERIOD
from callcenter.reports.files import FORMATS, NO_PARQUET, write, write_table
from callcenter.reports.report import Question, Report
from callcenter.reports.tables import DAYS as HEAT_DAYS
from callcenter.reports.tables import ahead_table, heat_question, heat_table
from callcenter.web.access import REVIEWERS, Problem, Route
from callcenter.web.context import Web
from callcenter.web.report_words import (
    BASE_OF,
    COLUMNS,
    DAYS,
    GRAINS,
    GROUPED,
    LEVEL_OF,
    LEVELS,
    TOTAL,
    VARIANTS,
    VIEWS,
    WEEKDAYS,
    WHOLE,
)
from callcenter.web.reports import (
    NO_SUCH_QUEUE,
    NO_SUCH_VIEW,
    NOT_HERE,
    TABLES,
    history_of,
    key_titles,
    knows_queue,
    question_of,
    report_of,
    today_of,
)
from callcenter.web.words import N_

TOO_MANY_LINES = N_("A sheet of XLSX does not hold so many lines. Take a coarser grain, or download CSV.")
NO_PARQUET_HERE = N_("Parquet is not installed here. Choose CSV or XLSX, or ask your administrator for it.")
CHUNK_BYTES = 65_536
Writer = Callable[[BinaryIO], None]


async def download(request: web.Request) -> web.StreamResponse:
    """The same report as a file."""
    web_ = Web(request)
    kind, view = request.match_info["kind"], request.query.get("view") or "figures"
    if view not in VIEWS:
        raise Problem(400, NO_SUCH_VIEW)
    if kind not in (FORMATS if view == "figures" else TABLES):
        raise Problem(404, NOT_HERE)
    question = question_of(web_)
    if not await knows_queue(web_, question):
        raise Problem(400, NO_SUCH_QUEUE)
    name, writer = await _WRITERS[view](web_, question, kind)
    with tempfile.TemporaryFile() as file:
        try:
            await asyncio.to_thread(writer, file)
        except BadInput as error:
            raise Problem(400, NO_PARQUET_HERE if str(error) == NO_PARQUET else TOO_MANY_LINES) from None
        return await _send(request, file, f"callcenter-{name}.{kind}", FORMATS[kind])


async def _figures(web_: Web, question: Question, kind: str) -> tuple[str, Writer]:
    report = await report_of(web_, question)
    titles, words = _titles(web_)
    title = key_titles(web_, question.by)
    return _days(report), lambda file: write(report, kind, file, titles, words, title)


async def _heat(web_: Web, question: Question, kind: str) -> tuple[str, Writer]:
    report = await report_of(web_, heat_question(question), compare=False)
    titles = _titles(web_)
    return f"heat-{_days(report)}", lambda file: write_table(heat_table(report), kind, file, *titles)


async def _ahead(web_: Web, question: Question, kind: str) -> tuple[str, Writer]:
    history, today = history_of(web_), today_of(web_)
    found = await ahead(history.site, history.source, today, question.queue)
    table, titles = ahead_table(found, history.site, question.queue), _titles(web_)
    return f"forecast-{today.isoformat()}", lambda file: write_table(table, kind, file, *titles)


_WRITERS: Mapping[str, Any] = {"figures": _figures, "heat": _heat, "ahead": _ahead}


def _days(report: Report) -> str:
    interval = report.question.interval
    return f"{interval.first.isoformat()}-{interval.last.isoformat()}"


async def _send(request: web.Request, file: BinaryIO, name: str, kind: str) -> web.StreamResponse:
    answer = web.StreamResponse(headers={"Content-Type": kind, "Content-Disposition": f'attachment; filename="{name}"'})
    answer.content_length = file.tell()
    await answer.prepare(request)
    file.seek(0)
    while chunk := await asyncio.to_thread(file.read, CHUNK_BYTES):
        await answer.write(chunk)
    return answer


def _titles(web_: Web) -> tuple[dict[str, str], dict[str, str]]:
    """The heads of columns and the words of values in the person's language."""
    gettext = web_.words.gettext
    titles = {name: gettext(title) for name, title in COLUMNS.items()}
    for variant, formula in VARIANTS.items():
        head = f"{gettext(LEVEL_OF)} ({gettext(formula)})"
        titles[f"service_level_{variant}"] = head
        titles[f"service_level_{variant}_of_calls"] = f"{head}, {gettext(BASE_OF)}"
    words = {**GROUPED, **DAYS, **LEVELS, **VARIANTS, **GRAINS, TOTAL_PERIOD: TOTAL, ALL: WHOLE}
    words |= dict(zip(HEAT_DAYS[:7], WEEKDAYS, strict=False))
    return titles, {name: gettext(word) for name, word in words.items()}


ROUTES = [Route("GET", "/reports/download/{kind}", download, REVIEWERS, page=True, file=True)]
