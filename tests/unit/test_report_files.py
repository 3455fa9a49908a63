"""Exports read back: the same rows, real dates and numbers, no formula of a hostile queue."""

import csv
import io
import json
import subprocess
import sys
from collections.abc import Iterable
from datetime import date, datetime
from functools import partial
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
from callcenter.reports.columns import Kind, columns, rows, totals
from callcenter.reports.command import title_of as command_title
from callcenter.reports.figures import Cell, Sums, Total
from callcenter.reports.files import FORMATS, NO_PARQUET, plain, save, write
from callcenter.reports.periods import Grain, Interval, periods
from callcenter.reports.report import By, Line, Question, Report, Sheet, Site
from callcenter.settings import Queue, Settings

BERLIN, SHANGHAI = ZoneInfo("Europe/Berlin"), ZoneInfo("Asia/Shanghai")
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


def expected(one: Report | None = None) -> list[dict[str, Any]]:
    """The lines; a total is none of them."""
    one = one or report()
    return named(one, one.lines)


def named(one: Report, lines: Iterable[Line]) -> list[dict[str, Any]]:
    chosen = columns(one)
    return [dict(zip((c.name for c in chosen), row, strict=True)) for row in rows(lines, chosen)]


def instants(row: dict[str, Any]) -> dict[str, Any]:
    """Times as instants: those of a repeated hour in a zone equal nothing, not even themselves."""
    return {name: value.timestamp() if isinstance(value, datetime) else value for name, value in row.items()}


def test_csv_reads_back_equal() -> None:
    raw = made("csv")
    assert raw.startswith(b"\xef\xbb\xbf"), "Excel takes it for a local encoding otherwise"
    found = list(csv.DictReader(io.StringIO(raw.decode("utf-8-sig"), newline="")))
    want = expected()
    assert len(found) == len(want) == 50 * len(HOSTILE)
    assert sum(int(one["calls"]) for one in found) == report().whole.sums.calls, "no total among the lines"
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
    sums = list(book["totals"].iter_rows(values_only=True))
    place = sums[0].index("calls")
    assert [row[place] for row in sums[1:]] == [2] * len(HOSTILE) + [2 * len(HOSTILE)]


def test_titles_are_those_of_people_in_csv_and_xlsx_only() -> None:
    titles, words = {"calls": "来电"}, {"total": "合计", "weekend": "周末"}
    assert "来电" in made("csv", titles=titles, words=words).decode("utf-8-sig").splitlines()[0]
    assert "周末" in made("csv", titles=titles, words=words).decode("utf-8-sig")
    book = openpyxl.load_workbook(io.BytesIO(made("xlsx", titles=titles, words=words)))
    assert "来电" in [cell.value for cell in next(iter(book["report"].iter_rows()))]
    assert "合计" in [cell.value for row in book["totals"].iter_rows() for cell in row]
    assert "calls" in json.loads(made("json", titles=titles, words=words))["lines"][0]


def test_a_queue_has_its_title_beside_its_key() -> None:
    names = {"support": "技术支持热线"}
    for kind in ("csv", "json"):
        raw = made(kind, title=lambda key: names.get(key or "", key or "全部")).decode("utf-8-sig")
        lines = json.loads(raw)["lines"] if kind == "json" else list(csv.DictReader(io.StringIO(raw, newline="")))
        assert {(one["queue"], one["queue_title"]) for one in lines if one["queue"] == "support"} == {
            ("support", "技术支持热线")
        }
    assert {one["queue_title"] for one in expected()} == set(HOSTILE), "the key where nobody tells a title"
    book = openpyxl.load_workbook(io.BytesIO(made("xlsx", title=lambda key: f"={key}")))
    assert not [cell for row in book["report"].iter_rows() for cell in row if cell.data_type == "f"]


def test_a_line_says_by_whose_clock_and_thresholds_it_counts() -> None:
    targets = Targets(Target(15, 5), {"vip": Target(10, 5, "vip"), "slow": Target(60.5, 20, "standard")})
    day = Interval(date(2026, 11, 26), date(2026, 11, 26))

    def terms(**asked: Any) -> dict[str, tuple[str, str]]:
        pieces = periods(day, Grain.DAY, SHANGHAI)
        sheet = Sheet(Question(day, **asked), Site(SHANGHAI, targets, groups={"a": ("1001",)}), pieces)
        numbers = Sums(Tally(1, 1)).numbers
        sheet.add_cells(Cell(pieces[0].since, queue, "1001", numbers) for queue in ("", "vip", "slow", "other"))
        one = sheet.report([0.0])
        found = named(one, totals(one))
        assert {line["time_zone"] for line in found} == {"Asia/Shanghai"}
        key = asked["by"].value if "by" in asked else "period"
        return {line[key]: (line["threshold_seconds"], line["short_abandon_seconds"]) for line in found}

    every = ("10/15/60.5", "5/20")
    assert terms() == {"total": every}
    assert terms(by=By.QUEUE) == {
        "": ("15", "5"), "vip": ("10", "5"), "slow": ("60.5", "20"), "other": ("15", "5"), "*": every
    }  # fmt: skip
    assert terms(by=By.LEVEL) == {"vip": ("10", "5"), "standard": ("15/60.5", "5/20"), "*": every}
    assert terms(by=By.SEAT, queue="vip") == {"1001": ("10", "5"), "*": ("10", "5")}


