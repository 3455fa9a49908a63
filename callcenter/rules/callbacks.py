"""D11 and B5: who was not spoken to, or whose call broke off, is called back.

On the path of a call: ``rules/decide`` asks here after every change of a call, also of one that only Asterisk's records
told of. D11: an inbound call that was abandoned (a short abandon is none), overflowed without anybody lifting, or
failed. B5: an answered inbound call whose conversation broke off (``Call.cut_off``). An answered call of the same
number, or one from here that the customer lifted, ends it; an attempt that nobody answered is noted.

Promises: the same call asks for the same thing, and the store takes it once. Due times count from the end of the call.
Never: asks for a call of a number that is withheld, that cannot be dialled or that is one of our own seats; takes an
outcome that was not observed for a lost call.
"""

from collections.abc import Collection, Iterator

from callcenter.calls.model import Call, Direction, Outcome
from callcenter.calls.naming import endpoint
from callcenter.rules.commands import CloseCallback, Command, NoteAttempt, OpenCallback
from callcenter.settings import Settings
from callcenter.tickets.callbacks import CALLED_AGAIN, REACHED, dialable, dialled_keys
from callcenter.tickets.model import number_key

_LOST = (Outcome.ABANDONED, Outcome.OVERFLOWED, Outcome.FAILED)


def on_change(
    before: Call | None, after: Call, settings: Settings, seats: Collection[str], now: float
) -> Iterator[Command]:
    """What a change of a call means for callbacks. ``seats``: our own numbers."""
    if after.merged_into is not None or after.direction is Direction.INTERNAL:
        return
    if _spoken_with(after) and (before is None or _spoken_with(before) != _spoken_with(after)):
        yield _spoken(after, settings.asterisk.trunks, now)
    if after.direction is Direction.INBOUND:
        owed = owed_for(after, settings, seats)
        if owed is not None and (before is None or owed_for(before, settings, seats) != owed):
            yield owed
    elif _tried(after) and (before is None or not _tried(before)):
        by = _by(before, after, settings.asterisk.trunks)
        yield NoteAttempt(after.server, after.call_id, _keys(after), _ended(after, now), by)


def owed_for(call: Call, settings: Settings, seats: Collection[str] = ()) -> OpenCallback | None:
    """The callback that an ended inbound call asks for."""
    if call.running or call.merged_into is not None or call.ended_at is None:
        return None
    if call.direction is not Direction.INBOUND:
        return None
    rule, reason = _why(call, settings)
    number = dialable(call.caller_number)
    key = number_key(number)
    if not rule or not number or number in seats or key in seats:
        return None
    due_at = call.ended_at + settings.callback_seconds(call.queue, rule)
    return OpenCallback(call.server, call.call_id, rule, reason, number, key, call.queue, call.ended_at, due_at)


def lost(call: Call, settings: Settings) -> bool:
    """D11: nobody spoke to the caller, who waited long enough for somebody to."""
    if call.outcome is not Outcome.ABANDONED:
        return call.outcome in _LOST
    waited = call.wait_seconds
    if waited is None and call.arrived_at is not None and call.ended_at is not None:
        waited = call.ended_at - call.arrived_at
    return settings.targets.of(call.queue).waited(waited) != "short"


def _why(call: Call, settings: Settings) -> tuple[str, str]:
    """(rule, reason); empty where nothing is owed."""
    if call.outcome is Outcome.ANSWERED:
        return ("B5", call.cut_off) if call.cut_off is not None else ("", "")
    return ("D11", call.outcome.value) if call.outcome is not None and lost(call, settings) else ("", "")


def _spoken_with(call: Call) -> tuple[str, ...]:
    """Which way the call went and the number of whoever was spoken to; empty while nobody was. A call may be known for
    an outgoing one only after it was answered."""
    if call.outcome is not Outcome.ANSWERED or call.direction is Direction.INTERNAL or not _keys(call):
        return ()
    return call.direction.value, *_keys(call)


def _spoken(call: Call, trunks: Collection[str], now: float) -> CloseCallback:
    at = call.answered_at if call.answered_at is not None else _ended(call, now)
    outbound = call.direction is Direction.OUTBOUND
    by = call.answered_by or (_by(None, call, trunks) if outbound else "")
    return CloseCallback(call.server, call.call_id, _keys(call), REACHED if outbound else CALLED_AGAIN, at, by)


def _keys(call: Call) -> tuple[str, ...]:
    if call.direction is Direction.OUTBOUND:
        return dialled_keys(call.dialled)
    number = dialable(call.caller_number)
    return (number_key(number),) if number else ()


def _tried(call: Call) -> bool:
    """A call from here that rang out there in vain; one whose own seat never lifted rang nowhere."""
    ended = not call.running and call.direction is Direction.OUTBOUND and bool(_keys(call))
    return ended and call.outcome is not Outcome.ANSWERED and call.waiting_since is not None


def _ended(call: Call, now: float) -> float:
    return call.ended_at if call.ended_at is not None else now


def _by(before: Call | None, call: Call, trunks: Collection[str]) -> str:
    """The seat that calls out: its telephone, while the channel lives; then the number that it shows."""
    channel = call.caller_channel or (before.caller_channel if before is not None else None)
    name = endpoint(channel) if channel else call.caller_number or ""
    return "" if name in trunks else name
