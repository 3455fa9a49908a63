"""A1: the caller hears no fourth ring without something happening.

On the path of a call: ``rules/decide`` asks here after every change of a hotline call, and again when one of its timers
is due. The ladder is configuration (``settings.Queue.ladder``): by default the backup group rings from the second ring
on, and where the fourth would begin the announcement answers and the duty manager is rung.

Promises: each step of each call is asked for once (its id is made of call and step); a step never acts on a call that
was answered, has ended or is past its moment. The dialplan keeps the same ladder by its own time limits, a little
later, so that it holds with the daemon dead.
Never: counts rings per phone: the caller's rings over all attempts count.
"""

from collections.abc import Iterator

from callcenter.calls.model import Call, Direction, Phase
from callcenter.rules.cadence import Cadence
from callcenter.rules.commands import Announce, CancelTimer, Command, OpenGate, StartTimer
from callcenter.settings import Step

RULE = "A1"
ANNOUNCE_LEAD_SECONDS = 0.15
"""The announcement must be there when the fourth ring would begin, and Asterisk needs a moment to take a call over."""
STALE_AFTER_SECONDS = 3.0


def concerns(call: Call) -> bool:
    """Calls of the hotline that came through its dialplan; only there do the announcement and the gates exist."""
    return call.direction is Direction.INBOUND and call.hotline


def waits(call: Call) -> bool:
    return call.phase in (Phase.WAITING, Phase.RINGING) and call.answered_at is None and call.announced_at is None


def timer_key(call: Call, number: int) -> str:
    return f"{RULE}/{call.server}/{call.call_id}/{number}"


def parse_timer_key(key: str) -> tuple[str, str, int] | None:
    """(server, call_id, step number) of one of this rule's timers."""
    rule, _, rest = key.partition("/")
    server, _, rest = rest.partition("/")
    call_id, _, number = rest.rpartition("/")  # a call's id is Asterisk's or an originator's own word
    if rule != RULE or not server or not call_id or not (number.isascii() and number.isdigit()):
        return None
    return server, call_id, int(number)


def due_at(step: Step, base: float, cadence: Cadence) -> float:
    lead = ANNOUNCE_LEAD_SECONDS if step.do == "announce" else 0.0
    return base + step.after_seconds(cadence) - lead


def on_change(
    before: Call | None, after: Call, ladder: tuple[Step, ...], cadence: Cadence, now: float
) -> Iterator[Command]:
    """Timers when the caller begins to hear rings; late gates opened at once; timers taken back when it is over."""
    if not concerns(after):
        return
    if not waits(after):
        if before is not None and waits(before):
            yield from (CancelTimer(timer_key(after, number)) for number, _ in enumerate(ladder))
        return
    base = after.ringing_from
    if base is None:
        return
    if before is None or not waits(before) or before.ringing_from != base or before.queue != after.queue:
        for number, step in enumerate(ladder):
            yield StartTimer(timer_key(after, number), due_at(step, base, cadence))
    known = {gate.channel for gate in before.gates} if before is not None else set()
    for number, step in enumerate(ladder):
        if step.do == "widen" and now >= due_at(step, base, cadence):
            yield from _open_gates(after, number, now, known)


def on_timer(call: Call, number: int, ladder: tuple[Step, ...], cadence: Cadence, now: float) -> Iterator[Command]:
    """The commands of step ``number``, if the call still waits and the moment has not passed long ago."""
    base = call.ringing_from
    if not concerns(call) or not waits(call) or number >= len(ladder) or base is None:
        return
    step = ladder[number]
    if now > due_at(step, base, cadence) + STALE_AFTER_SECONDS:
        return
    if step.do == "widen":
        yield from _open_gates(call, number, now, set())
    elif call.caller_channel:
        yield Announce(
            f"{RULE}/{call.server}/{call.call_id}/{number}",
            call.server,
            call.call_id,
            call.caller_channel,
            call.queue,
            now + STALE_AFTER_SECONDS,
        )


def _open_gates(call: Call, number: int, now: float, known: set[str]) -> Iterator[Command]:
    for gate in call.gates:
        if gate.channel not in known:
            command_id = f"{RULE}/{call.server}/{call.call_id}/{number}/{gate.channel}"
            not_after = now + STALE_AFTER_SECONDS
            yield OpenGate(command_id, call.server, call.call_id, gate.seat, gate.channel, not_after)