def test_what_is_still_to_come_is_empty_and_never_none_at_all() -> None:
    day = Interval(date(2026, 11, 26), date(2026, 11, 26))
    pieces = periods(day, Grain.HALF_HOUR, SHANGHAI)
    sheet = Sheet(Question(day, Grain.HALF_HOUR), Site(SHANGHAI), pieces)
    one = sheet.report([0.0] * 48, now=pieces[20].since + 60)
    lines = list(csv.DictReader(io.StringIO(made("csv", one).decode("utf-8-sig"), newline="")))
    assert [line["calls"] for line in lines] == ["0"] * 21 + [""] * 27
    assert [line["unobserved_minutes"] for line in lines] == ["0.0"] * 21 + [""] * 27
    told = json.loads(made("json", one))["lines"]
    assert {line["calls"] for line in told[:21]} == {0}
    names = {"period", "from", "until", "hours", "day", "contract_variant", "threshold_seconds"}
    names |= {"short_abandon_seconds", "time_zone"}
    for line in told[21:]:
        assert {name for name, value in line.items() if value is not None} == names
    table = parquet.read_table(io.BytesIO(made("parquet", one)))
    assert table["calls"].to_pylist() == [0] * 21 + [None] * 27
    book = openpyxl.load_workbook(io.BytesIO(made("xlsx", one)))
    place = [cell.value for cell in book["report"][1]].index("calls") + 1
    assert [book["report"].cell(row, place).value for row in range(2, 50)] == [0] * 21 + [None] * 27


def test_json_reads_back_equal() -> None:
    told = json.loads(made("json"))
    want = [*expected(), *named(report(), totals(report()))]
    for one, other in zip([*told["lines"], *told["totals"], told["whole"]], want, strict=True):
        for name, value in other.items():
            assert (datetime.fromisoformat(one[name]) if isinstance(value, datetime) else one[name]) == value
    assert told["about"]["time_zone"] == "Europe/Berlin"
    assert told["before"] is None


def test_parquet_reads_back_equal() -> None:
    table = parquet.read_table(io.BytesIO(made("parquet")))
    assert json.loads(table.schema.metadata[b"about"])["calls"] == 2 * len(HOSTILE)
    assert [instants(one) for one in table.to_pylist()] == [instants(one) for one in expected()]
    assert str(table.schema.field("from").type) == "timestamp[ms, tz=Europe/Berlin]"


def test_without_pyarrow_there_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(BadInput) as told:
        made("parquet")
    assert str(told.value) == NO_PARQUET


def test_a_file_is_whole_or_not_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(BadInput):
        save(tmp_path / "r.parquet", lambda out: write(report(), "parquet", out))
    assert list(tmp_path.iterdir()) == []
    for kind in FORMATS:
        if kind != "parquet":
            save(tmp_path / f"r.{kind}", partial(write, report(), kind))
    assert len(list(tmp_path.iterdir())) == 3


def test_a_place_that_cannot_be_written_is_named_as_it_was_given(tmp_path: Path) -> None:
    for path in (tmp_path / "none" / "r.csv", tmp_path, Path("/proc/r.csv")):
        with pytest.raises((BadInput, BrokenWorld)) as told:
            save(path, lambda out: write(report(), "csv", out))
        assert ".part" not in str(told.value)
        assert str(told.value).startswith(str(path.parent))


def test_the_command_knows_the_queues_titles_and_no_seats_name() -> None:
    settings = Settings(queues={"support": Queue(title="技术支持热线")})
    day = Interval(date(2026, 11, 26), date(2026, 11, 26))
    title = command_title(settings, Question(day, by=By.QUEUE))
    assert title is not None
    assert [title(key) for key in ("support", "vip", "", None)] == ["技术支持热线", "vip", "", ""]
    assert command_title(settings, Question(day, by=By.SEAT)) is None


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


@pytest.mark.parametrize(("view", "lines"), [("heat", 9 * 24), ("ahead", 14 * 48)])
def test_the_command_has_heat_map_and_forecast(config: Path, tmp_path: Path, view: str, lines: int) -> None:
    """A site without calls: every field is there, and none has a figure."""
    words = ["report", "--view", view, "--from", "2026-11-02", "--to", "2026-11-29"]
    shown = run(config, *words)
    assert (shown.returncode, shown.stderr) == (0, "")
    heads, *rows = shown.stdout.splitlines()[1:]
    assert heads.split()[0] in ("day", "date")
    told = json.loads(run(config, *words, "--format", "json").stdout)
    assert len(rows) == len(told["lines"]) <= lines
    assert told["about"]["time_zone"] == "Asia/Shanghai"
    assert {line["calls" if view == "heat" else "expected_calls"] for line in told["lines"]} == {None}
    for kind in FORMATS:
        file = tmp_path / f"r.{kind}"
        assert run(config, *words, "--format", kind, "--output", str(file)).returncode == 0
        assert file.stat().st_size > 0
    assert "no queue is called" in run(config, *words, "--queue", "nobody").stderr
