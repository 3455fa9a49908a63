"""A report as a file: CSV, JSON, XLSX, Parquet.

Place on the path of a call: long after it; the command and the page's downloads write the same bytes.
Promises: a text that a spreadsheet would take for a formula is made plain text (a queue is named by whoever writes the
dialplan); CSV begins with a byte order mark, because Excel takes it for a local encoding without one; in XLSX dates are
dates and shares are numbers; rows are written as they come, so that a large report needs little memory; a total never
stands among the lines: it has a sheet of its own in XLSX, a place of its own in JSON, and none in CSV and Parquet.
Never: writes a value that there is not.
"""

import csv
import io
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, BinaryIO

import orjson
import xlsxwriter

from callcenter.errors import BadInput, BrokenWorld, extra_remedy
from callcenter.reports.columns import ALL, Column, Head, Kind, Title, about, columns, rows, totals
from callcenter.reports.report import Report
from callcenter.reports.tables import Table

FORMATS: Mapping[str, str] = {
    "json": "application/json",
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "parquet": "application/vnd.apache.parquet",
}
"""What each is called to a browser."""
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "|", "%", "＝", "＋", "－", "＠")
"""What makes a spreadsheet read a cell as a formula or a command, also in full width."""
NO_PARQUET = f"Parquet needs the extra 'parquet'. {extra_remedy('parquet')}, or choose csv, xlsx or json."
ROWS_AT_ONCE = 10_000
NAMES = frozenset({"queue", "queue_title", "seat_group", "seat", "seat_title"})
"""Columns that hold names."""
MAX_XLSX_ROWS = 1_048_000
"""A sheet holds 1,048,576."""
Titles = Mapping[str, str]
"""Column name to what people call it; names without one stay."""
Rows = Iterable[tuple[Any, ...]]


def write(
    report: Report,
    kind: str,
    out: BinaryIO,
    titles: Titles | None = None,
    words: Titles | None = None,
    title: Title | None = None,
) -> None:
    """Writes the report as one of ``FORMATS``. ``titles`` head the columns of CSV and XLSX, ``words`` stand there for
    kinds of days and the like; JSON and Parquet keep the names, because programs read them. ``title``: what people call
    a queue or a seat, beside its key in every format. Raises ``BadInput``."""
    chosen = columns(report, title)
    if kind == "csv":
        _csv(chosen, rows(report.lines, chosen), out, titles or {}, words or {})
    elif kind == "xlsx":
        _xlsx(report, chosen, out, titles or {}, words or {})
    elif kind == "parquet":
        _parquet(chosen, rows(report.lines, chosen), out, about(report), report.site.zone.key)
    else:
        _json(report, chosen, out)


def write_table(
    table: Table, kind: str, out: BinaryIO, titles: Titles | None = None, words: Titles | None = None
) -> None:
    """Writes heat map or forecast as one of ``FORMATS``; ``titles``, ``words``: as in ``write``."""
    (heads, lines, told), titles, words = table, titles or {}, words or {}
    if kind == "json":
        names = [head.name for head in heads]
        found = [dict(zip(names, line, strict=True)) for line in lines]
        out.write(orjson.dumps({"about": told, "lines": found}) + b"\n")
        return
    if kind == "csv":
        _csv(heads, lines, out, titles, words)
        return
    if kind == "parquet":
        _parquet(heads, lines, out, told)
        return
    with _book(out) as book:
        _sheet(book, "report", heads, lines, titles, words)
        _about_sheet(book, told, titles, words)


def plain(text: str) -> str:
    """A text that no spreadsheet takes for a formula: an apostrophe before whatever could begin one."""
    return "'" + text if text.lstrip(" \u00a0\u3000\ufeff\x00").startswith(FORMULA_STARTS) else text


def _csv(chosen: Sequence[Head], lines: Rows, out: BinaryIO, titles: Titles, words: Titles) -> None:
    text = io.TextIOWrapper(out, "utf-8-sig", newline="", write_through=True)
    try:
        writer = csv.writer(text)
        writer.writerow([titles.get(column.name, column.name) for column in chosen])
        for row in lines:
            writer.writerow([_cell(column, value, words) for column, value in zip(chosen, row, strict=True)])
    finally:
        text.detach()


def _cell(column: Head, value: Any, words: Titles) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    return plain(_worded(column, value, words)) if isinstance(value, str) else value


def _worded(column: Head, value: str, words: Titles) -> str:
    """What the house calls something in people's words; a queue's name is the site's, whatever it is."""
    return value if column.name in NAMES and value != ALL else words.get(value, value)


def _xlsx(report: Report, chosen: Sequence[Column], out: BinaryIO, titles: Titles, words: Titles) -> None:
    if len(report.lines) > MAX_XLSX_ROWS:
        raise BadInput("report: more lines than a sheet of XLSX holds; take a coarser grain, or csv or parquet.")
    with _book(out) as book:
        _sheet(book, "report", chosen, rows(report.lines, chosen), titles, words)
        _sheet(book, "totals", chosen, rows(totals(report), chosen), titles, words)
        _about_sheet(book, about(report), titles, words)


