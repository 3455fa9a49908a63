"""Which seat was on the line with the caller, and when: what is heard on our side of a recording.

A step of ``calls/derive``, after holds are known; only of a call that has ended, because a recording is read after it.
The customer is whoever is no seat: the caller, or in an outgoing call whom it reached.
Facts of Asterisk it rests on: a recording hears what is sent to its channel, the customer's; that is a bridge's sound,
also through the two halves of a Local channel, but not a hold's music and not a consultation in a bridge of its own.
Promises: of each seat sorted, disjoint intervals; a seat that holds the caller is not heard meanwhile; a phone is on
the line from its lifting, while a greeting is still played in its name.
Never: names somebody who was reached over a line and took no call of ours.
"""

from collections.abc import Sequence

from callcenter.calls import intervals as iv
from callcenter.calls.evidence import Leg
from callcenter.calls.model import Direction, Hold, Stay
from callcenter.calls.parties import NEAR, Parties

Reached = dict[str, list[iv.Interval]]
"""Of each bridge, when the customer was heard in it."""


def stays(p: Parties, holds: Sequence[Hold]) -> tuple[Stay, ...]:
    """All of them, in order; empty while the call runs, and where nobody lifted."""
    if not p.ended or p.caller is None or p.answered_at is None:
        return ()
    customer = _customer(p, p.caller)
    if customer is None:
        return _alone(p, p.caller, holds)
    reached = _reached(p, customer)
    found: dict[str, list[iv.Interval]] = {}
    for leg in p.real:
        if leg is not customer and _is_seat(p, leg):
            found.setdefault(p.seat(leg), []).extend(_of_leg(p, leg, reached))
    return _told(p, found, holds)


def _customer(p: Parties, caller: Leg) -> Leg | None:
    """Whose channel is recorded, or would be; ``None`` where a dialplan records the seat's own that calls out."""
    if p.direction is not Direction.OUTBOUND or p.outside(caller):
        return caller
    customer = p.recorded or p.answering
    return customer if customer is not None and p.outside(customer) else None


def _alone(p: Parties, own: Leg, holds: Sequence[Hold]) -> tuple[Stay, ...]:
    """The seat that called out: its own recording hears no other on our side, and ends with it."""
    if p.answered_at is None:
        return ()
    return _told(p, {p.seat(own): [(p.answered_at, own.gone_at or p.call.last_at)]}, holds)


def _told(p: Parties, found: dict[str, list[iv.Interval]], holds: Sequence[Hold]) -> tuple[Stay, ...]:
    until = p.call.lost_at if p.call.lost_at is not None else p.call.last_at
    told = []
    for seat, parts in found.items():
        held = iv.union((hold.started_at, hold.ended_at or until) for hold in holds if hold.seat == seat)
        heard = iv.subtract(iv.intersect(_joined(parts), [(0.0, until)]), held)
        told += [Stay(seat, start, end) for start, end in heard if end - start > NEAR]
    return tuple(sorted(told, key=lambda one: (one.started_at, one.seat)))


def _joined(parts: list[iv.Interval]) -> list[iv.Interval]:
    """Sorted and disjoint; a phone that changes its bridge is not away meanwhile."""
    out: list[iv.Interval] = []
    for start, end in iv.union(parts):
        if out and start - out[-1][1] <= NEAR:
            start = out.pop()[0]
        out.append((start, end))
    return out


def _is_seat(p: Parties, leg: Leg) -> bool:
    return p.ours(leg) and (leg is p.answering or not p.outside(leg))


def _of_leg(p: Parties, leg: Leg, reached: Reached) -> list[iv.Interval]:
    """When this phone and the customer heard each other; from the lifting, if the first bridge it came into is theirs,
    or from the customer's, whom it called."""
    met = iv.union(
        part
        for bridge, stay in iv.stays(leg.moves, leg.gone_at, p.call.last_at)
        for part in iv.intersect([stay], reached.get(bridge, []))
    )
    lifted_at, joined_at = leg.lifted_at if leg is not p.caller else p.answered_at, leg.joined_at
    if lifted_at is None or p.caller is None:
        return met
    if met and joined_at is not None and met[0][0] - joined_at <= _WAITED and (_called(p, leg) or leg is p.caller):
        return iv.union([(min(lifted_at, met[0][0]), met[0][1]), *met])
    if not leg.moves and leg is p.answering:  # hung up while the greeting was played
        return [(lifted_at, max(lifted_at, iv.earliest(leg.gone_at, p.caller_gone_at) or p.call.last_at))]
    return met


_WAITED = 2.0
"""Seconds between the two bridges of a Local channel: the seat's side is there first."""


def _called(p: Parties, leg: Leg) -> bool:
    return any(leg is one for one in p.attempts)


def _reached(p: Parties, customer: Leg) -> Reached:
    """The customer's own bridges, and those behind Local channels."""
    until = p.call.last_at
    reached: Reached = {}
    for bridge, stay in iv.stays(customer.moves, customer.gone_at, until):
        reached[bridge] = iv.union([*reached.get(bridge, []), stay])
    spans = _spans(p, until)
    changed = bool(spans)
    while changed:  # ends: intervals only grow, and begin and end at moments that are there
        changed = False
        for one, other, span in spans:
            known = reached.get(other, [])
            heard = iv.union([*known, *iv.intersect(reached.get(one, []), [span])])
            if heard != known:
                reached[other], changed = heard, True
    return reached


def _spans(p: Parties, until: float) -> list[tuple[str, str, iv.Interval]]:
    """Pairs of bridges that a Local channel joined, each way, and when."""
    halves: dict[str, list[Leg]] = {}
    for leg in p.call.legs.values():
        if leg.local and leg.moves:
            halves.setdefault(leg.channel.rpartition(";")[0], []).append(leg)
    found = []
    for pair in halves.values():
        if len(pair) != 2:
            continue
        ones, others = (iv.stays(leg.moves, leg.hangup_at, until) for leg in pair)
        for one, stay in ones:
            for other, also in others:
                for span in iv.intersect([stay], [also]):
                    found += [(one, other, span), (other, one, span)]
    return found
