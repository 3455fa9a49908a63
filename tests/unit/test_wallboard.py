"""The push to the big screens: what a screen is sent, that all share one drawing, and when it is not live."""

import asyncio
import json
import re
import time
import zlib
from collections.abc import AsyncIterator
from dataclasses import replace
from itertools import combinations, pairwise
from typing import Any

import aiohttp
import pytest

from callcenter.settings.sections import WALL_TILES, Wallboard
from callcenter.web import wallboard
from callcenter.web.context import HUB, PORTS
from callcenter.web.health_ports import Part
from callcenter.web.picture import GZIP_HEADER, Picture, packed
from callcenter.web.ports import Phone, Role, Seat
from callcenter.web.wallboard import SCREENS
from tests.fakes import wallboard_scene
from tests.fakes.links import until
from tests.fakes.shares import text_of
from tests.fakes.web import user
from tests.fakes.web_client import Site, found, site
from tests.fakes.web_server import OPTIONS


@pytest.fixture
async def here() -> AsyncIterator[Site]:
    async with site() as one:
        wallboard_scene.stage("small", one.memory)
        yield one


class Screen:
    def __init__(self, stream: aiohttp.ClientResponse) -> None:
        self.stream = stream

    async def hears(self, wanted: str) -> Any:
        """The next event of this kind."""
        kind = ""
        async with asyncio.timeout(20):
            while True:
                line = (await self.stream.content.readline()).decode()
                assert line, f"the stream ended without {wanted}"
                if line.startswith("event: "):
                    kind = line[7:].strip()
                elif line.startswith("data: ") and kind == wanted:
                    return json.loads(line[6:])

    async def beats(self, seconds: float) -> bool:
        """Whether another beat comes within so long."""
        try:
            async with asyncio.timeout(seconds):
                await self.hears("beat")
        except TimeoutError:
            return False
        return True


async def opened(here: Site, name: str = "wu") -> Screen:
    person = await here.signed_in(name)
    stream = await person.client.get("/wallboard/live", headers={"Accept": "text/event-stream"})
    assert stream.status == 200
    assert stream.headers["Content-Type"].startswith("text/event-stream")
    return Screen(stream)


def test_a_picture_sends_what_is_new_to_a_screen() -> None:
    picture = Picture()
    assert picture.replace({"a": "1", "b": "1"})
    first = picture.number
    assert not picture.replace({"a": "1", "b": "1"})
    assert picture.replace({"a": "1", "b": "2"})
    assert json.loads(picture.news(first, 5.0).partition(b"data: ")[2]) == {"now": 5.0, "parts": {"b": "2"}}
    assert json.loads(picture.news(0, 5.0).partition(b"data: ")[2])["parts"] == {"a": "1", "b": "2"}
    assert picture.news(picture.number, 5.0) == b""
    assert picture.news(first, 9.0) is picture.news(first, 10.0), "made once for all screens"


