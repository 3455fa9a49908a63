"""What the comparison of the books leaves in the store, on SQLite and on PostgreSQL."""

from dataclasses import replace

from callcenter.calls.books import Book, Difference, Kind, Reason
from callcenter.calls.model import Outcome
from callcenter.store import Store
from callcenter.store import books as stored_books
from callcenter.store.books import Day
from callcenter.tickets.model import patch_of
from tests.store.build import NOW, call, commit, ended, ticket

ONE = Difference("c1", Kind.WAIT, Book.QUEUE_LOG, "0 s", "+9.0 s", None, NOW + 60)
OTHER = Difference("c1", Kind.TALK, Book.CDR, "4.0 s", "8.0 s", Reason.TRANSFERRED, NOW + 60)


async def found(store: Store, **filters: object) -> list[Difference]:
    return [one.difference for one in await store.books.found("pbx", NOW, NOW + 100, **filters)]  # type: ignore[arg-type]


async def test_comparing_again_gives_the_same_rows_and_nothing_new(store: Store) -> None:
    assert set(await store.books.store("pbx", {"c1": [ONE, OTHER], "c2": []}, NOW)) == {ONE, OTHER}
    assert await store.books.store("pbx", {"c1": [ONE, OTHER]}, NOW + 9) == []
    assert set(await found(store)) == {ONE, OTHER}


async def test_what_is_no_difference_any_more_goes(store: Store) -> None:
    await store.books.store("pbx", {"c1": [ONE, OTHER]}, NOW)
    changed = replace(OTHER, theirs="9.0 s")
    assert await store.books.store("pbx", {"c1": [changed]}, NOW + 9) == []
    assert await found(store) == [changed]


async def test_two_of_a_kind_are_one_and_the_open_one_stays(store: Store) -> None:
    explained = replace(ONE, reason=Reason.GAP)
    await store.books.store("pbx", {"c1": [ONE, explained]}, NOW)
    assert await found(store) == [ONE]


async def test_another_server_is_left_alone(store: Store) -> None:
    await store.books.store("pbx", {"c1": [ONE]}, NOW)
    await store.books.store("pbx2", {"c1": []}, NOW)
    assert await found(store) == [ONE]


async def test_filters(store: Store) -> None:
    await store.books.store("pbx", {"c1": [ONE, OTHER]}, NOW)
    assert await found(store, explained=False) == [ONE]
    assert await found(store, explained=True) == [OTHER]
    assert await found(store, kind="talk") == [OTHER]
    assert len(await found(store, limit=1)) == 1
    await store.books.forget(NOW + 61)
    assert await found(store) == []


async def test_a_difference_leads_to_the_ticket_of_its_call(store: Store) -> None:
    await commit(store, calls=[ended(call("c1"))], tickets=[patch_of(ended(call("c1")))])
    await store.books.store("pbx", {"c1": [ONE], "c2": [replace(ONE, call_id="c2")]}, NOW)
    number = (await ticket(store, "c1")).number
    assert {one.difference.call_id: one.ticket_number for one in await store.books.found("pbx", NOW, NOW + 100)} == {
        "c1": number,
        "c2": None,
    }


async def test_calls_that_ended_come_page_by_page(store: Store) -> None:
    calls = [ended(call(f"c{n}"), ended_at=NOW + n // 2) for n in range(9)]
    calls.append(ended(call("merged"), merged_into="c1"))
    calls.append(call("running"))
    await commit(store, calls=calls)
    stored_books.PAGE, kept = 4, stored_books.PAGE
    try:
        found, after = [], None
        while page := await store.books.ended("pbx", NOW, NOW + 4, after):
            found += [one.call_id for one in page]
            after = (page[-1].ended_at or 0.0, page[-1].call_id)
    finally:
        stored_books.PAGE = kept
    assert found == [f"c{n}" for n in range(8)]
    assert (await store.books.calls("pbx", ["c1", "none"]))["c1"].outcome is Outcome.ANSWERED


async def test_since_when_asterisk_is_listened_to(store: Store) -> None:
    assert await store.books.observed_since("pbx") is None
    await commit(store, observed_until=NOW)
    await commit(store, observed_until=NOW + 60)
    assert (await store.books.observed_since("pbx"), await store.books.observed_since("pbx2")) == (NOW, None)


async def test_days(store: Store) -> None:
    await store.books.day_done("pbx", Day("2026-11-21", 5, True, NOW))
    await store.books.day_done("pbx", Day("2026-11-22", 5, True, NOW))
    again = Day("2026-11-22", 6, False, NOW + 1)
    await store.books.day_done("pbx", again)
    assert await store.books.days("pbx", "2026-11-22") == {"2026-11-22": again}
