"""The push hub: only the seat concerned, at once, once, and bounded."""

import asyncio
import time
from contextlib import suppress

import pytest

from callcenter.web import live
from callcenter.web.live import (
    BOARD,
    BYE,
    DESK,
    QUEUE_NOTICES,
    RESYNC,
    STREAMS_PER_SESSION,
    Hub,
    Notice,
    batches,
    merged,
)
from tests.fakes import calls as story

NOW = 1_800_000_000.0


def opened(
    hub: Hub, session: str = "s", extension: str | None = "1001", tickets: frozenset[int] = frozenset()
) -> live.Stream:
    stream = hub.open(session, extension, tickets)
    assert stream is not None
    return stream


async def test_only_the_ringing_seats_pages_are_told() -> None:
    hub = Hub()
    mine, second_tab, other = opened(hub), opened(hub), opened(hub, "t", "1002")
    hub.call_changed(None, story.ringing(NOW))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert Notice(DESK) in mine.take()
    assert Notice(DESK) in second_tab.take()
    assert other.take() == [Notice(BOARD)]


async def test_a_seat_that_lost_the_call_is_told_too() -> None:
    hub = Hub()
    first = opened(hub, extension="1002")
    before = story.ringing(NOW, seat="1002")
    hub.call_changed(before, story.talking(story.ringing(NOW, seat="1001"), NOW))
    assert Notice(DESK) in first.take()


def test_the_same_notice_waits_once() -> None:
    hub = Hub()
    stream = opened(hub)
    for _ in range(500):
        hub.seat_changed("1001")
    assert stream.take() == [Notice(DESK)]


def test_a_page_that_does_not_read_is_resynchronised() -> None:
    hub = Hub()
    stream = opened(hub)
    for ticket in range(QUEUE_NOTICES + 1):
        hub.ticket_changed(ticket, "1001")
    assert stream.take() == [Notice(RESYNC)]
    hub.close(stream)
    assert hub.overflows == 1


def test_tickets_are_told_to_their_seat_and_to_who_looks() -> None:
    hub = Hub()
    seat, watcher, other = opened(hub), opened(hub, "w", None, frozenset({7})), opened(hub, "o", None, frozenset({8}))
    hub.ticket_changed(7, "1001")
    assert seat.take() == watcher.take() == [Notice("ticket", "7")]
    assert other.take() == []


def test_one_tab_too_many_ends_the_first() -> None:
    hub = Hub()
    streams = [opened(hub) for _ in range(STREAMS_PER_SESSION + 1)]
    assert streams[0].take() == [Notice(BYE, "tabs")]
    assert hub.listening == STREAMS_PER_SESSION
    assert streams[1].take() == []


def test_too_many_pages_are_refused() -> None:
    hub = Hub(max_streams=2)
    opened(hub, "a")
    opened(hub, "b")
    assert hub.open("c", None) is None


def test_log_out_ends_the_sessions_pages_only() -> None:
    hub = Hub()
    mine, other = opened(hub, "a"), opened(hub, "b")
    hub.end_session("a")
    assert mine.take() == [Notice(BYE, "logout")]
    assert other.take() == []
    assert hub.listening == 1


def test_nothing_is_left_behind_when_pages_leave() -> None:
    hub = Hub()
    for stream in [opened(hub, str(n), str(n), frozenset({n})) for n in range(5)]:
        hub.close(stream)
        hub.close(stream)
    assert hub.listening == 0
    assert not hub._by_seat
    assert not hub._by_ticket
    assert not hub._by_session


async def test_the_board_is_told_once_a_second_the_seat_at_once() -> None:
    hub = Hub(board_seconds=0.2)
    stream = opened(hub)
    got: list[list[Notice]] = []

    async def read() -> None:
        async for notices in batches(stream):
            got.append(notices)

    task, begun = asyncio.create_task(read()), time.monotonic()
    for _ in range(40):
        hub.board_changed()
        await asyncio.sleep(0.01)
    hub.seat_changed("1001")
    await asyncio.sleep(0.01)
    assert [Notice(DESK)] in got or [Notice(DESK), Notice(BOARD)] in got
    await asyncio.sleep(0.25)
    boards = sum(Notice(BOARD) in notices for notices in got)
    assert 2 <= boards <= (time.monotonic() - begun) / 0.2 + 1
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


async def test_every_page_is_told_the_last_board_however_many_there_are() -> None:
    hub = Hub(board_seconds=0.05)
    streams = [opened(hub, str(n), str(n)) for n in range(3 * live.BOARDS_AT_ONCE)]
    hub.board_changed()
    await asyncio.sleep(live.BOARDS_PAUSE_SECONDS * 1.5)  # in the middle of telling
    for stream in streams:
        stream.take()
    hub.board_changed()
    told = set[int]()
    async with asyncio.timeout(10):
        while len(told) < len(streams):
            await asyncio.sleep(live.BOARDS_PAUSE_SECONDS)
            told |= {number for number, stream in enumerate(streams) if Notice(BOARD) in stream.take()}


async def test_a_quiet_line_beats(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "HEARTBEAT_SECONDS", 0.02)
    stream = opened(Hub())
    assert await anext(batches(stream)) == []


async def test_bye_is_the_last_word() -> None:
    hub = Hub()
    stream = opened(hub)
    hub.end_all()
    assert [notices async for notices in batches(stream)] == [[Notice(BYE, "stopping")]]


def test_a_batch_is_one_message() -> None:
    assert merged([Notice(DESK), Notice("ticket", "3"), Notice(BOARD)]) == (True, True, [3], False)


def test_an_event_is_one_line_of_json() -> None:
    assert live.encode("desk", {"a": "行\n"}, "4") == 'id: 4\nevent: desk\ndata: {"a":"行\\n"}\n\n'.encode()