def test_a_packed_push_is_read_whatever_went_before() -> None:
    """Screens that came at different times are sent the same bytes; each reads one gzip stream, piece by piece."""
    picture, plain = Picture(), Picture()
    early, late = (zlib.decompressobj(zlib.MAX_WBITS | 16) for _ in range(2))
    assert early.decompress(GZIP_HEADER + packed(b"event: hello\n")) == b"event: hello\n"
    assert late.decompress(GZIP_HEADER) == b""
    for number in range(50):
        parts = {"seats": f"<li>{number}</li>" * 500, "head": str(number // 10)}
        assert picture.replace(parts)
        assert plain.replace(parts)
        push = picture.news(number, 5.0, pack=True)
        assert push is picture.news(number, 6.0, pack=True), "made once for all screens"
        assert len(push) < len(plain.news(number, 5.0)) / 5
        assert early.decompress(push) == plain.news(number, 5.0)
        if number >= 40:
            assert late.decompress(push) == plain.news(number, 5.0)


async def test_a_screen_that_cannot_inflate_is_sent_plain_text(here: Site) -> None:
    """And one that can reads the same, as it comes."""
    person = await here.signed_in("wu")
    pictures = []
    for takes, sent in (("identity", None), ("gzip, deflate, br", "gzip")):
        headers = {"Accept": "text/event-stream", "Accept-Encoding": takes}
        stream = await person.client.get("/wallboard/live", headers=headers)
        assert stream.headers.get("Content-Encoding") == sent
        pictures.append((await Screen(stream).hears("parts"))["parts"])
    assert pictures[0] == pictures[1]


async def test_pops_do_not_wait_behind_the_telling_of_screens(here: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever is due when many screens are told gets its turn before the last of them."""
    monkeypatch.setattr(wallboard, "DRAW_SECONDS", 60.0)
    screens = here.server.app[SCREENS]
    open_ones = [one for _ in range(250) if (one := screens.open("zh", None)) is not None]
    for one in open_ones:
        async with asyncio.timeout(10):
            await one.wake.wait()
        one.wake.clear()
    telling, awake = asyncio.create_task(screens._tell()), [0]
    while not telling.done():
        await asyncio.sleep(0)
        awake.append(sum(one.wake.is_set() for one in open_ones))
    assert max(after - before for before, after in pairwise(awake)) == wallboard.SCREENS_AT_ONCE
    assert awake[-1] == 250


async def test_a_screen_gets_everything_first_and_then_what_changed(here: Site) -> None:
    screen = await opened(here)
    assert set(await screen.hears("hello")) == {"now", "build"}
    whole = (await screen.hears("parts"))["parts"]
    assert set(whole) == {"head", "foot", *Wallboard().tiles} - {"roster"}, "nobody plans here"
    here.control.put("ringing", "new", queue="q0", heard=1.0)
    news = (await screen.hears("parts"))["parts"]
    assert "waiting" in news
    assert not {"service", "lost", "owed"} & set(news)
    here.control.put("abandoned", "new")
    while "lost" not in (news := (await screen.hears("parts"))["parts"]):
        pass
    assert "放弃" in news["lost"]


async def test_a_hundred_screens_share_one_drawing(here: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    drawn: list[float] = []
    real = wallboard.wall
    monkeypatch.setattr(wallboard, "wall", lambda *given: drawn.append(given[0].now) or real(*given))
    screens = here.server.app[SCREENS]
    open_ones = [screens.open("zh", None) for _ in range(100)]
    for one in open_ones:
        assert one is not None
        async with asyncio.timeout(10):
            await one.wake.wait()
    assert len(drawn) <= 3
    sent = {id(screens.news(one)) for one in open_ones if one is not None}
    assert len(sent) == 1


async def test_how_late_the_last_wallboard_is_told_is_measured(here: Site) -> None:
    """From the change on, the pause before the next drawing included; what nobody sees is not measured."""
    hub, lags = here.server.app[HUB], list[float]()
    hub.on_wallboards_told = lags.append
    hub.board_changed()
    screen = await opened(here)
    assert hub.wallboards == 1
    await screen.hears("parts")
    here.control.put("ringing", "new", queue="q0", heard=1.0)
    began = time.monotonic()
    await screen.hears("parts")
    took = time.monotonic() - began
    await until(lambda: lags)
    assert 0 < lags[-1] <= took + 0.1
    screen.stream.close()
    await until(lambda: not hub.wallboards)


async def test_each_language_has_its_picture(here: Site) -> None:
    here.memory.users_by_name["en"] = user("en", Role.SUPERVISOR, None, None, "Ann", language="en")
    chinese, english = await opened(here), await opened(here, "en")
    assert "服务水平" in (await chinese.hears("parts"))["parts"]["service"]
    assert "Service level" in (await english.hears("parts"))["parts"]["service"]


async def test_too_many_screens_are_refused() -> None:
    async with site(options=replace(OPTIONS, wallboard=Wallboard(max_screens=1))) as here:
        await opened(here)
        person = await here.signed_in("li")
        answer = await person.client.get("/wallboard/live", headers={"Accept": "text/event-stream"})
        assert answer.status == 503


async def test_what_cannot_be_drawn_is_not_said_to_be_live(
    here: Site, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(wallboard, "STALE_SECONDS", 0.5)
    monkeypatch.setattr(wallboard, "BEAT_SECONDS", 0.2)
    screen = await opened(here)
    await screen.hears("beat")

    def broken(*_: object) -> None:
        raise ValueError("13800138000")

    with monkeypatch.context() as patch:
        patch.setattr(wallboard, "wall", broken)
        while await screen.beats(3):
            pass
    assert "the wallboard cannot be drawn: ValueError" in caplog.text
    assert "13800138000" not in caplog.text
    await screen.hears("beat")


async def test_the_screen_is_told_that_the_daemon_stops(here: Site) -> None:
    screen = await opened(here)
    await screen.hears("parts")
    here.server.app[SCREENS].end_all()
    assert (await screen.hears("bye")) == {"reason": "stopping"}
    assert await screen.stream.content.read() == b"\n", "the stream ends there"


async def test_the_settings_choose_what_is_shown() -> None:
    shown = Wallboard(title="夜班", tiles=("wait", "seats"), queues=("q0",), seats="name")
    async with site(options=replace(OPTIONS, wallboard=shown)) as here:
        wallboard_scene.stage("busy", here.memory)
        parts = here.server.app[SCREENS].drawn("zh")
        assert list(parts) == ["head", "wait", "seats", "foot"]
        assert "夜班" in parts["head"]
        assert "座席1<" in parts["seats"]
        assert "座席2<" not in parts["seats"], "serves another queue"
        person = await here.signed_in("li")
        page = await (await person.get("/wallboard")).text()
        assert 'data-part="wait"' in page
        assert 'data-part="service"' not in page


async def test_a_share_never_stands_without_how_it_is_counted() -> None:
    """A site may leave out the tile that says so for all of them."""
    async with site(options=replace(OPTIONS, wallboard=Wallboard(tiles=("queues",)))) as here:
        wallboard_scene.stage("busy", here.memory)
        alone = here.server.app[SCREENS].drawn("zh")["queues"]
        assert "放弃算未达标" in alone
        assert "7 分钟未观测" in alone
    async with site(options=replace(OPTIONS, wallboard=Wallboard(tiles=("service", "queues")))) as here:
        wallboard_scene.stage("busy", here.memory)
        parts = here.server.app[SCREENS].drawn("zh")
        assert "放弃算未达标" in parts["service"]
        assert "放弃算未达标" not in parts["queues"]


TILES = [*((one,) for one in WALL_TILES), *combinations(WALL_TILES, 2)]


@pytest.mark.parametrize("scene", ["busy", "small"])
async def test_whatever_tiles_are_chosen_a_share_has_beside_it_what_nobody_observed(scene: str) -> None:
    """Each tile alone and each pair, of eight queues and of one."""
    async with site() as here:
        wallboard_scene.stage(scene, here.memory)
        screens, with_shares = here.server.app[SCREENS], 0
        for tiles in TILES:
            wallboard_scene.choose(screens, *tiles)
            parts = screens.drawn("zh")
            text = text_of(" ".join(parts.values()))
            share = "%" in text
            with_shares += share
            assert not share or "7 分钟未观测" in text, tiles
            assert not share or re.search(r"补记? \d", text), tiles
            if "queues" in tiles:
                assert ("<tbody>" in parts["queues"]) is (scene == "busy" or "service" not in tiles)
        assert with_shares > len(WALL_TILES), "there is something to find"


@pytest.mark.parametrize(
    ("part", "zh", "en"),
    [
        (Part("live transcription", False, "down", "gone", needed=False), "转写已停", "Transcription is down"),
        (Part("transcription", False, "stands still", "gone", needed=False), "转写已停", "Transcription is down"),
        (Part("call records", False, "cannot be read", "no"), "话单读不到", "Call records cannot be read"),
        (Part("store", False, "late", "full"), "存储没有应答", "Store does not answer"),
        (Part("store", False, "behind", "much waits"), "存储跟不上", "Store falls behind"),
    ],
)
async def test_all_is_connected_only_if_nothing_is_down(here: Site, part: Part, zh: str, en: str) -> None:
    screens = here.server.app[SCREENS]
    assert "全部正常" in screens.drawn("zh")["head"]
    here.server.app[PORTS].health.found.append(part)  # type: ignore[attr-defined]
    for language, fine, flag in (("zh", "全部正常", zh), ("en", "All connected", en)):
        head = screens.drawn(language)["head"]
        assert fine not in head
        assert head.count(flag) == 1


async def test_a_telephone_in_no_queue_is_said_to_be_in_none(here: Site) -> None:
    here.memory.seat_states["3001"] = Seat("3001", "301", "值班", Phone.UNKNOWN)
    here.memory.serves["3001"] = ()
    html = (await (await opened(here)).hears("parts"))["parts"]["seats"]
    assert "不在队列" in html.partition("301")[2].partition("</li>")[0]
    assert html.count("不在队列") == 2, "no other, and among the counts"
    counts, _, _ = html.partition('<ul class="ws">')
    assert re.search(r'不在队列</span><b class="num">1</b>', counts)
    assert "不明" not in counts
    near = await (await (await here.signed_in("wu")).get("/supervise")).text()
    sums = found(r'(?s)<p class="panel__b sums">(.*?)</p>', near)
    assert re.search(r'不在队列 <b class="num">1</b>', sums)
    assert "不明" not in sums


async def test_a_telephone_in_a_queue_of_which_nothing_is_told_is_unknown_beside_one_in_none(here: Site) -> None:
    for extension, queues in (("3001", ()), ("3002", ("it",)), ("3003", ("it",))):
        here.memory.seat_states[extension] = Seat(extension, extension, "", Phone.UNKNOWN)
        here.memory.serves[extension] = queues
    html = (await (await opened(here)).hears("parts"))["parts"]["seats"]
    counts, _, _ = html.partition('<ul class="ws">')
    assert re.search(r'不在队列</span><b class="num">1</b>', counts)
    assert re.search(r'不明</span><b class="num">2</b>', counts)


async def test_a_seat_that_is_paused_in_one_queue_is_not_free_there(here: Site) -> None:
    wallboard_scene.stage("busy", here.memory)
    here.memory.serves["1018"] = ("q1", "q2")

    async def free() -> dict[str, int]:
        html = (await (await opened(here)).hears("parts"))["parts"]["queues"]
        rows = re.findall(r'<tr><th scope="row"><bdi[^>]*>([^<]+)</bdi>(.*?)</tr>', html, re.S)
        return {title: int(found(r"(\d+)(?:</span>)?<small>/", row)) for title, row in rows}

    before = await free()
    here.memory.pauses["1018"] = ("q1",)
    here.hub.seat_changed("1018")
    after = await free()
    assert {title: before[title] - after[title] for title in after if after[title] != before[title]} == {"政企热线": 1}


async def test_no_caller_is_named_on_any_part(here: Site) -> None:
    wallboard_scene.stage("busy", here.memory)
    here.control.put(
        "ringing", "n", queue="q0", heard=40.0, caller_name="周敏的名字", caller_number="13912345678", hotline=True
    )
    parts = "".join(here.server.app[SCREENS].drawn("zh").values())
    assert "··78" in parts
    for secret in ("周敏", "1391234", "13800138042", "0105550"):
        assert secret not in parts
