"""The page of reports over a real store: who sees what, figures with their calls, downloads equal, hostile names."""

import csv
import io
import json
import re
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import date
from pathlib import Path

import openpyxl
import pytest
from aiohttp.test_utils import TestServer
from pyarrow import parquet

from callcenter.reports.files import write
from callcenter.reports.periods import Grain, Interval
from callcenter.reports.reading import read
from callcenter.reports.report import By, Question
from callcenter.store import Store
from callcenter.web.live import Hub
from callcenter.web.ports import History
from callcenter.web.server import make_app
from tests.fakes.report_site import HOSTILE, SITE, TARGETS, fill
from tests.fakes.review_site import people, stored_ports
from tests.fakes.web import FAST_HASHER, Ear, Memory, Telephone
from tests.fakes.web_client import Site, found
from tests.fakes.web_server import OPTIONS, Control
from tests.store.places import sqlite_place

NOON = 1_795_665_600.0
"""2026-11-26 12:00 in Shanghai."""
WEEK = "from=2026-11-16&to=2026-11-22"


class Reports(Site):
    store: Store


@pytest.fixture
async def here(tmp_path: Path) -> AsyncIterator[Reports]:
    place = sqlite_place(tmp_path)
    await place.migrate()
    async with place.open() as store:
        await people(store)
        await fill(store, date(2026, 11, 26), 21)
        memory, hub = Memory(lambda: NOON), Hub()
        history = History(SITE, store.reports("pbx", TARGETS))
        ports = replace(stored_ports(store, memory, None), history=history)
        server = TestServer(make_app(ports, OPTIONS, hub, lambda: NOON, hasher=FAST_HASHER))
        await server.start_server()
        telephone = Telephone()
        one = Reports(memory, hub, telephone, Control(memory, hub, telephone), server, Ear())
        one.store = store
        try:
            yield one
        finally:
            for client in one.clients:
                await client.session.close()
            await server.close()


async def page(here: Reports, address: str, name: str = "wu", status: int = 200) -> str:
    answer = await (await here.signed_in(name)).get(address)
    assert answer.status == status, await answer.text()
    return await answer.text()


async def test_seats_by_name_are_for_supervisors(here: Reports) -> None:
    shown = await page(here, f"/reports?{WEEK}&by=seat")
    assert "李晓雯" in shown
    assert 'value="seat"' in shown
    refused = await page(here, f"/reports?{WEEK}&by=seat", "qa", 403)
    assert "李晓雯" not in refused
    assert 'value="seat"' not in await page(here, f"/reports?{WEEK}", "qa")
    assert 'value="seat"' in await page(here, f"/reports?{WEEK}", "root")
    await page(here, f"/reports/download/csv?{WEEK}&by=seat", "qa", 403)
    await page(here, f"/reports/download/csv?{WEEK}", "li", 403)
    assert "/reports" not in await page(here, "/tickets", "li")


async def test_every_share_has_its_calls_and_the_formula_is_named(here: Reports) -> None:
    report = await read(
        Question(Interval(date(2026, 11, 16), date(2026, 11, 22))), SITE, here.store.reports("pbx", TARGETS), NOON
    )
    shown = await page(here, f"/reports?{WEEK}")
    level, base = report.whole.level(SITE.variant), report.whole.base(SITE.variant)
    assert level is not None
    assert f"{100 * level:.1f} %" in shown
    assert f"共 {base} 通" in shown or f"{base}" in shown
    assert "放弃计为未达标" in shown
    assert "10/15 秒内接听" in shown
    assert "对比 2026-11-09 至 2026-11-15" in shown
    assert "▲" in shown or "▼" in shown


async def test_what_nobody_observed_and_no_calls_are_said(here: Reports) -> None:
    assert "未观测 5.0 分钟" in await page(here, "/reports?from=2026-11-25&to=2026-11-25&grain=half_hour")
    empty = await page(here, "/reports?from=2020-01-01&to=2020-01-02")
    assert "此区间无来电" in empty
    assert "0.0 %" not in empty
    night = await page(here, "/reports?from=2026-11-25&to=2026-11-25&grain=half_hour")
    assert "没有来电" in night


async def test_the_heat_map_has_a_figure_in_each_field(here: Reports) -> None:
    shown = await page(here, "/reports?view=heat&from=2026-11-09&to=2026-11-22")
    assert shown.count('<td class="h') == 24 * 7
    assert 'class="h5 num"' in shown


async def test_hostile_names_are_text(here: Reports) -> None:
    shown = await page(here, f"/reports?{WEEK}&by=queue")
    assert "<img" not in shown
    assert "onerror=alert(1)&gt;" in shown
    asked = await page(here, f"/reports?{WEEK}&queue=%3Cscript%3E&group=%3Cb%3E%27%3B--")
    assert "<script>alert" not in asked
    assert "<script></option>" not in asked
    assert "<b>';--" not in asked


