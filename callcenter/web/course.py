"""The course of a call (经过) in a person's words: what the ticket window lists under the form.

Promises: a pure function of the frozen call; in order of time; only what was observed. Never: says who is to blame.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from callcenter.calls.model import Call, Direction, EndedBy, Outcome, Ring, RingResult, TransferKind
from callcenter.web.text import duration, phone
from callcenter.web.words import N_


@dataclass(frozen=True, slots=True)
class Step:
    """One line. ``message`` is a catalogue id, ``slots`` its values; ``rule`` the norm it speaks of."""

    at: float | None
    message: str
    slots: Mapping[str, str | int]
    rule: str = ""


ENDINGS: Mapping[EndedBy, str] = {
    EndedBy.CALLER: N_("Customer hung up first, talked %(talk)s"),
    EndedBy.SEAT: N_("Seat hung up first, talked %(talk)s"),
    EndedBy.SYSTEM: N_("Ended by the telephone system, talked %(talk)s"),
    EndedBy.UNKNOWN: N_("Ended, who hung up was not observed, talked %(talk)s"),
}
UNANSWERED: Mapping[Outcome, str] = {
    Outcome.ABANDONED: N_("Caller gave up after %(wait)s"),
    Outcome.OVERFLOWED: N_("Nobody answered, the call left the queue after %(wait)s"),
    Outcome.FAILED: N_("The call failed"),
    Outcome.UNKNOWN: N_("Ended, how was not observed"),
}
BREACHES: Mapping[str, str] = {
    "no_seat": N_("More than three rings: no seat was free"),
    "not_lifted": N_("More than three rings: the seat did not lift"),
    "greeting_too_long": N_("More than three rings: an announcement held the caller"),
}

UNSEEN: Mapping[RingResult, str] = {
    RingResult.ANSWERED: N_("%(seat)s rings; when it answered was not observed"),
    RingResult.UNKNOWN: N_("%(seat)s rings; how it ended was not observed"),
}


def course(
    call: Call,
    queue_title: str,
    rings_at: Callable[[float], int],
    seat_name: Callable[[str], str],
    from_ticket: str = "",
) -> list[Step]:
    """All steps, oldest first; ``rings_at(at)`` tells how many rings the caller had heard by then; ``from_ticket``: the
    number of the ticket from which it was dialled."""
    steps = [
        *_arrival(call, queue_title, seat_name, from_ticket),
        *_rings(call, rings_at, seat_name),
        *_holds(call),
        *_transfers(call, seat_name),
        *_pauses(call),
        *_end(call, seat_name),
    ]
    return sorted(steps, key=lambda step: float("inf") if step.at is None else step.at)


def _arrival(call: Call, queue_title: str, seat_name: Callable[[str], str], from_ticket: str) -> Iterator[Step]:
    if call.arrived_at is not None:
        yield _begun(call, queue_title, seat_name, from_ticket)
    if call.announced_at is not None:
        yield Step(call.announced_at, N_("Answered by announcement, duty manager called"), {}, "A1")


def _begun(call: Call, queue_title: str, seat_name: Callable[[str], str], from_ticket: str) -> Step:
    """Who began it: a customer, in a queue or none, or one of us."""
    if call.clicked_by is not None:
        seat = seat_name(call.clicked_by)
        if from_ticket:
            return Step(
                call.arrived_at, N_("%(seat)s dialled from ticket %(ticket)s"), {"seat": seat, "ticket": from_ticket}
            )
        return Step(call.arrived_at, N_("%(seat)s dialled"), {"seat": seat})
    if queue_title:
        return Step(call.arrived_at, N_("Call came in, %(queue)s"), {"queue": queue_title})
    if call.direction is Direction.INBOUND:
        return Step(call.arrived_at, N_("Call came in, to no queue"), {})
    outgoing = call.direction is Direction.OUTBOUND
    message = N_("Outgoing call to %(number)s") if outgoing else N_("Internal call to %(number)s")
    return Step(call.arrived_at, message, {"number": phone(call.dialled)})


def _rings(call: Call, rings_at: Callable[[float], int], seat_name: Callable[[str], str]) -> Iterator[Step]:
    for ring in call.rings:
        if ring.started_at is not None and call.answered_at is not None and ring.started_at > call.answered_at:
            yield from _handed_on(ring, seat_name(ring.seat))
        else:
            yield from _ring(ring, rings_at, seat_name(ring.seat), call.announced_at)


def _handed_on(ring: Ring, seat: str) -> Iterator[Step]:
    """A ring after the answer is a transfer's (B4): how many rings it took says nothing of A1."""
    if ring.started_at is None or ring.ended_at is None or ring.result not in (RingResult.ANSWERED, RingResult.MISSED):
        yield Step(ring.started_at, UNSEEN.get(ring.result, N_("%(seat)s rings")), {"seat": seat})
        return
    slots = {"seat": seat, "span": duration(ring.ended_at - ring.started_at)}
    lifted = ring.result is RingResult.ANSWERED
    message = N_("%(seat)s answered after %(span)s") if lifted else N_("%(seat)s rang for %(span)s, not lifted")
    yield Step(ring.ended_at if lifted else ring.started_at, message, slots, "B4")


