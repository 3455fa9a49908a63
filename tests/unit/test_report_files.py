"""Exports read back: the same rows, real dates and numbers, no formula of a hostile queue."""

import csv
import io
import json
import subprocess
import sys
from datetime import date, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import openpyxl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyarrow import parquet

from callcenter.errors import BadInput, BrokenWorld
from callcenter.metrics.service_levels import Tally, Target, Targets
from callcenter.reports.columns import Kind, columns, rows
from callcenter.reports.figures import Cell, Sums, Total
from callcenter.reports.files import FORMATS, NO_PARQUET, plain, save, write
from callcenter.reports.periods import Grain, Interval, periods
from callcenter.reports.report import By, Question, Report, Sheet, Site

BERLIN = ZoneInfo("Europe/Berlin")
HOSTILE = (
    "support",
    '=HYPERLINK("http://x")',
    "+1",
    "-1+1",
    "@SUM(A1)",
    "\t=1",
    " =1",
    "＝1",
    "技术支持",
    'a,b"c\nd',
    "1e5",
)


def report(zone: ZoneInfo = BERLIN, queues: tuple[str, ...] = HOSTILE) -> Report:
    """The day on which Berlin puts the clock back: 50 half-hours, one call of each queue in the repeated hour."""
    day = date(2026, 10, 25)
    question = Question(Interval(day, day), Grain.HALF_HOUR, By.QUEUE)
    pieces = periods(question.interval, question.grain, zone)
    sums = Sums(Tally(1, 1), 0, Total(1, 2.5), Total(), Total(1, 100.0), Total(1, 0.0), Total(1, 20.0))
    cells = [Cell(pieces[number].since, queue, "", sums.numbers) for queue in queues for number in (4, 6)]
    sheet = Sheet(question, Site(zone, Targets(Target(15, 5))), pieces)
    sheet.add_cells(cells)
    sheet.add_waits((cell.since, cell.queue, "", 2.5) for cell in cells)
    return sheet.report([0.0] * 4 + [90.0] + [0.0] * 45)


def made(kind: str, one: Report | None = None, **more: Any) -> bytes:
    out = io.BytesIO()
    write(one or report(), kind, out, **more)
    return out.getvalue()


def expected() -> list[dict[str, Any]]:
    chosen = columns(report())
    return [dict(zip((c.name for c in chosen), row, strict=True)) for row in rows(report(), chosen)]


def instants(row: dict[str, Any]) -> dict[str, Any]:
    """Times as instants: those of a repeated hour in a zone equal nothing, not even themselves."""
    return {name: value.timestamp() if isinstance(value, datetime) else value for name, value in row.items()}


def test_csv_reads_back_equal() -> None:
    raw = made("csv")
    assert raw.startswith(b"\xef\xbb\xbf"), "Excel takes it for a local encoding otherwise"
    found = list(csv.DictReader(io.StringIO(raw.decode("utf-8-sig"), newline="")))
    want = expected()
    assert len(found) == len(want) == 50 * len(HOSTILE) + len(HOSTILE) + 1
    for one, other in zip(found, want, strict=True):
        for column in columns(report()):
            value = other[column.name]
            if value is None:
                assert one[column.name] == ""
            elif column.kind is Kind.TEXT:
                assert one[column.name] == plain(value)
            elif column.kind is Kind.INSTANT:
                assert datetime.fromisoformat(one[column.name]) == value
            else:
                assert float(one[column.name]) == value


def test_csv_holds_no_formula() -> None:
    for line in csv.reader(io.StringIO(made("csv").decode("utf-8-sig"), newline="")):
        assert not [cell for cell in line if cell.lstrip().startswith(("=", "+", "-", "@", "＝"))]


@given(st.text(max_size=20))
def test_no_text_begins_as_a_formula(text: str) -> None:
    made_plain = plain(text)
    assert made_plain.removeprefix("'") == text or made_plain == text
    assert (
        not made_plain.lstrip(" \u00a0\u3000\ufeff\x00")[:1]
        or made_plain.lstrip(" \u00a0\u3000\ufeff\x00")[0] not in "=+-@\t\r\n|%＝＋－＠"
    )


def test_xlsx_reads_back_equal_with_real_dates_and_shares() -> None:
    book = openpyxl.load_workbook(io.BytesIO(made("xlsx")))
    sheet = book["report"]
    head, *lines = sheet.iter_rows()
    assert [cell.value for cell in head] == [column.name for column in columns(report())]
    want = expected()
    assert len(lines) == len(want)
    for line, other in zip(lines, want, strict=True):
        for cell, column in zip(line, columns(report()), strict=True):
            value = other[column.name]
            assert cell.data_type != "f", "a formula"
            if column.kind is Kind.INSTANT and value is not None:
                assert cell.value == value.replace(tzinfo=None)
                assert cell.is_date
            elif column.kind is Kind.SHARE and value is not None:
                assert (cell.value, cell.data_type, cell.number_format) == (value, "n", "0.0%")
            elif value in (None, ""):
                assert cell.value in (None, "")
            else:
                assert cell.value == value
    about = {row[0].value: row[1].value for row in book["about"].iter_rows()}
    assert (about["contract_variant"], about["unobserved_minutes"]) == ("abandons_bad", 1.5)