async def test_what_was_asked_for_is_what_the_form_says(here: Reports) -> None:
    """A group that is not there has no calls; the form must not say that these are all of them."""
    asked = await page(here, f"/reports?{WEEK}&group=gone")
    assert '<option value="gone" selected>gone</option>' in asked


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ("from=tomorrow", "不是 1970 至 2199 年间的日期"),
        ("from=0001-01-01&to=2026-11-01", "不是 1970 至 2199 年间的日期"),
        ("from=2026-11-01&to=9999-12-31", "不是 1970 至 2199 年间的日期"),
        ("from=2026-02-30", "不是 1970 至 2199 年间的日期"),
        ("from=20261-11-01", "不是 1970 至 2199 年间的日期"),
        ("from=2026-11-02&to=2026-11-01", "结束早于开始"),
        ("from=2027-01-01", "结束早于开始"),
        ("from=1970-01-01&to=2199-12-31&grain=month", "区间太长"),
        ("from=2000-01-01&to=2026-01-01&grain=half_hour", "区间太长"),
        ("grain=century", "没有这种时段、分组或级别"),
        ("by=mood", "没有这种时段、分组或级别"),
        ("level=gold", "没有这种时段、分组或级别"),
        ("level=%3C/select%3E%3Ch1%3Ex", "没有这种时段、分组或级别"),
        ("level=%25d", "没有这种时段、分组或级别"),
    ],
)
async def test_what_cannot_be_is_one_sentence(here: Reports, query: str, sentence: str) -> None:
    assert sentence in await page(here, f"/reports?{query}", status=400)
    person = await here.signed_in("wu")
    assert (await person.get(f"/reports/download/csv?{query}")).status == 400


@pytest.mark.parametrize("query", ["from=1970-01-01&to=1970-01-02", "from=2199-12-30&to=2199-12-31"])
async def test_the_first_and_the_last_day_can_be_shown(here: Reports, query: str) -> None:
    assert "没有来电" in await page(here, f"/reports?{query}")


async def test_days_are_labelled_and_the_browser_refuses_other_years(here: Reports) -> None:
    shown = await page(here, "/reports")
    for name in ("from", "to"):
        field = re.search(rf'<label><span>[^<]+</span><input class="in" type="date" name="{name}"[^>]+>', shown)
        assert field is not None, name
        assert 'min="1970-01-01" max="2199-12-31" required' in field[0]


async def test_downloads_are_the_same_report(here: Reports) -> None:
    person = await here.signed_in("wu")
    address = f"/reports/download/%s?{WEEK}&grain=day&by=queue"
    question = Question(Interval(date(2026, 11, 16), date(2026, 11, 22)), Grain.DAY, By.QUEUE)
    report = await read(question, SITE, here.store.reports("pbx", TARGETS), NOON)
    out = io.BytesIO()
    write(report, "json", out)
    answer = await person.get(address % "json")
    assert json.loads(await answer.read()) == json.loads(out.getvalue())
    assert answer.headers["Content-Disposition"] == 'attachment; filename="callcenter-2026-11-16-2026-11-22.json"'
    answer = await person.get(address % "csv")
    lines = list(csv.DictReader(io.StringIO((await answer.read()).decode("utf-8-sig"), newline="")))
    assert [int(line["来电"]) for line in lines] == [
        line.sums.calls for line in (*report.lines, *report.totals, report.whole)
    ]
    assert {line["队列"] for line in lines} == {"'" + HOSTILE, "support", "vip", "全部"}
    answer = await person.get(address % "xlsx")
    book = openpyxl.load_workbook(io.BytesIO(await answer.read()))
    assert book["report"].max_row == len(lines) + 1
    about = {row[0].value: row[1].value for row in book["about"].iter_rows()}
    assert (about["时段"], about["分组"]) == ("日", "队列")
    answer = await person.get(address % "parquet")
    assert parquet.read_table(io.BytesIO(await answer.read())).num_rows == len(report.lines)
    assert (await person.get(address % "exe")).status == 404


async def test_a_site_without_history_has_no_such_page(here: Reports) -> None:
    found(r"(reports)", await page(here, "/reports"))


async def test_of_the_time_before_anybody_listened_nothing_is_known(here: Reports) -> None:
    words = "此前的情况未知"
    assert words not in await page(here, f"/reports?{WEEK}", "wu")
    before = await page(here, "/reports?from=2026-10-01&to=2026-10-07", "wu")
    assert before.count(words) == 1


async def test_minutes_before_anybody_listened_are_unobserved_and_those_to_come_are_not(here: Reports) -> None:
    """The store is listened to from 2026-11-06 00:00 on, and now it is noon of the 26th."""
    assert "未观测 24.0 小时" in await page(here, "/reports?from=2026-11-05&to=2026-11-06")
    assert "未观测 0.0 分钟" in await page(here, "/reports?from=2026-11-26&to=2026-12-31")
    person = await here.signed_in("wu")
    answer = await person.get("/reports/download/json?from=2026-11-05&to=2026-11-06&grain=day")
    lines = json.loads(await answer.read())["lines"]
    assert [line["unobserved_minutes"] for line in lines if line["period"][:4] == "2026"] == [1440.0, 0.0]


async def test_a_view_that_there_is_not_is_said(here: Reports) -> None:
    assert "没有这种视图" in await page(here, "/reports?view=nonsense", "wu", 400)
    await page(here, "/reports?view=", "wu")