def _ring(ring: Ring, rings_at: Callable[[float], int], seat: str, announced_at: float | None) -> Iterator[Step]:
    if ring.result is RingResult.NOT_RUNG:
        yield Step(ring.ended_at, N_("%(seat)s could not be rung"), {"seat": seat})
        return
    if ring.started_at is None:
        return
    if ring.ended_at is None and ring.result in UNSEEN:
        yield Step(ring.started_at, UNSEEN[ring.result], {"seat": seat})
        return
    if ring.result is RingResult.ANSWERED and ring.ended_at is not None:
        if announced_at is not None and announced_at < ring.ended_at:  # what the caller heard then was no ring
            yield Step(ring.ended_at, N_("%(seat)s answered after the announcement"), {"seat": seat}, "A1")
            return
        answered: dict[str, str | int] = {"seat": seat, "ring": rings_at(ring.ended_at)}
        yield Step(ring.ended_at, N_("%(seat)s answered on ring %(ring)s"), answered, "A1")
    elif ring.result is RingResult.MISSED and ring.ended_at is not None:
        span = duration(ring.ended_at - ring.started_at)
        yield Step(ring.started_at, N_("%(seat)s rang for %(span)s, not lifted"), {"seat": seat, "span": span}, "A1")
    else:
        yield Step(ring.started_at, N_("%(seat)s rings"), {"seat": seat})


def _holds(call: Call) -> Iterator[Step]:
    for hold in call.holds:
        if hold.ended_at is None:
            yield Step(hold.started_at, N_("On hold"), {}, "B2")
        else:
            span = duration(hold.ended_at - hold.started_at)
            yield Step(hold.started_at, N_("On hold for %(span)s"), {"span": span}, "B2")


def _pauses(call: Call) -> Iterator[Step]:
    for pause in call.pauses:
        if pause.ended_at is None:
            yield Step(pause.started_at, N_("Recording paused"), {}, "E2")
        else:
            span = duration(pause.ended_at - pause.started_at)
            yield Step(pause.started_at, N_("Recording paused for %(span)s"), {"span": span}, "E2")


def _transfers(call: Call, seat_name: Callable[[str], str]) -> Iterator[Step]:
    for transfer in call.transfers:
        slots = {"seat": seat_name(transfer.seat_from), "to": seat_name(transfer.to)}
        blind = transfer.kind is TransferKind.BLIND
        yield Step(
            transfer.at,
            N_("%(seat)s transferred to %(to)s, blind") if blind else N_("%(seat)s transferred to %(to)s"),
            slots,
            "B4",
        )


def _end(call: Call, seat_name: Callable[[str], str]) -> Iterator[Step]:
    for breach in call.breaches:
        if breach.reason in BREACHES:
            yield Step(breach.at, BREACHES[breach.reason], {}, breach.rule)
    if call.ended_at is None:
        return
    if call.outcome is Outcome.ANSWERED:
        ending = ENDINGS[call.ended_by or EndedBy.UNKNOWN]
        yield Step(call.ended_at, ending, {"talk": duration(call.talk_seconds)}, "B6")
    elif call.clicked_by is not None and call.lifted_to_dial_at is None and call.complete:
        slots = {"seat": seat_name(call.clicked_by), "span": duration(call.wait_seconds)}
        yield Step(call.ended_at, N_("%(seat)s rang for %(span)s, own phone not lifted: nobody was called"), slots)
    else:
        message = UNANSWERED[call.outcome or Outcome.UNKNOWN]
        yield Step(call.ended_at, message, {"wait": duration(call.wait_seconds)})
