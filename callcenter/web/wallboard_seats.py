"""A seat on the big screen and on the supervisor's desk: what it is called, what it does, and when that is marked.

Beside ``wallboard_view``. Promises: pure; the seat that does what runs out comes first, then who does it longest; a
state has its limit from the norm that ``rule`` names; all seats are counted by state, and as many are named as are read
from afar. Never: a seat ranked by its work; a caller's name or number; a calm seat before one past its limit.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from heapq import nsmallest

from callcenter.calls.model import Call
from callcenter.metrics.today import LONG_HOLD_SECONDS
from callcenter.rules.cadence import Cadence
from callcenter.web.ports import Queue, Seat
from callcenter.web.window import ON_CALL, State, Window

ORDER = (
    *(State.HOLD, State.RINGING, State.TALKING, State.WRAPUP),
    *(State.FREE, State.BREAK, State.OFFLINE, State.UNKNOWN),
)
"""Of seats on the screen, and of their counts."""
ROWS = 8
"""Lines of seats and of their counts, two beside each other, in a size that is read from 8 m."""
LONG_BREAK_SECONDS = 900.0
"""A4: a seat that has been on a break for so long is looked at."""
CALM = 2


@dataclass(frozen=True, slots=True)
class SeatNow:
    """A seat, what it does, the queues that it serves, how often it let it ring today, and in which queues it is
    paused, be it in these alone."""

    seat: Seat
    window: Window
    queues: tuple[str, ...] = ()
    missed: int | None = None
    paused_in: frozenset[str] = frozenset()

    def free_in(self, queue: str) -> bool:
        """Whether this queue may ring it now."""
        return self.window.state is State.FREE and queue in self.queues and queue not in self.paused_in


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
    due, over, rule = _limits(shown.state, queue)
    return Tile(
        extension=one.seat.extension,
        label=label(one.seat, how),
        state=shown.state,
        since=shown.since,
        due=due,
        over=over,
        rule=rule,
        heard_since=call.ringing_from if shown.state is State.RINGING and call is not None else None,
        rings=queue.rings,
        missed=one.missed,
        queues=one.queues,
        call=call,
    )


def _limits(state: State, queue: Queue) -> tuple[float | None, float | None, str]:
    match state:
        case State.TALKING:
            return 300.0, None, "B3"
        case State.HOLD:
            return 45.0, LONG_HOLD_SECONDS, "B2"
        case State.WRAPUP:
            return queue.wrapup_seconds, None, "A4"
        case State.BREAK:
            return LONG_BREAK_SECONDS, None, "A4"
    return None, None, ""


_RANK = {state: rank for rank, state in enumerate(ORDER)}


def rank(one: SeatNow) -> tuple[int, float, str]:
    return _RANK[one.window.state], one.window.since or float("inf"), one.seat.work_number or one.seat.extension


def urgency(one: SeatNow, queue_of: Callable[[str | None], Queue], cadence: Cadence, now: float) -> int:
    """0: past its limit, or at the last ring, as the page marks it; 1: near it, or rings; ``CALM`` else."""
    shown = one.window
    if shown.state not in ON_CALL and shown.state is not State.BREAK:
        return CALM
    queue = queue_of(shown.call.queue if shown.call is not None else None)
    if shown.state is State.RINGING:
        heard = shown.call.ringing_from if shown.call is not None else None
        return 0 if heard is not None and cadence.rings_begun(now - heard) >= queue.rings else 1
    due, over, _ = _limits(shown.state, queue)
    lasts = now - shown.since if shown.since is not None else 0.0
    return 0 if over is not None and lasts >= over else 1 if due is not None and lasts >= due else CALM


def room(states: int) -> int:
    """How many seats have a name below the counts of so many states."""
    counts = (states + 1) // 2
    higher = counts > 3  # a line of counts is higher than one of seats: four take the room of five
    return 2 * (ROWS - counts - higher)


def worst(
    seats: Sequence[SeatNow], most: int, queue_of: Callable[[str | None], Queue], cadence: Cadence, now: float
) -> list[SeatNow]:
    """Whom to look at: past a limit first, then near one or ringing, then who is longest in what runs out."""
    return nsmallest(most, seats, key=lambda one: (urgency(one, queue_of, cadence, now), rank(one)))
