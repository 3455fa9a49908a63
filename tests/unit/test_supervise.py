"""The supervisor's desk: nobody's queue is too large for it, and no pop waits until it is written."""

import asyncio
import re
import threading
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from callcenter.calls.model import Ring, RingResult
from callcenter.web import supervise
from callcenter.web.context import PORTS
from callcenter.web.health_ports import Part
from callcenter.web.ports import Link, LinkState, Phone, Seat
from callcenter.web.render import Renderer
from tests.fakes import wallboard_scene
from tests.fakes.shares import bare_shares, look
from tests.fakes.web import Doctor
from tests.fakes.web_client import Site, site


@pytest.fixture
async def large() -> AsyncIterator[Site]:
    """60 seats and as many again in one queue, 400 in another; 200 calls ring."""
    async with site() as here:
        wallboard_scene.stage("busy", here.memory)
        for number in range(400):
            extension = str(5000 + number)
            here.memory.seat_states[extension] = Seat(extension, extension, f"座席{number}", Phone.IDLE, since=1.0)
            here.memory.serves[extension] = ("q1",)
        for number in range(200):
            here.control.put("ringing", f"n-{number}", queue="q1", seat=str(5000 + number), heard=1.0)
        yield here


def rows(html: str) -> tuple[int, int]:
    """How many calls and seats are listed."""
    calls, _, seats = html.partition('<p class="panel__b sums">')
    return calls.count('<li><div class="row"'), seats.partition("<tbody>")[2].partition("</tbody>")[0].count("<tr>")


async def test_what_is_longer_than_anybody_reads_is_cut_and_says_so(large: Site) -> None:
    person = await large.signed_in("wu")
    html = await (await person.get("/supervise/board")).text()
    assert rows(html) == (supervise.CALLS_SHOWN, supervise.SEATS_SHOWN)
    assert re.search(r'座席 <span class="num">460</span>', html)
    assert len(re.findall(r"s-ringing", html)) >= 200, "who is on the phone is not cut"
    cut = [int(n) for n in re.findall(r'<p class="sub sm more2">另 (\d+) [通席]', html)]
    running = re.search(r'进行中的来电 <span class="num">(\d+)</span>', html)
    assert running is not None
    assert cut[-2:] == [int(running[1]) - supervise.CALLS_SHOWN, 460 - supervise.SEATS_SHOWN]
    one_queue = await (await person.get("/supervise/board?queue=q2")).text()
    assert rows(one_queue)[1] < 60
    assert "more2" not in one_queue


