"""Tickets as persons change and find them, on SQLite and on PostgreSQL."""

import asyncio

import pytest

from callcenter.store import NoSuchTicketError, Page, Store, TicketFilter
from callcenter.tickets.model import FieldError, Status
from tests.store.build import HOUR, NOW, call, commit, ended, new_ticket, ticket


async def save(store: Store, ticket_id: int, by: str, base: int, origin: str | None = None, **texts: str):  # type: ignore[no-untyped-def]
    return await store.tickets.save_fields(ticket_id, texts, by, NOW + 9, base, origin)


async def found(store: Store, query: str) -> list[str]:
    return [t.call_id for t in (await store.tickets.find(TicketFilter(query=query))).tickets]


async def test_typed_fields_are_stored_and_audited(store: Store) -> None:
    one = await new_ticket(store)
    saved = await save(store, one.id, "anna", one.version, problem="打印机\r\n不工作 ", caller_name="  张\n三 ")
    stored = await store.tickets.get(one.id)
    assert stored.fields["problem"] == "打印机\n不工作 ", "as typed, apart from the line break's form"
    assert stored.fields["caller_name"] == "张 三"
    assert saved.values == {"problem": "打印机\n不工作 ", "caller_name": "张 三"}
    assert saved.version == stored.version == one.version + 1
    assert stored.typed == {"problem", "caller_name"}
    assert stored.updated_at == NOW + 9
    lines = {(c.field, c.old, c.new, c.changed_by, c.version) for c in await store.tickets.changes(one.id)}
    assert lines == {
        ("problem", "", "打印机\n不工作 ", "anna", saved.version),
        ("caller_name", "", "张 三", "anna", saved.version),
    }


async def test_a_repeated_save_is_done_once(store: Store) -> None:
    one = await new_ticket(store)
    first = await save(store, one.id, "anna", one.version, problem="x")
    again = await save(store, one.id, "anna", one.version, problem="x")
    assert (again.version, again.conflicts) == (first.version, ())
    assert len(await store.tickets.changes(one.id)) == 1


async def test_a_stale_save_wins_and_reports_the_other_text(store: Store) -> None:
    one = await new_ticket(store)
    await save(store, one.id, "anna", one.version, problem="anna's", wants="hers")
    stale = await save(store, one.id, "ben", one.version, problem="ben's", result="his")
    assert [(c.field, c.other, c.changed_by, c.at) for c in stale.conflicts] == [("problem", "anna's", "anna", NOW + 9)]
    stored = await store.tickets.get(one.id)
    assert (stored.fields["problem"], stored.fields["wants"], stored.fields["result"]) == ("ben's", "hers", "his")
    seen = await save(store, one.id, "anna", stale.version, problem="both")
    assert seen.conflicts == ()


async def test_a_window_is_in_no_conflict_with_itself(store: Store) -> None:
    one = await new_ticket(store)
    await save(store, one.id, "anna", one.version, "tab 1", problem="hel")
    assert (await save(store, one.id, "anna", one.version, "tab 1", problem="hello")).conflicts == ()
    other_tab = await save(store, one.id, "anna", one.version, "tab 2", problem="bye")
    assert [c.other for c in other_tab.conflicts] == ["hello"]


async def test_what_a_machine_filled_in_is_no_conflict(store: Store) -> None:
    one = await new_ticket(store)
    await commit(store, call("c1", caller_name="LI SI"))
    saved = await save(store, one.id, "anna", one.version, caller_name="李四")
    assert saved.conflicts == ()
    assert (await store.tickets.get(one.id)).fields["caller_name"] == "李四"


async def test_concurrent_saves_of_different_fields_all_stay(store: Store) -> None:
    one = await new_ticket(store)
    names = ("organisation", "department", "address", "problem", "wants", "handling", "result", "category")
    machine = [commit(store, call("c1", caller_name=f"Name {n}")) for n in range(4)]
    await asyncio.gather(*(save(store, one.id, name, one.version, **{name: name}) for name in names), *machine)
    stored = await store.tickets.get(one.id)
    assert {name: stored.fields[name] for name in names} == {name: name for name in names}
    assert stored.typed == set(names)


async def test_a_bad_field_stores_nothing(store: Store) -> None:
    one = await new_ticket(store)
    with pytest.raises(FieldError, match="category has 81 characters and may have 80"):
        await save(store, one.id, "anna", one.version, problem="x", category="y" * 81)
    with pytest.raises(FieldError, match="no such ticket field"):
        await save(store, one.id, "anna", one.version, problem="x", merged_into="7")
    assert (await store.tickets.get(one.id)).fields["problem"] == ""