def _book(out: BinaryIO) -> Any:
    options = {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    return xlsxwriter.Workbook(out, {**options, "strings_to_numbers": False})


def _sheet(book: Any, name: str, chosen: Sequence[Head], lines: Rows, titles: Titles, words: Titles) -> None:
    formats = {
        Kind.TEXT: book.add_format({"num_format": "@"}),
        Kind.INSTANT: book.add_format({"num_format": "yyyy-mm-dd hh:mm"}),
        Kind.COUNT: book.add_format({"num_format": "#,##0"}),
        Kind.SECONDS: book.add_format({"num_format": "0.0"}),
        Kind.SHARE: book.add_format({"num_format": "0.0%"}),
    }
    head = book.add_format({"bold": True, "bottom": 1, "text_wrap": True, "valign": "top"})
    sheet = book.add_worksheet(name)
    sheet.freeze_panes(1, 1)
    for number, column in enumerate(chosen):
        sheet.set_column(number, number, 20 if column.kind in (Kind.TEXT, Kind.INSTANT) else 12)
        sheet.write_string(0, number, titles.get(column.name, column.name), head)
    for at, row in enumerate(lines, 1):
        for number, (column, value) in enumerate(zip(chosen, row, strict=True)):
            if value is None:
                continue
            if column.kind is Kind.INSTANT:
                sheet.write_datetime(at, number, value.replace(tzinfo=None), formats[column.kind])
            elif column.kind is Kind.TEXT:
                sheet.write_string(at, number, _worded(column, value, words), formats[column.kind])
            else:
                sheet.write_number(at, number, value, formats[column.kind])


def _about_sheet(book: Any, told: Mapping[str, Any], titles: Titles, words: Titles) -> None:
    sheet = book.add_worksheet("about")
    sheet.set_column(0, 1, 32)
    for at, (name, value) in enumerate(told.items()):
        sheet.write_string(at, 0, titles.get(name, name))
        if isinstance(value, int | float):
            sheet.write_number(at, 1, value)
        elif name == "compared_with" and value is not None:
            until = f" ({value['until']})" if value["until"] else ""
            sheet.write_string(at, 1, f"{value['from']} – {value['to']}{until}")
            sheet.write_string(at + 1, 0, titles.get("unobserved_before", "unobserved_before"))
            sheet.write_number(at + 1, 1, value["unobserved_minutes"])
        elif isinstance(value, dict):
            sheet.write_string(at, 1, "; ".join(f"{queue}: {seconds:g}" for queue, seconds in value.items()))
        elif value is not None:
            text = ", ".join(f"{one:g}" for one in value) if isinstance(value, list) else value
            sheet.write_string(at, 1, text if name in NAMES else words.get(text, text))


def _json(report: Report, chosen: Sequence[Column], out: BinaryIO) -> None:
    names = [column.name for column in chosen]

    def written(line: Any) -> dict[str, Any]:
        return dict(zip(names, (column.value(line) for column in chosen), strict=True))

    out.write(b'{"about":' + orjson.dumps(about(report)) + b',\n"lines":[')
    for number, line in enumerate(report.lines):
        out.write((b",\n" if number else b"\n") + orjson.dumps(written(line)))
    before = report.before
    rest = {
        "totals": [written(line) for line in report.totals],
        "whole": written(report.whole),
        "before": None if before is None else {
            "totals": [written(line) for line in before.totals],
            "whole": written(before.whole),
        },
    }  # fmt: skip
    out.write(b"\n],\n" + orjson.dumps(rest)[1:] + b"\n")


def _parquet(
    chosen: Sequence[Head], lines: Rows, out: BinaryIO, told: Mapping[str, Any], zone: str | None = None
) -> None:
    """``zone``: of the instants among the columns."""
    try:
        import pyarrow as arrow
        from pyarrow import parquet
    except ImportError:
        raise BadInput(NO_PARQUET) from None
    types = {
        Kind.TEXT: arrow.string(),
        Kind.INSTANT: arrow.timestamp("ms", tz=zone),
        Kind.COUNT: arrow.int64(),
        Kind.SECONDS: arrow.float64(),
        Kind.SHARE: arrow.float64(),
    }
    facts = orjson.dumps(told)
    schema = arrow.schema([(column.name, types[column.kind]) for column in chosen], metadata={"about": facts})
    with parquet.ParquetWriter(out, schema) as writer:
        held: list[tuple[Any, ...]] = []
        for row in lines:
            held.append(row)
            if len(held) == ROWS_AT_ONCE:
                writer.write_table(_table(arrow, schema, held))
                held = []
        writer.write_table(_table(arrow, schema, held))


def _table(arrow: Any, schema: Any, held: Sequence[tuple[Any, ...]]) -> Any:
    arrays = [arrow.array([row[number] for row in held], type=field.type) for number, field in enumerate(schema)]
    return arrow.Table.from_arrays(arrays, schema=schema)


def save(path: Path, written: Callable[[BinaryIO], None]) -> None:
    """Writes the file whole or not at all. Raises ``BrokenWorld`` and ``BadInput``."""
    part = path.with_name(path.name + ".part")
    if not path.parent.is_dir():
        raise BadInput(f"{path.parent} is no folder: make it, or name another file for the report.")
    if path.is_dir():
        raise BadInput(f"{path} is a folder: name a file in it for the report.")
    try:
        with part.open("wb") as out:
            written(out)
        part.replace(path)
    except OSError as error:
        raise BrokenWorld(f"{path} cannot be written ({error.strerror}): make room, or name another file.") from None
    finally:
        part.unlink(missing_ok=True)
