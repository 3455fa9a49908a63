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
from tests.fakes.shares import look, text_of
from tests.fakes.web import FAST_HASHER, Ear, Memory, Telephone
from tests.fakes.web_client import Site, found
from tests.fakes.web_server import OPTIONS, Control
from tests.store.build import batch, call, ended
from tests.store.places import sqlite_place

NOON = 1_795_665_600.0
"""2026-11-26 12:00 in Shanghai."""
WEEK = "from=2026-11-16&to=2026-11-22"


class Reports(Site):
    store: Store


@pytest.fixture
async def here(tmp_path: Path, request: pytest.FixtureRequest) -> AsyncIterator[Reports]:
    """Three weeks of calls, or as many days as a test says."""
    place = sqlite_place(tmp_path)
    await place.migrate()
    async with place.open() as store:
        await people(store)
        await fill(store, date(2026, 11, 26), getattr(request, "param", 21))
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


@pytest.mark.parametrize(
    ("here", "asked"),
    [(21, WEEK), (21, f"{WEEK}&by=queue"), (21, f"{WEEK}&by=seat"), (21, f"{WEEK}&grain=day"), (70, "view=ahead")],
    indirect=["here"],
)
async def test_every_share_has_its_calls(here: Reports, asked: str) -> None:
    look(await page(here, f"/reports?{asked}"), 3)


async def test_the_formula_is_named(here: Reports) -> None:
    report = await read(
        Question(Interval(date(2026, 11, 16), date(2026, 11, 22))), SITE, here.store.reports("pbx", TARGETS), NOON
    )
    shown = await page(here, f"/reports?{WEEK}")
    level, base = report.whole.level(SITE.variant), report.whole.base(SITE.variant)
    assert level is not None
    assert f'{100 * level:.1f} %</b> <span class="sub sm num">共 {base} 通' in shown
    assert "放弃计为未达标" in shown
    assert "10/15 秒内接听" in shown
    assert "<bdi>vip</bdi> 10 秒" in shown, "which queue has which"
    assert "对比 2026-11-09 至 2026-11-15" in shown
    assert "▲" in shown or "▼" in shown


async def test_what_nobody_observed_and_no_calls_are_said(here: Reports) -> None:
    assert "未观测 5.0 分钟" in await page(here, "/reports?from=2026-11-25&to=2026-11-25&grain=half_hour")
    empty = await page(here, "/reports?from=2020-01-01&to=2020-01-02")
    assert "此区间未观测" in empty
    assert "0.0 %" not in empty
    assert "没有来电" not in empty, "nobody knows that"
    assert "此区间无来电" in await page(here, "/reports?from=2026-11-20&to=2026-11-20&group=nobody")
    night = await page(here, "/reports?from=2026-11-25&to=2026-11-25&grain=half_hour")
    assert "没有来电" in night


async def test_the_heat_map_has_a_figure_in_each_field(here: Reports) -> None:
    shown = await page(here, "/reports?view=heat&from=2026-11-09&to=2026-11-22")
    assert shown.count('<td class="h') == 24 * 7
    assert 'class="h5 num"' in shown


async def test_calls_of_a_gap_stand_beside_the_mean_of_the_heat_map(here: Reports) -> None:
    """Nobody listened from 12:00 to 12:05 on the 25th. What arrived then is no call of an observed hour; one that
    arrived after it, of which call records told something too, is."""
    person, field = await here.signed_in("wu"), {}
    noon = NOON - 86_400
    for name, at in (("before", None), ("in", noon + 180), ("after", noon + 600)):
        if at is not None:
            one = replace(ended(call(name, queue="support", arrived_at=at), ended_at=at + 60), recovered=True)
            await here.store.commit(batch(one, batch_id=name))
        answer = await person.get("/reports/download/csv?view=heat&from=2026-11-25&to=2026-11-25")
        lines = csv.DictReader(io.StringIO((await answer.read()).decode("utf-8-sig"), newline=""))
        field[name] = next((line["来电"], line["未观测时段来电（来自话单）"]) for line in lines if line["时"] == "12")
    seen, gap = map(int, field["before"])
    assert [tuple(map(int, told)) for told in field.values()] == [(seen, gap), (seen, gap + 1), (seen + 1, gap + 1)]
    shown = await page(here, "/reports?view=heat&from=2026-11-25&to=2026-11-25")
    assert shown.count('<i class="part">*</i>') == 1
    assert "*：部分或全部时间未观测。" in shown
    assert f"从话单得知其间来电 {gap + 1} 通。" in shown


async def test_without_calls_the_heat_map_has_no_legend(here: Reports) -> None:
    assert "少 <i" in await page(here, "/reports?view=heat&from=2026-11-09&to=2026-11-22")
    empty = await page(here, "/reports?view=heat&from=2020-01-01&to=2020-01-02")
    assert "此区间未观测" in empty
    assert "(0.0)" not in empty
    assert 'class="key h1"' not in empty