def test_titles_are_those_of_people_in_csv_and_xlsx_only() -> None:
    titles, words = {"calls": "来电"}, {"total": "合计", "weekend": "周末"}
    assert "来电" in made("csv", titles=titles, words=words).decode("utf-8-sig").splitlines()[0]
    assert "合计" in made("csv", titles=titles, words=words).decode("utf-8-sig")
    book = openpyxl.load_workbook(io.BytesIO(made("xlsx", titles=titles, words=words)))
    assert "来电" in [cell.value for cell in next(iter(book["report"].iter_rows()))]
    assert "calls" in json.loads(made("json", titles=titles, words=words))["lines"][0]


def test_json_reads_back_equal() -> None:
    told = json.loads(made("json"))
    want = expected()
    for one, other in zip([*told["lines"], *told["totals"], told["whole"]], want, strict=True):
        for name, value in other.items():
            assert (datetime.fromisoformat(one[name]) if isinstance(value, datetime) else one[name]) == value
    assert told["about"]["time_zone"] == "Europe/Berlin"
    assert told["before"] is None


def test_parquet_reads_back_equal() -> None:
    table = parquet.read_table(io.BytesIO(made("parquet")))
    assert json.loads(table.schema.metadata[b"about"])["calls"] == 2 * len(HOSTILE)
    want = [one for one in expected() if one["period"] != "total"]
    assert [instants(one) for one in table.to_pylist()] == [instants(one) for one in want]
    assert str(table.schema.field("from").type) == "timestamp[ms, tz=Europe/Berlin]"


def test_without_pyarrow_there_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(BadInput) as told:
        made("parquet")
    assert str(told.value) == NO_PARQUET


def test_a_file_is_whole_or_not_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(BadInput):
        save(report(), "parquet", tmp_path / "r.parquet")
    assert list(tmp_path.iterdir()) == []
    for kind in FORMATS:
        if kind != "parquet":
            save(report(), kind, tmp_path / f"r.{kind}")
    assert len(list(tmp_path.iterdir())) == 3


def test_a_place_that_cannot_be_written_is_named_as_it_was_given(tmp_path: Path) -> None:
    for path in (tmp_path / "none" / "r.csv", tmp_path, Path("/proc/r.csv")):
        with pytest.raises((BadInput, BrokenWorld)) as told:
            save(report(), "csv", path)
        assert ".part" not in str(told.value)
        assert str(told.value).startswith(str(path.parent))


@pytest.fixture
def config(tmp_path: Path) -> Path:
    file = tmp_path / "callcenter.toml"
    file.write_text(f'store.url = "sqlite:///{tmp_path}/callcenter.db"\n')
    assert run(file, "migrate").returncode == 0
    return file


def run(config: Path, command: str, *more: str) -> "subprocess.CompletedProcess[str]":
    words = [sys.executable, "-m", "callcenter", command, "-c", str(config), *more]
    return subprocess.run(words, capture_output=True, text=True, timeout=60)


@pytest.mark.parametrize(
    ("more", "sentence"),
    [
        (["--from", "2026-11-01"], "--from and --to belong together"),
        (["--from", "2026-11-02", "--to", "2026-11-01"], "ends before it begins"),
        (["--from", "yesterday", "--to", "2026-11-01"], "is no day"),
        (["--from", "0001-01-01", "--to", "0001-01-01"], "no day from 1970 on"),
        (["--from", "2000-01-01", "--to", "2026-11-01", "--grain", "half_hour"], "shorter interval"),
        (["--seat-group", "nobody"], "there is no seat group"),
        (["--queue", "nobody"], "no queue is called 'nobody'; the settings have: none"),
        (["--format", "csv", "--output", "/nowhere/report.csv"], "/nowhere is no folder: make it"),
    ],
)
def test_mistakes_of_the_command_are_sentences(config: Path, more: list[str], sentence: str) -> None:
    done = run(config, "report", *more)
    assert done.returncode in (1, 2)
    assert sentence in done.stderr
    assert "Traceback" not in done.stderr


def test_the_command_prints_and_writes(config: Path, tmp_path: Path) -> None:
    day = ["--from", "2026-11-22", "--to", "2026-11-22"]
    shown = run(config, "report", *day)
    assert shown.returncode == 0
    assert "abandons_bad within 15 s" in shown.stdout
    assert "no calls" in shown.stdout
    for kind in FORMATS:
        done = run(config, "report", *day, "--by", "queue", "--format", kind, "--output", str(tmp_path / f"r.{kind}"))
        assert (done.returncode, done.stderr) == (0, "")
        assert (tmp_path / f"r.{kind}").stat().st_size > 0
