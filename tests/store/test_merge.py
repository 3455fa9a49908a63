"""A consultation call becomes part of the customer's call: two tickets become one and nothing typed is lost."""

from callcenter.store import Store, TicketFilter
from callcenter.tickets.model import Status
from tests.store.build import NOW, call, commit, ended, new_ticket, ticket


async def merge(store: Store, call_id: str, into: str) -> None:
    await commit(store, ended(call(call_id), merged_into=into), call(into))


async def test_the_merged_ticket_leaves_lists_and_counts(store: Store) -> None:
    main, consultation = await new_ticket(store, "main"), await new_ticket(store, "asked")
    done = await commit(store, ended(call("asked"), merged_into="main"), call("main"))
    assert done.tickets["asked"].id == main.id
    assert [t.id for t in (await store.tickets.find()).tickets] == [main.id]
    assert await store.tickets.count() == await store.tickets.count(TicketFilter(status=Status.OPEN)) == 1
    assert [t.id for t in await store.tickets.earlier("13800138000")] == [main.id]
    assert (await ticket(store, "asked")).id == main.id, "whoever asks for the call gets the ticket that remains"
    assert (await store.tickets.get(consultation.id)).merged_into == main.id
    assert [t.id for t in await store.tickets.merged_tickets(main.id)] == [consultation.id]
    assert await store.calls.without_ticket("pbx") == ()
    assert [c.call_id for c in await store.calls.running("pbx")] == ["main"]


async def test_typed_texts_and_promises_go_along(store: Store) -> None:
    main, asked = await new_ticket(store, "main"), await new_ticket(store, "asked")
    texts = {"problem": "printer on fire", "organisation": "ACME", "category": "hardware"}
    await store.tickets.save_fields(asked.id, texts, "ben", NOW, 1)
    await store.tickets.save_promise(asked.id, "p1", "call back", NOW + 60, "ben", NOW)
    await store.tickets.save_promise(main.id, "p1", "send a part", None, "anna", NOW)
    await store.tickets.save_fields(main.id, {"problem": "no paper", "organisation": "Other"}, "anna", NOW, 1)
    await merge(store, "asked", "main")
    found = await store.tickets.get(main.id)
    assert found.fields["problem"] == "no paper\nprinter on fire"
    assert found.fields["organisation"] == "Other", "one line: the remaining ticket's own text stays"
    assert found.fields["category"] == "hardware"
    assert found.typed == {"problem", "organisation", "category"}
    assert (await store.tickets.get(asked.id)).fields["organisation"] == "ACME", "what did not fit is still there"
    assert {p.text for p in await store.tickets.promises(main.id)} == {"call back", "send a part"}
    carried = [c for c in await store.tickets.changes(main.id) if c.new == "hardware"]
    assert [c.changed_by for c in carried] == ["ben"]
    assert [t.id for t in (await store.tickets.find(TicketFilter(query="fire"))).tickets] == [main.id]


async def test_later_saves_reach_the_remaining_ticket(store: Store) -> None:
    main, asked = await new_ticket(store, "main"), await new_ticket(store, "asked")
    await store.tickets.save_fields(main.id, {"wants": "a new one"}, "anna", NOW, 1)
    await merge(store, "asked", "main")
    saved = await store.tickets.save_fields(asked.id, {"wants": "a repair"}, "ben", NOW + 1, 99)
    assert saved.ticket_id == main.id
    assert [(c.other, c.changed_by) for c in saved.conflicts] == [("a new one", "anna")]
    assert (await store.tickets.get(main.id)).fields["wants"] == "a repair"


async def test_merging_again_or_patching_a_merged_call_changes_nothing(store: Store) -> None:
    main = await new_ticket(store, "main")
    asked = await new_ticket(store, "asked")
    await store.tickets.save_fields(asked.id, {"problem": "x"}, "ben", NOW, 1)
    await merge(store, "asked", "main")
    before = await store.tickets.get(main.id)
    await merge(store, "asked", "main")
    assert await store.tickets.get(main.id) == before
    assert await store.tickets.count() == 1


async def test_a_chain_of_merges_ends_at_the_last_ticket(store: Store) -> None:
    a, b, c = [await new_ticket(store, name) for name in "abc"]
    await merge(store, "a", "b")
    await merge(store, "b", "c")
    assert (await ticket(store, "a")).id == (await ticket(store, "b")).id == c.id
    saved = await store.tickets.save_fields(a.id, {"result": "solved"}, "anna", NOW, 0)
    assert saved.ticket_id == c.id
    late = await new_ticket(store, "late")
    await merge(store, "late", "a")
    assert (await store.tickets.get(late.id)).merged_into == c.id
    assert b.id not in {t.id for t in (await store.tickets.find()).tickets}


async def test_a_call_without_a_ticket_takes_over_the_merged_ones(store: Store) -> None:
    asked = await new_ticket(store, "asked")
    await commit(store, ended(call("asked"), merged_into="main"), tickets=[])
    await commit(store, call("main"))
    assert (await ticket(store, "main")).id == asked.id
    assert await store.tickets.count() == 1


async def test_a_merged_call_that_had_no_ticket_gets_none(store: Store) -> None:
    await commit(store, ended(call("asked"), merged_into="main"), call("main"))
    assert await store.tickets.count() == 1
    assert (await ticket(store, "main")).number == "26-1122-0001"