async def test_nothing_to_compare_with_is_said_once(here: Reports) -> None:
    """The store is observed since the 6th: the week from the 6th on is the first."""
    for asked in ("", "&by=queue"):
        first = await page(here, f"/reports?from=2026-11-06&to=2026-11-12{asked}")
        assert first.count("无可对比") == 1
        assert "无可对比：2026-10-30 至 2026-11-05 未观测" in first
        assert "上期" not in first
    second = await page(here, f"/reports?{WEEK}")
    assert "上期" in second
    assert "无可对比" not in second


@pytest.mark.parametrize("view", ["figures", "heat", "ahead"])
async def test_a_queue_that_there_is_not_is_no_choice(here: Reports, view: str) -> None:
    """One of the settings is, also without calls; so is one that had calls in these days."""
    refused = await page(here, f"/reports?{WEEK}&view={view}&queue=nope", status=400)
    assert "没有这个队列" in refused
    assert 'value="nope"' not in refused
    assert 'value="support"' in refused
    person = await here.signed_in("wu")
    assert (await person.get(f"/reports/download/csv?{WEEK}&view={view}&queue=nope")).status == 400
    for known in ("vip", "support"):
        await page(here, f"/reports?{WEEK}&view={view}&queue={known}")
    await page(here, f"/reports?from=2026-11-20&to=2026-11-20&view={view}&queue=vip")


async def test_hostile_names_are_text(here: Reports) -> None:
    shown = await page(here, f"/reports?{WEEK}&by=queue")
    assert "<img" not in shown
    assert "onerror=alert(1)&gt;" in shown
    asked = await page(here, f"/reports?{WEEK}&queue=%3Cscript%3E&group=%3Cb%3E%27%3B--", status=400)
    asked += await page(here, f"/reports?{WEEK}&group=%3Cb%3E%27%3B--")
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
    shown = await page(here, f"/reports?{query}", status=400)
    assert sentence in shown
    assert 'name="from"' in shown, "the form is there to ask again"
    person = await here.signed_in("wu")
    assert (await person.get(f"/reports/download/csv?{query}")).status == 400


@pytest.mark.parametrize(
    ("query", "word"),
    [("from=1970-01-01&to=1970-01-02", "此区间未观测"), ("from=2199-12-30&to=2199-12-31", "此区间尚未到来")],
)
async def test_the_first_and_the_last_day_can_be_shown(here: Reports, query: str, word: str) -> None:
    for view in ("figures", "heat"):
        shown = await page(here, f"/reports?{query}&view={view}")
        assert word in shown
        assert "没有来电" not in shown


async def test_what_is_still_to_come_is_a_dash(here: Reports) -> None:
    """It is noon of the 26th; the lines of the afternoon say nothing."""
    shown = await page(here, "/reports?from=2026-11-26&to=2026-11-27&grain=half_hour")
    rows = re.findall(r'<th class="nw">2026-11-2[67] (\d\d:\d\d).*?</tr>', shown, re.S)
    assert len(rows) == 96
    told = re.findall(r'<th class="nw">2026-11-2[67] \d\d:\d\d.*?</tr>', shown, re.S)
    ahead = [row for row in told if "尚未到来" in row]
    assert 0 < len(ahead) <= 72
    for row in ahead:
        assert row.count("—") == 21
        assert "没有来电" not in row
    part = await page(here, "/reports?from=2026-11-26&to=2026-11-26")
    assert "未结束" in part


async def test_an_interval_that_is_not_over_is_held_against_the_same_hours(here: Reports) -> None:
    shown = await page(here, "/reports?from=2026-11-26&to=2026-11-26")
    assert "对比 2026-11-19 至 2026-11-19，与本期同截至 12:00" in shown
    assert "同截至" not in await page(here, "/reports?from=2026-11-25&to=2026-11-25")
    month = await page(here, "/reports?from=2026-11-01&to=2026-11-30")
    assert "无可对比：2026-10-01 至 2026-10-26 未观测，与本期同截至 12:00" in month
    part = await page(here, "/reports?from=2026-11-10&to=2026-11-16")
    assert "对比 2026-11-03 至 2026-11-09" in part
    assert "其中未观测 72.0 小时" in part
    assert "故不判断升降优劣" in part
    for shown in (month, part):
        assert "▲" not in shown
        assert "▼" not in shown
    assert "对比" not in await page(here, "/reports?view=heat&from=2026-11-09&to=2026-11-22"), "nothing is compared"


async def test_the_abandon_rate_leaves_short_ones_out_on_both_sides(here: Reports) -> None:
    shown = await page(here, f"/reports?{WEEK}")
    question = Question(Interval(date(2026, 11, 16), date(2026, 11, 22)))
    sums = (await read(question, SITE, here.store.reports("pbx", TARGETS), NOON)).whole.sums
    assert sums.tally.abandoned_short > 0
    rate = (sums.tally.abandoned - sums.tally.abandoned_short) / (sums.calls - sums.tally.abandoned_short)
    assert f"{100 * rate:.1f} %" in shown
    assert f"共 {sums.calls - sums.tally.abandoned_short} 通" in shown
    assert f"{100 * sums.tally.abandoned / sums.calls:.1f} %" not in shown
    for head in ("放弃（含短放弃）", "放弃率（不含短放弃）", "三声内应答", "保持超过一分钟（次）", "满意率"):
        assert f'<th class="r">{head}</th>' in shown


