"""Callbacks in the store: one for a number, in the commit of the call, claimed by one person, forgotten on request."""

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from callcenter.calls.model import Call, Direction, Outcome
from callcenter.errors import BadInput
from callcenter.rules import callbacks as rule
from callcenter.rules.commands import Command
from callcenter.settings import Settings
from callcenter.store import Batch, Committed, Store
from callcenter.store.keeping import Whose
from callcenter.tickets.callbacks import Attempt, Callback, Ended
from callcenter.tickets.model import patch_of
from tests.store.build import HOUR, NOW, call, ended, ticket

SITE = Settings()
NUMBER = "13800000001"


def lost(call_id: str, at: float = NOW, **values: Any) -> Call:
    defaults = {"outcome": Outcome.ABANDONED, "wait_seconds": 20.0, "ended_at": at}
    return ended(call(call_id, caller_number=NUMBER, arrived_at=at - 20), **(defaults | values))


def outgoing(call_id: str, at: float, answered: bool) -> Call:
    outcome = Outcome.ANSWERED if answered else Outcome.FAILED
    one = lost(call_id, at, outcome=outcome, answered_at=at - 2 if answered else None, waiting_since=at - 10)
    return replace(one, direction=Direction.OUTBOUND, caller_number="1001", dialled="0" + NUMBER)


def batch(*calls: Call, at: float | None = None) -> Batch:
    now = at if at is not None else max(one.ended_at or 0.0 for one in calls) + 0.01
    commands: list[Command] = [c for one in calls for c in rule.on_change(None, one, SITE, ("1001",), now)]
    return Batch("pbx", now, calls=calls, tickets=[patch_of(one) for one in calls], commands=commands)


async def took(store: Store, *calls: Call, at: float | None = None) -> Committed:
    return await store.commit(batch(*calls, at=at))


async def only(store: Store) -> Callback:
    (found,) = await store.callbacks.open("pbx")
    return found


async def test_a_lost_call_opens_one_with_its_ticket(store: Store) -> None:
    await took(store, lost("a"))
    one, of = await only(store), await ticket(store, "a")
    assert (one.rule, one.reason, one.number, one.queue) == ("D11", "abandoned", NUMBER, "support")
    assert (one.ticket_id, one.ticket_number, one.due_at) == (of.id, of.number, NOW + HOUR)
    assert one.attempts == (Attempt("lost", NOW, ""),)


async def test_a_repeated_commit_changes_nothing_more(store: Store) -> None:
    first, second = batch(lost("a")), batch(outgoing("back", NOW + 60, False))
    for repeated in (first, first, second, second):
        await store.commit(repeated)
    await took(store, lost("a"))
    one = await only(store)
    assert (one.losses, one.tries) == (1, 1)
    done = batch(outgoing("again", NOW + 90, True))
    assert [(await store.commit(done)).callbacks, (await store.commit(done)).callbacks] == [
        (Ended("D11", "reached", True),),
        (),
    ]
    assert await store.callbacks.open("pbx") == ()


async def test_the_same_caller_again_joins_it(store: Store) -> None:
    await took(store, lost("a"))
    await took(store, lost("b", NOW + 300, caller_number="+86 138 0000 0001"))
    one = await only(store)
    assert (one.losses, one.due_at, one.rule) == (2, NOW + HOUR, "D11")
    cut = lost("c", NOW + 400, outcome=Outcome.ANSWERED, answered_at=None, cut_off="network")
    commands = list(rule.on_change(cut, cut, SITE, (), NOW))
    assert commands == [], "the same call again asks for nothing"
    await took(store, lost("d", NOW + 400, queue="vip"))
    assert (await only(store)).due_at == NOW + HOUR