async def test_it_is_written_beside_the_event_loop(large: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    loops, written = threading.get_ident(), []
    real = Renderer.text

    def text(self: Renderer, template: str, *given: object, **more: object) -> str:
        if template == "supervise_board.html":
            written.append(threading.get_ident())
        return real(self, template, *given, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(Renderer, "text", text)
    person = await large.signed_in("wu")
    answers = await asyncio.gather(*(person.get("/supervise/board") for _ in range(3)))
    bodies = [await one.text() for one in answers]
    assert {rows(body) for body in bodies} == {(supervise.CALLS_SHOWN, supervise.SEATS_SHOWN)}
    assert len(written) == 3
    assert loops not in written


async def test_a_seat_in_wrap_up_is_free_on_no_page() -> None:
    async with site() as here:
        person = await here.signed_in("wu")
        for n in (1, 2):
            seat = f"100{n}"
            here.memory.seat_states[seat] = Seat(seat, f"01{n}", f"座席{n}", Phone.IDLE, since=1.0)
        for other in set(here.memory.seat_states) - {"1001", "1002"}:
            del here.memory.seat_states[other]
        counts = []
        for _ in range(2):
            top = await (await person.get("/desk/fragments?r=state")).text()
            counts.append(re.findall(r"空闲座席 <b>(\d+)</b>", top))
            if len(counts) == 1:
                here.control.put("ringing", "c-1", seat="1001", ago=30)
                here.control.put("talking", "c-1", ago=20)
                here.control.put("ended", "c-1", ago=5)
        assert counts == [["2"], ["1"]]
        list_of_seats = await (await person.get("/desk/fragments?r=aid")).text()
        assert list_of_seats.count("话后处理") == 1


def line(html: str, title: str) -> str:
    """What stands beside a title of the table of work and words."""
    told = re.search(rf'<tr><th scope="row">{title}.*?</th><td[^>]*>(.*?)</td></tr>', html, re.S)
    assert told is not None, title
    return " ".join(re.sub(r"<[^>]+>", " ", told[1]).split())


async def test_what_took_the_time_and_what_was_said_stands_there(large: Site) -> None:
    """The list of what a supervisor must see, for a site without Grafana."""
    person = await large.signed_in("wu")
    html = await (await person.get("/supervise/board")).text()
    told = {title: line(html, title) for title in ("平均处理时长", "平均通话", "平均保持", "平均话后处理")}
    assert told == {
        "平均处理时长": "3:27 40 通",
        "平均通话": "2:40 40 通",
        "平均保持": "0:07 40 通",
        "平均话后处理": "0:40 24 通",
    }
    assert [line(html, title) for title in ("标准问候", "等待前说明", "标准结束语", "有禁语")] == [
        "95.0 % 40 通",
        "75.0 % 12 通",
        "75.0 % 40 通",
        "2.5 % 40 通",
    ]
    assert re.fullmatch(r"\d+\.\d % \d+ 席", line(html, "当前占用率"))
    assert "放弃算未达标" in html, "the contract's formula"
    one = await (await person.get("/supervise/board?queue=q1")).text()
    assert line(one, "平均处理时长") == "1:40 10 通"
    assert line(one, "平均话后处理") == "暂无数据"
    assert [line(one, title) for title in ("标准问候", "等待前说明")] == ["100 % 10 通", "没有转写"]


async def test_what_is_not_added_up_yet_is_not_told_as_nothing(large: Site) -> None:
    large.memory.worked = None
    person = await large.signed_in("wu")
    html = await (await person.get("/supervise/board")).text()
    assert "正在统计" in html
    assert "平均处理时长" not in html


async def test_without_the_link_nothing_of_this_moment_is_told(large: Site) -> None:
    """The last picture would be a claim: seats that ring, a call that nobody has."""
    person = await large.signed_in("wu")
    large.memory.link_state = Link(LinkState.LOST, large.memory.now() - 30, "closed", "")
    html = await (await person.get("/supervise/board")).text()
    assert "data-ring-since" not in html
    assert 's-ringing"' not in html
    assert html.count("电话连接断开期间不明") == 2


async def test_a_queue_that_there_is_not_is_said(large: Site) -> None:
    person = await large.signed_in("wu")
    html = await (await person.get("/supervise/board?queue=%3Cb%3Enope")).text()
    assert "没有名为 &lt;b&gt;nope 的队列" in html
    assert "没有名为" not in await (await person.get("/supervise/board?queue=q1")).text()


async def test_a_caller_who_waits_on_after_the_rings_stays_at_the_limit(large: Site) -> None:
    """The announcement ends the rings, not the wait."""
    call = large.memory.calls_by_id["pbx", "n-0"]
    large.memory.calls_by_id["pbx", "n-0"] = replace(call, announced_at=large.memory.now(), arrived_at=1.0)
    person = await large.signed_in("wu")
    html = await (await person.get("/supervise/board")).text()
    running = html.partition("进行中的来电")[2]
    assert 'data-due="10.0" data-over="15.0"><svg' in running, "two and three rings"
    assert 'data-due="30"' not in running


def by_queue(html: str) -> dict[str, list[str]]:
    """The table of ringing and words, by the queue's name."""
    table = html.partition('id="by-queue"')[2].partition("</table>")[0]
    rows = [re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row, re.S) for row in table.split("<tr>")[2:]]
    plain = [[" ".join(re.sub(r"<[^>]+>", " ", cell).split()) for cell in row] for row in rows]
    return {row[0]: row[1:] for row in plain}


async def test_ringing_and_words_stand_there_by_queue(large: Site) -> None:
    rings = tuple(Ring("1001", "l", 0.0, seconds, RingResult.MISSED) for seconds in (6.0, 15.0))
    memory = large.memory
    for number, given in ((0, rings), (1, ())):
        memory.calls_by_id["pbx", f"d-{number}"] = replace(memory.calls_by_id["pbx", f"d-{number}"], rings=given)
    for key, call in list(memory.calls_by_id.items()):
        if key[1].startswith("d-") and key[1] != "d-0":
            memory.calls_by_id[key] = replace(call, rings=())
    person = await large.signed_in("wu")
    html = await (await person.get("/supervise/board")).text()
    told = by_queue(html)
    assert told["医疗热线"] == [
        "10.5 秒 2 次 · 最长 15 秒",
        "93.3 % 30 通",
        "75.0 % 12 通",
        "66.7 % 30 通",
        "3.3 % 30 通",
    ]
    assert told["政企热线"][0] == "没有来电"
    assert told["政企热线"][1:3] == ["100 % 10 通", "没有转写"]
    assert line(html, "平均振铃") == "10.5 秒 2 次 · 最长 15 秒"


async def test_recordings_that_wait_to_be_heard_are_told(large: Site) -> None:
    person = await large.signed_in("wu")
    doctor = large.server.app[PORTS].health
    assert isinstance(doctor, Doctor)
    doctor.more = [Part("transcription", True, "done", "", "", {"waiting": 0, "working": 0, "backlog_seconds": 0.0})]
    assert 'id="backlog"' not in await (await person.get("/supervise/board")).text()
    doctor.found = [
        Part("transcription", True, "at work", "", "", {"waiting": 7, "working": 1, "backlog_seconds": 840.0})
    ]
    html = await (await person.get("/supervise/board")).text()
    assert "7 段录音等待转写" in html
    assert "14 分钟" in html.partition('id="backlog"')[2][:600]


async def test_a_seat_of_no_queue_is_said_to_be_in_none() -> None:
    """Asterisk tells of members of queues only; that it is one of none is what is known."""
    async with site() as here:
        here.memory.seat_states["9001"] = Seat("9001", "901", "无队列", Phone.UNKNOWN)
        here.memory.serves["9001"] = ()
        person = await here.signed_in("wu")
        assert "不在队列" in await (await person.get("/supervise/board")).text()
        here.memory.serves["9001"] = ("it",)
        here.hub.board_changed()
        assert "不在队列" not in await (await person.get("/supervise/board")).text()


@pytest.mark.parametrize(
    ("text", "bare"),
    [
        ("服务水平 75.0 % 三声应答", 1),
        ("服务水平 100 %", 1),
        ("服务水平 75.0 % 目标 80 % 平均 7.4 秒", 1),
        ("问候 95.0 % 结束语 75.0 % 40 通", 1),
        ("放弃 0.0 % 0 通", 1),
        ("服务水平 75.0 % 目标 80 % 共 12 通", 0),
        ("三声应答 100 %已接 171 通 · 目标 90 %", 0),
        ("来电比上期多 12.5 %", 0),
    ],
)
def test_a_share_without_its_calls_is_seen(text: str, bare: int) -> None:
    assert len(bare_shares(text)) == bare


@pytest.mark.parametrize("scene", ["small", "busy", "perfect"])
async def test_every_share_has_its_calls(scene: str) -> None:
    async with site() as here:
        wallboard_scene.stage(scene, here.memory)
        person = await here.signed_in("wu")
        for address, least in (("/supervise", 14), ("/supervise/board?queue=q1", 10), ("/wallboard", 8)):
            look(await (await person.get(address)).text(), least)