async def test_heat_map_and_forecast_can_be_downloaded(here: Reports) -> None:
    person = await here.signed_in("wu")
    address = "/reports/download/%s?from=2026-11-23&to=2026-11-29&view=%s&by=queue"
    answer = await person.get(address % ("csv", "heat"))
    assert answer.headers["Content-Disposition"].endswith('"callcenter-heat-2026-11-23-2026-11-29.csv"')
    lines = list(csv.DictReader(io.StringIO((await answer.read()).decode("utf-8-sig"), newline="")))
    assert len(lines) == 24 * 7
    at = {(line["日类型"], line["时"]): line for line in lines}
    assert at["周三", "12"]["未观测小时"] == str(300 / 3600), "the gap at noon of the 25th"
    assert (at["周五", "9"]["每观测小时来电"], at["周五", "9"]["来电"]) == ("", ""), "still to come"
    shown = await page(here, "/reports?view=heat&from=2026-11-23&to=2026-11-29")
    assert "未计入平均" in shown
    answer = await person.get(address % ("csv", "ahead"))
    ahead = list(csv.DictReader(io.StringIO((await answer.read()).decode("utf-8-sig"), newline="")))
    assert len(ahead) == 14 * 48
    assert {line["时区"] for line in ahead} == {"Asia/Shanghai"}
    for view in ("heat", "ahead"):
        answer = await person.get(address % ("xlsx", view))
        book = openpyxl.load_workbook(io.BytesIO(await answer.read()))
        assert book["report"].max_row == len(lines if view == "heat" else ahead) + 1
        answer = await person.get(address % ("parquet", view))
        table = parquet.read_table(io.BytesIO(await answer.read()))
        assert table.num_rows == len(lines if view == "heat" else ahead)
        assert json.loads(table.schema.metadata[b"about"])["time_zone"] == "Asia/Shanghai"
        assert "/reports/download/parquet?" in await page(here, f"/reports?view={view}")
        assert (await person.get(address % ("json", view))).status == 404
        assert "/reports/download/csv?" in await page(here, f"/reports?view={view}")
    assert (await person.get(address % ("csv", "nonsense"))).status == 400
    seats = await here.signed_in("qa")
    assert (await seats.get("/reports/download/csv?view=heat&by=seat")).status == 403
    assert (await seats.get("/reports/download/csv?view=ahead")).status == 200
    assert (await (await here.signed_in("li")).get("/reports/download/csv?view=ahead")).status == 403


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
    here.memory.queues["support"] = replace(here.memory.queue("support"), title="技术支持热线")
    write(report, "json", out, title=lambda key: "全部" if key is None else here.memory.queue(key).title)
    answer = await person.get(address % "json")
    assert json.loads(await answer.read()) == json.loads(out.getvalue())
    assert answer.headers["Content-Disposition"] == 'attachment; filename="callcenter-2026-11-16-2026-11-22.json"'
    answer = await person.get(address % "csv")
    lines = list(csv.DictReader(io.StringIO((await answer.read()).decode("utf-8-sig"), newline="")))
    assert [int(line["来电"]) for line in lines] == [line.sums.calls for line in report.lines]
    assert {line["队列"] for line in lines} == {"'" + HOSTILE, "support", "vip"}
    assert {line["队列名称"] for line in lines if line["队列"] == "support"} == {"技术支持热线"}
    assert {line["时区"] for line in lines} == {"Asia/Shanghai"}
    assert {(line["队列"], line["及时阈值（秒）"]) for line in lines} >= {("support", "15"), ("vip", "10")}
    answer = await person.get(address % "xlsx")
    book = openpyxl.load_workbook(io.BytesIO(await answer.read()))
    assert book["report"].max_row == len(lines) + 1
    assert book["totals"].max_row == 3 + 1 + 1
    about = {row[0].value: row[1].value for row in book["about"].iter_rows()}
    assert (about["时段"], about["分组"]) == ("日", "队列")
    answer = await person.get(address % "parquet")
    assert parquet.read_table(io.BytesIO(await answer.read())).num_rows == len(report.lines)
    assert (await person.get(address % "exe")).status == 404


async def test_a_site_without_history_has_no_such_page(here: Reports) -> None:
    found(r"(reports)", await page(here, "/reports"))


async def test_an_interval_before_that_nobody_observed_is_no_interval_without_calls(here: Reports) -> None:
    """Asterisk is listened to from 2026-11-06 on."""
    shown = text_of(await page(here, "/reports?from=2026-11-06&to=2026-11-12"))
    assert "无可对比：2026-10-30 至 2026-11-05 未观测" in shown
    assert "上期 0" not in shown


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