async def test_of_a_caller_who_tries_all_night_the_last_calls_are_read(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    await took(
        store, *(lost(f"a{n}", NOW + 60 * n) for n in range(30)), lost("other", NOW, caller_number="13900000000")
    )
    database, read = store.callbacks._database, 0
    rows = database.rows

    async def counted(*statement: Any) -> Any:
        nonlocal read
        found = await rows(*statement)
        read += len(found)
        return found

    monkeypatch.setattr(database, "rows", counted)
    night, other = sorted(await store.callbacks.open("pbx"), key=lambda one: -one.losses)
    assert (night.losses, [one.at for one in night.attempts]) == (30, [NOW + 60 * n for n in range(22, 30)])
    assert other.attempts == (Attempt("lost", NOW, ""),)
    assert read == 2 + 8 + 1


async def test_a_call_that_breaks_off_ends_the_one_before_and_opens_its_own(store: Store) -> None:
    await took(store, lost("a"))
    cut = lost("b", NOW + 60, outcome=Outcome.ANSWERED, answered_at=NOW + 50, cut_off="no_sound")
    assert (await took(store, cut)).callbacks == (Ended("D11", "called_again", True),)
    one = await only(store)
    assert (one.rule, one.reason, one.losses, one.due_at) == ("B5", "no_sound", 1, NOW + 60 + 120)


async def test_an_attempt_in_vain_stays_on_it(store: Store) -> None:
    await took(store, lost("a"))
    await took(store, outgoing("back", NOW + 60, False))
    one = await only(store)
    assert (one.tries, one.attempts[-1]) == (1, Attempt("tried", NOW + 60, "1001"))


async def test_a_call_answered_before_the_loss_ends_nothing(store: Store) -> None:
    await took(store, lost("a"))
    await took(store, lost("b", NOW + 5, outcome=Outcome.ANSWERED, answered_at=NOW - 50))
    assert len(await store.callbacks.open("pbx")) == 1


@pytest.mark.parametrize("way", ["inbound", "outbound"])
async def test_a_loss_that_was_recovered_late_asks_who_was_spoken_to_since(store: Store, way: str) -> None:
    spoken = outgoing("b", NOW + 60, True)
    if way == "inbound":
        spoken = lost("b", NOW + 60, outcome=Outcome.ANSWERED, answered_at=NOW + 50)
    await took(store, spoken)
    await took(store, lost("a", recovered=True), at=NOW + 600)
    assert await store.callbacks.open("pbx") == ()
    await took(store, lost("c", NOW + 100, recovered=True), at=NOW + 600)
    assert len(await store.callbacks.open("pbx")) == 1


async def test_two_persons_claim_and_one_gets_it(store: Store) -> None:
    await took(store, lost("a"))
    found = (await only(store)).id
    claims = [store.callbacks.claim(found, who, NOW, NOW + 600) for who in ("li", "wang")]
    assert sorted(await asyncio.gather(*claims)) == [False, True]
    holder = (await only(store)).holder(NOW + 1)
    assert holder in ("li", "wang")
    other = "wang" if holder == "li" else "li"
    assert await store.callbacks.claim(found, str(holder), NOW + 1, NOW + 700), "again by the same hand"
    assert not await store.callbacks.release(found, other)
    assert await store.callbacks.claim(found, other, NOW + 700, NOW + 900), "it ran out"
    assert await store.callbacks.release(found, other)
    assert (await only(store)).holder(NOW + 701) is None
    assert not await store.callbacks.claim(found + 99, "li", NOW, NOW + 1)


async def test_what_is_in_a_hand_is_closed_by_that_hand_or_by_who_may_close_any(store: Store) -> None:
    await took(store, lost("a"))
    found = (await only(store)).id
    assert await store.callbacks.claim(found, "li", NOW, NOW + 600)
    assert await store.callbacks.close(found, "wang", "wrote a mail", NOW + 10) is None
    assert await store.callbacks.close(found, "chief", "wrote a mail", NOW + 11, any_hand=True) is not None
    await took(store, lost("b", NOW + 20))
    again = (await only(store)).id
    assert await store.callbacks.claim(again, "li", NOW + 30, NOW + 600)
    assert await store.callbacks.close(again, "wang", "wrote a mail", NOW + 600) is not None, "the claim ran out"


async def test_a_person_closes_it_and_the_reason_stays_on_the_ticket(store: Store) -> None:
    await took(store, lost("a"))
    one = await only(store)
    with pytest.raises(BadInput):
        await store.callbacks.close(one.id, "li", "  ", NOW)
    assert await store.callbacks.close(one.id, "li", "wrote a mail\x00", NOW + 10) == Ended("D11", "closed", False)
    assert await store.callbacks.close(one.id, "wang", "me too", NOW + 11) is None
    assert await store.callbacks.open("pbx") == ()
    assert one.ticket_id is not None
    (line,) = [line for line in await store.tickets.changes(one.ticket_id) if line.field == "callback"]
    assert (line.new, line.changed_by, line.at) == ("wrote a mail", "li", NOW + 10)
    await took(store, lost("b", NOW + 100))
    assert len(await store.callbacks.open("pbx")) == 1, "who is lost again is owed again"


async def test_the_most_urgent_first_and_how_many_showed_no_number(store: Store) -> None:
    await took(store, lost("a"), lost("b", NOW - 60, caller_number="13800000002"))
    await took(store, lost("c", NOW, caller_number="anonymous"), lost("d", NOW, caller_number=None))
    assert [one.number for one in await store.callbacks.open("pbx")] == ["13800000002", NUMBER]
    assert await store.callbacks.withheld("pbx", NOW - HOUR) == 2
    assert await store.callbacks.open("other") == ()


async def test_shares_are_of_what_ended(store: Store) -> None:
    await took(store, lost("a"))
    await took(store, outgoing("late", NOW + 2 * HOUR, True))
    await took(store, lost("b", NOW + 3 * HOUR))
    await took(store, outgoing("soon", NOW + 3 * HOUR + 60, True))
    assert await store.callbacks.shares("pbx", NOW) == {("D11", "reached"): (2, 1)}


async def test_a_person_is_forgotten(store: Store) -> None:
    await took(store, lost("a"))
    await took(store, outgoing("back", NOW + 60, True))
    await took(store, lost("b", NOW + 100), lost("c", NOW + 100, caller_number="13900000000"))
    assert await store.callbacks.count_of(Whose("0" + NUMBER)) == 2
    assert await store.callbacks.erase(Whose(NUMBER), NOW + 200, "account root") == 2
    assert await store.callbacks.erase(Whose(NUMBER), NOW + 200, "account root") == 0
    assert await store.callbacks.count_of(Whose(NUMBER)) == 0
    (line,) = await store.keeping.audit()
    assert (line.what, line.by, line.detail) == ("callbacks_erased", "account root", {"callbacks": 2})
    assert [one.number for one in await store.callbacks.open("pbx")] == ["13900000000"]
    await took(store, lost("e", NOW + 300))
    assert len(await store.callbacks.open("pbx")) == 2
    of_ticket = Whose(tickets=frozenset({(await ticket(store, "e")).id}))
    assert await store.callbacks.erase(of_ticket, NOW + 400, "account root") == 1, "or by a ticket of theirs"
    assert [one.number for one in await store.callbacks.open("pbx")] == ["13900000000"]
