"""A seat on the big screen and on the supervisor's desk: what it is called, what it does, and when that is marked.

Beside ``wallboard_view``. Promises: pure; the seat that does what runs out comes first, then who does it longest; a
state has its limit from the norm that ``rule`` names. Never: a seat ranked by its work; a caller's name or number.
"""

from collections.abc import Callable
from dataclasses import dataclass

from callcenter.calls.model import Call
from callcenter.metrics.today import LONG_HOLD_SECONDS
from callcenter.rules.three_rings import heard_from
from callcenter.web.ports import Queue, Seat
from callcenter.web.window import State, Window

ORDER = (
    *(State.HOLD, State.RINGING, State.TALKING, State.WRAPUP),
    *(State.FREE, State.BREAK, State.OFFLINE, State.UNKNOWN),
)
"""Of seats on the screen, and of their counts."""


@dataclass(frozen=True, slots=True)
class SeatNow:
    """A seat, what it does, the queues that it serves, and how often it let it ring today."""

    seat: Seat
    window: Window
    queues: tuple[str, ...] = ()
    missed: int | None = None


@dataclass(frozen=True, slots=True)
class Tile:
    """One seat. ``due`` and ``over``: seconds in the state after which it is marked; ``rule`` says why."""

    extension: str
    label: str
    state: State
    since: float | None
    due: float | None = None
    over: float | None = None
    rule: str = ""
    heard_since: float | None = None
    rings: int = 3
    missed: int | None = None
    queues: tuple[str, ...] = ()
    call: Call | None = None


def label(seat: Seat, how: str) -> str:
    """What a seat is called on the screen."""
    number = seat.work_number or seat.extension
    return (seat.display_name or number) if how == "name" else number


def tile(one: SeatNow, queue_of: Callable[[str | None], Queue], how: str) -> Tile:
    """A seat, called as ``label`` says, with the limits of its state: guidance 5 minutes (B3), hold one minute (B2),
    wrap-up (A4)."""
    shown = one.window
    call = shown.call
    queue = queue_of(call.queue if call is not None else None)
    due, over, rule = {
        State.TALKING: (300.0, None, "B3"),
        State.HOLD: (45.0, LONG_HOLD_SECONDS, "B2"),
        State.WRAPUP: (queue.wrapup_seconds, None, "A4"),
    }.get(shown.state, (None, None, ""))
    return Tile(
        extension=one.seat.extension,
        label=label(one.seat, how),
        state=shown.state,
        since=shown.since,
        due=due,
        over=over,
        rule=rule,
        heard_since=_heard_since(call) if shown.state is State.RINGING and call is not None else None,
        rings=queue.rings,
        missed=one.missed,
        queues=one.queues,
        call=call,
    )


def _heard_since(call: Call) -> float | None:
    return call.ringing_from if call.handed_on else heard_from(call)


_RANK = {state: rank for rank, state in enumerate(ORDER)}


def rank(one: SeatNow) -> tuple[int, float, str]:
    return _RANK[one.window.state], one.window.since or float("inf"), one.seat.work_number or one.seat.extension
