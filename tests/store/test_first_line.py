"""First-line solutions (E3): SQL beside the same words in Python, for any calls, on SQLite and PostgreSQL."""

from dataclasses import dataclass, replace
from random import Random

import pytest
from sqlalchemy import Connection, select, update

from callcenter.calls.model import Call, Direction, Outcome, Transfer, TransferKind
from callcenter.metrics.service_levels import Targets
from callcenter.reports.figures import Sums
from callcenter.store import Store
from callcenter.store.schema import tickets
from callcenter.store.step_tables import ticket_steps
from callcenter.store.users import Role, User
from tests.store.build import NOW, call, commit, ended, ticket

GROUPS = (("1001", "1002"), ("1003",))
SEATS = ("1001", "1002", "1003", "1009")
DAY = 86_400.0
NUMBERS = ["", *(f"1380000{number:04}" for number in range(25))]


@dataclass
class Contact:
    """One call, and what became of its ticket."""

    call: Call
    closed_by: str | None = None
    after: float = 30.0
    left_open: bool = False
    opened_again: bool = False
    promised: bool = False
    sent: str = ""
    """A step of dispatch; "remote-" is one that was taken back."""
    category: str = ""


def solved(one: Contact, every: list[Contact]) -> bool:
    """The definition, said anew."""
    made = one.call
    if made.outcome is not Outcome.ANSWERED or made.transfers or one.closed_by is None or one.promised:
        return False
    if one.sent in ("remote", "on_site", "vendor"):
        return False
    if one.left_open or one.opened_again or not 0 <= one.after <= 1800:
        return False
    own = {"1001", "1002"} if made.answered_by in ("1001", "1002") else {made.answered_by}
    if one.closed_by.removeprefix("seat") not in own:
        return False
    assert made.arrived_at is not None
    assert made.ended_at is not None
    for other in every:
        later = other.call.arrived_at or 0.0
        same = other.call.caller_number == made.caller_number and other is not one and made.caller_number
        elsewhere = other.category and one.category and other.category != one.category
        inbound = other.call.direction is Direction.INBOUND
        if same and inbound and made.arrived_at < later <= made.ended_at + 7 * DAY and not elsewhere:
            return False
    return True


def any_contact(random: Random, number: int) -> Contact:
    at = NOW + random.uniform(0, 12 * DAY)
    outcome = random.choice([Outcome.ANSWERED] * 5 + [Outcome.ABANDONED])
    sent_on = (Transfer(TransferKind.BLIND, "1001", "1002", at),) if random.random() < 0.1 else ()
    made = replace(
        ended(call(f"c{number}", arrived_at=at, caller_number=random.choice(NUMBERS))),
        ended_at=at + 120,
        outcome=outcome,
        answered_by=random.choice(SEATS) if outcome is Outcome.ANSWERED else None,
        answered_at=at + 5 if outcome is Outcome.ANSWERED else None,
        transfers=sent_on,
        direction=random.choice([Direction.INBOUND] * 8 + [Direction.OUTBOUND]),
    )  # fmt: skip
    return Contact(
        made,
        random.choice([None, f"seat{made.answered_by}", f"seat{made.answered_by}", *(f"seat{one}" for one in SEATS)]),
        random.choice([0.0, 30.0, 30.0, 1800.0, 1801.0, -5.0]),
        random.random() < 0.1,
        random.random() < 0.1,
        random.random() < 0.1,
        random.choice([""] * 8 + ["remote", "remote-", "vendor", "abnormal"]),
        random.choice(["", "", "打印", "网络"]),
    )


async def happen(store: Store, contacts: list[Contact]) -> None:
    for seat in SEATS:
        await store.users.add(User(f"seat{seat}", "a hash", Role.SEAT, seat, seat, seat, "zh", True, NOW))
    await commit(store, *(one.call for one in contacts))
    for one in contacts:
        found, end = await ticket(store, one.call.call_id), one.call.ended_at or 0.0
        if one.promised:
            await store.tickets.save_promise(found.id, "p-1", "回电", None, "seat1001", end)
        if one.sent:
            await store.clocks.step(found.id, one.sent.rstrip("-"), None, "seat1001", end)
            if one.sent.endswith("-"):
                made = select(ticket_steps.c.id).where(ticket_steps.c.ticket_id == found.id)
                await store.clocks.take_back(found.id, await store._database.scalar(made), "seat1001", end)
        if one.closed_by is not None:
            await store.tickets.close(found.id, one.closed_by, end + 1)
            if one.opened_again:
                await store.tickets.reopen(found.id, one.closed_by, end + 2)
                await store.tickets.close(found.id, one.closed_by, end + 3)
            values: dict[str, object] = {
                "closed_at": end + one.after,
                "left_open_at": end + 1 if one.left_open else None,
            }
            await put(store, found.id, **values)
        await put(store, found.id, category=one.category)