async def test_unknown_tickets(store: Store) -> None:
    for attempt in (
        store.tickets.get(4711),
        store.tickets.close(4711, "anna", NOW),
        store.tickets.leave_open(4711, "anna", NOW),
        save(store, 4711, "anna", 1, problem="x"),
        store.tickets.save_promise(4711, "p", "x", None, "anna", NOW),
    ):
        with pytest.raises(NoSuchTicketError, match="There is no such ticket"):
            await attempt
    assert await store.tickets.by_call("pbx", "never seen") is None
    assert await store.tickets.by_number("26-0101-0001") is None


async def test_close_and_reopen(store: Store) -> None:
    one = await new_ticket(store)
    version = await store.tickets.close(one.id, "anna", NOW + 1)
    assert await store.tickets.close(one.id, "ben", NOW + 2) == version, "it is closed already"
    closed = await store.tickets.get(one.id)
    assert (closed.status, closed.closed_at, closed.closed_by) == (Status.CLOSED, NOW + 1, "anna")
    late = await save(store, one.id, "anna", version, result="typed while it closed")
    assert late.version == version + 1
    await store.tickets.reopen(one.id, "ben", NOW + 3)
    opened = await store.tickets.get(one.id)
    assert (opened.status, opened.closed_at, opened.closed_by) == (Status.OPEN, None, None)
    lines = [(c.old, c.new, c.changed_by) for c in await store.tickets.changes(one.id) if c.field == "status"]
    assert lines == [("open", "closed", "anna"), ("closed", "open", "ben")]


async def test_a_ticket_left_open_says_since_when(store: Store) -> None:
    one = await new_ticket(store)
    assert one.left_open_at is None
    version = await store.tickets.leave_open(one.id, "anna", NOW + 1)
    assert version == one.version + 1
    assert await store.tickets.leave_open(one.id, "ben", NOW + 2) == version, "it is left open already"
    left = await store.tickets.get(one.id)
    assert (left.status, left.left_open_at, left.version) == (Status.OPEN, NOW + 1, version)
    lines = [(c.field, c.old, c.changed_by) for c in await store.tickets.changes(one.id)]
    assert lines == [("left_open_at", "", "anna")]


async def test_a_closed_ticket_is_not_left_open_and_a_reopened_one_is(store: Store) -> None:
    one = await new_ticket(store)
    closed = await store.tickets.close(one.id, "anna", NOW + 1)
    assert await store.tickets.leave_open(one.id, "anna", NOW + 2) == closed
    assert (await store.tickets.get(one.id)).left_open_at is None
    await store.tickets.reopen(one.id, "anna", NOW + 3)
    assert (await store.tickets.get(one.id)).left_open_at == NOW + 3, "its wrap-up is not begun again"


async def test_promises(store: Store) -> None:
    one = await new_ticket(store)
    tickets = store.tickets
    await tickets.save_promise(one.id, "k1", "an engineer comes", NOW + 2 * HOUR, "anna", NOW)
    await tickets.save_promise(one.id, "k2", "we call back", NOW + HOUR, "anna", NOW)
    version = await tickets.save_promise(one.id, "k1", "an engineer comes\nwith a part", NOW + 3 * HOUR, "ben", NOW + 1)
    assert (
        await tickets.save_promise(one.id, "k1", "an engineer comes\nwith a part", NOW + 3 * HOUR, "ben", NOW)
        == version
    )
    first, second = await tickets.promises(one.id)
    assert (first.key, first.text, first.due_at) == ("k1", "an engineer comes\nwith a part", NOW + 3 * HOUR)
    assert (first.made_by, first.made_at, second.key) == ("anna", NOW, "k2")
    assert [p.key for p in await tickets.open_promises(NOW + 9 * HOUR)] == ["k2", "k1"]
    assert [t.id for t in (await tickets.find(TicketFilter(promise_due_before=NOW + 2 * HOUR))).tickets] == [one.id]
    await tickets.keep_promise(one.id, "k2", True, "anna", NOW + 5)
    assert (await tickets.promises(one.id))[1].done_at == NOW + 5
    assert await tickets.count(TicketFilter(promise_due_before=NOW + 2 * HOUR)) == 0
    await tickets.keep_promise(one.id, "k2", False, "anna", NOW + 6)
    assert (await tickets.promises(one.id))[1].done_at is None
    await tickets.remove_promise(one.id, "k1", "ben", NOW + 7)
    assert [p.key for p in await tickets.promises(one.id)] == ["k2"]
    texts = [(c.old, c.new) for c in await tickets.changes(one.id) if c.field == "promise"]
    assert texts[-1] == ("an engineer comes\nwith a part", "")