async def put(store: Store, ticket_id: int, **values: object) -> None:
    """What only time would bring about."""
    statement = update(tickets).where(tickets.c.id == ticket_id).values(**values)

    def work(connection: Connection) -> None:
        connection.execute(statement)

    await store._database.write(work)


@pytest.mark.parametrize("seed", range(3))
async def test_sql_counts_as_the_words_say(store: Store, seed: int) -> None:
    random = Random(seed)
    every = [any_contact(random, number) for number in range(80)]
    await happen(store, every)
    inbound = [one for one in every if one.call.direction is Direction.INBOUND]
    answered = [one for one in inbound if one.call.outcome is Outcome.ANSWERED]
    at_once = [one for one in answered if solved(one, every)]
    assert at_once, "the seeds give some"
    found = await store.clocks.first_line("pbx", NOW, NOW + 30 * DAY, GROUPS)
    assert {queue: (one.contacts, one.solved) for queue, one in found.items()} == {
        "support": (len(answered), len(at_once))
    }
    source = store.reports("pbx", Targets(), GROUPS)
    cells = [cell async for some in source.cells(NOW, NOW + 13 * DAY, 86_400, True) for cell in some]
    sums = sum((Sums.of(cell.numbers) for cell in cells), Sums())
    assert (sums.contacts, sums.solved) == (len(answered), len(at_once))
    by_seat = {seat: sum(one.call.answered_by == seat for one in at_once) for seat in SEATS}
    told = {seat: sum((Sums.of(c.numbers) for c in cells if c.seat == seat), Sums()).solved for seat in SEATS}
    assert told == by_seat


BASE = Contact(replace(ended(call("a")), answered_by="1001", answered_at=NOW + 5), "seat1001")
AGAIN = Contact(replace(ended(call("b", arrived_at=NOW + 7 * DAY)), outcome=Outcome.ABANDONED, answered_by=None))


@pytest.mark.parametrize(
    ("contacts", "expected"),
    [
        ([BASE], 1),
        ([replace(BASE, closed_by="seat1002")], 1),
        ([replace(BASE, closed_by="seat1003")], 0),
        ([replace(BASE, closed_by="admin")], 0),
        ([replace(BASE, promised=True)], 0),
        ([replace(BASE, opened_again=True)], 0),
        ([replace(BASE, left_open=True)], 0),
        ([replace(BASE, after=1801.0)], 0),
        ([BASE, AGAIN], 0),
        ([BASE, replace(AGAIN, call=replace(AGAIN.call, arrived_at=NOW + 7 * DAY + 61))], 1),
        ([BASE, replace(AGAIN, call=replace(AGAIN.call, direction=Direction.OUTBOUND))], 1),
        ([replace(BASE, category="打印"), replace(AGAIN, category="网络")], 1),
        ([replace(BASE, category="打印"), AGAIN], 0),
    ],
)
async def test_each_part_of_the_definition(store: Store, contacts: list[Contact], expected: int) -> None:
    await happen(store, contacts)
    assert int(solved(contacts[0], contacts)) == expected
    found = await store.clocks.first_line("pbx", NOW, NOW + 30 * DAY, GROUPS)
    assert (found["support"].contacts, found["support"].solved) == (1, expected)


async def test_who_waited_for_a_closed_office_has_not_opened_the_ticket_again(store: Store) -> None:
    await happen(store, [replace(BASE, closed_by=None)])
    one, end = await ticket(store, BASE.call.call_id), BASE.call.ended_at or 0.0
    await store.clocks.pause(one.id, "closed", "seat1001", end + 10)
    await store.tickets.close(one.id, "seat1001", end + 20)
    found = await store.clocks.first_line("pbx", NOW, NOW + 30 * DAY, GROUPS)
    assert (found["support"].contacts, found["support"].solved) == (1, 1)


@pytest.mark.parametrize(("after", "contacts"), [(60.0, 0), (1799.0, 0), (1800.0, 1)])
async def test_what_a_seat_still_writes_up_is_not_counted_yet(store: Store, after: float, contacts: int) -> None:
    """Else the share of a young day would be of calls that nobody could have solved by now."""
    await happen(store, [replace(BASE, closed_by=None), replace(BASE, call=replace(BASE.call, call_id="b"))])
    now = (BASE.call.ended_at or 0.0) + after
    found = await store.clocks.first_line("pbx", NOW, now, GROUPS)
    assert found["support"].contacts == 1 + contacts, "the other's ticket is closed"