async def test_bad_promises(store: Store) -> None:
    one = await new_ticket(store)
    for key, text in (("k", "  \n"), ("k", "x" * 1_001), ("", "x"), ("a b", "x"), ("k" * 41, "x")):
        with pytest.raises(FieldError):
            await store.tickets.save_promise(one.id, key, text, None, "anna", NOW)
    with pytest.raises(NoSuchTicketError, match="no such promise"):
        await store.tickets.keep_promise(one.id, "k", True, "anna", NOW)
    assert await store.tickets.promises(one.id) == ()


async def test_search_finds_by_everything_a_person_knows(store: Store) -> None:
    one = await new_ticket(store, "c1", caller_number="02112345678", caller_name="Émile STRASSE")
    await new_ticket(store, "c2", caller_number="13912345678")
    await save(
        store,
        one.id,
        "anna",
        1,
        organisation="第一人民医院",
        problem="ＡＢＣ１２３ 打印机 100%_\\",
        phone="+86 138 0013 8000",
    )
    for query in (
        *("医院", "人民 打印", "abc123", "ABC", "strasse", "émile", "26-1122-0001", "1122-0001"),
        *("021-1234 5678", "+86 21 12345678", "12345678 医院", "13800138000", "138 0013 8000", "100%", "%_\\"),
    ):
        assert await found(store, query) == ["c1"], query
    assert await found(store, "12345678") == ["c2", "c1"]
    for query in ("1%8", "_", "a_c", "医院 手机", "\\\\", "' OR 1=1 --", "x" * 2_000):
        assert await found(store, query) == (["c1"] if query == "_" else []), query
    assert len(await found(store, "   ")) == 2


async def test_lists_are_filtered_and_counted(store: Store) -> None:
    await commit(store, ended(call("c1"), answered_by="1001"), call("c2", queue="sales"), call("c3", recovered=True))
    await store.tickets.close((await ticket(store, "c1")).id, "anna", NOW)
    for wanted, expected in (
        (TicketFilter(), ["c3", "c2", "c1"]),
        (TicketFilter(status=Status.CLOSED), ["c1"]),
        (TicketFilter(status=Status.OPEN, queue="support"), ["c3"]),
        (TicketFilter(seat="1001"), ["c1"]),
        (TicketFilter(outcome="answered"), ["c1"]),
        (TicketFilter(direction="outbound"), []),
        (TicketFilter(recovered=True), ["c3"]),
        (TicketFilter(since=NOW, until=NOW), []),
        (TicketFilter(since=NOW, until=NOW + 1), ["c3", "c2", "c1"]),
    ):
        page = await store.tickets.find(wanted)
        assert [t.call_id for t in page.tickets] == expected, wanted
        assert await store.tickets.count(wanted) == len(expected), wanted
    first = (await store.tickets.find()).tickets[-1]
    assert first.call is not None
    assert (first.call.outcome, first.call.answered_by, first.call.queue) == ("answered", "1001", "support")


async def test_pages_do_not_move_when_a_call_comes_in(store: Store) -> None:
    await commit(store, *(call(f"c{n}", arrived_at=NOW + n // 2) for n in range(5)))
    first = await store.tickets.find(page=Page(2))
    await commit(store, call("new", arrived_at=NOW + 99))
    second = await store.tickets.find(page=Page(2, first.after))
    third = await store.tickets.find(page=Page(2, second.after))
    assert [t.call_id for page in (first, second, third) for t in page.tickets] == ["c4", "c3", "c2", "c1", "c0"]
    assert third.after is None
    assert len((await store.tickets.find(page=Page(10_000))).tickets) == 6


async def test_earlier_tickets_of_a_number(store: Store) -> None:
    await commit(
        store,
        call("old", caller_number="021 12345678"),
        call("other", caller_number="13900000000", arrived_at=NOW + 1),
        call("withheld", caller_number=None),
        call("anonymous", caller_number="anonymous"),
        call("now", caller_number="+862112345678", arrived_at=NOW + 2),
    )
    other = await ticket(store, "other")
    await save(store, other.id, "anna", 1, phone="0086 21 1234-5678")
    now = await ticket(store, "now")
    earlier = await store.tickets.earlier(now.caller_number, without=now.id)
    assert [t.call_id for t in earlier] == ["other", "old"]
    assert await store.tickets.count_of_number("02112345678", NOW, NOW + 2) == 2
    for withheld in ("", "anonymous"):
        assert await store.tickets.earlier(withheld) == ()
        assert await store.tickets.count_of_number(withheld, 0, NOW * 2) == 0
