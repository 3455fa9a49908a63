"""Who is planned when: shifts by the site's own clock, on weekdays, dates or days of the calendar, with exceptions.

Place on the path of a call: before it; ``roster/duty`` compares what this says with the seats that are there (A5).
Promises: pure; a shift belongs to the day on which it begins and may pass midnight; shifts that follow each other by
the clock follow each other in time without a hole or an overlap, also where the clock is put forward or back; a day
that the calendar does not know yet is not planned, never guessed, and the plan reaches no further.
Never: reads a clock or a file.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from callcenter.days import WORKED, DayKind, Days
from callcenter.reports.periods import begin_of

DAY_MINUTES = 24 * 60
MOST_DAYS_AHEAD = 400
CALENDAR = {
    "workday": WORKED,
    "day_off": frozenset({DayKind.WEEKEND, DayKind.HOLIDAY}),
    "holiday": frozenset({DayKind.HOLIDAY}),
}
"""Days of the site's calendar."""


@dataclass(frozen=True, slots=True)
class Shift:
    """``begins`` and ``ends``: minutes of the day; one that ends no later than it begins ends on the next day.

    It takes place on ``dates``, and on the days for which both ``weekdays`` (0 is Monday) and ``calendar`` hold; on
    every day if none of the three is given."""

    name: str
    begins: int
    ends: int
    seats: tuple[str, ...]
    weekdays: frozenset[int] = frozenset()
    dates: frozenset[date] = frozenset()
    calendar: str = ""
    breaks: tuple[tuple[int, int], ...] = ()
    """When seats may be away, in minutes of the day."""
    break_seconds: float = 900.0
    """How long a pause with a reason may last."""

    def on(self, day: date, kind: DayKind) -> bool | None:
        """Whether it takes place; ``None`` where that hangs on a calendar that is not known."""
        if day in self.dates:
            return True
        if not self.weekdays and not self.calendar:
            return not self.dates
        if self.weekdays and day.weekday() not in self.weekdays:
            return False
        if not self.calendar:
            return True
        return None if kind is DayKind.UNKNOWN else kind in CALENDAR[self.calendar]


@dataclass(frozen=True, slots=True)
class Change:
    """An exception of one day. Without ``shift`` it holds for all shifts that begin on it."""

    day: date
    shift: str = ""
    off: bool = False
    """It does not take place."""
    absent: tuple[str, ...] = ()
    extra: tuple[str, ...] = ()
    swap: tuple[str, ...] = ()
    """Two seats: each stands where the other was planned."""

    def changed(self, shift: str, seats: tuple[str, ...]) -> tuple[str, ...]:
        if self.shift not in ("", shift):
            return seats
        if self.off:
            return ()
        if self.swap:
            one, other = self.swap
            seats = tuple(other if seat == one else one if seat == other else seat for seat in seats)
        kept = (seat for seat in (*seats, *self.extra) if seat not in self.absent)
        return tuple(dict.fromkeys(kept))


@dataclass(frozen=True, slots=True)
class Turn:
    """A shift on a day: epoch seconds, and who is planned. ``breaks``: when seats may be away."""

    shift: str
    day: date
    begins_at: float
    ends_at: float
    seats: tuple[str, ...]
    breaks: tuple[tuple[float, float], ...] = ()
    break_seconds: float = 900.0


@dataclass(frozen=True, slots=True)
class Sheet:
    """One file: from its first to its last day."""

    first: date
    last: date
    shifts: tuple[Shift, ...] = ()
    changes: tuple[Change, ...] = ()

    def seats(self, shift: Shift, day: date) -> tuple[str, ...]:
        seats = shift.seats
        for change in self.changes:
            if change.day == day:
                seats = change.changed(shift.name, seats)
        return seats


@dataclass(frozen=True, slots=True)
class Plan:
    """All sheets. No day is in two of them."""

    sheets: tuple[Sheet, ...]
    zone: ZoneInfo
    days: Days | None = None
    """The site's calendar; without it, what its zone says."""

    def kind(self, day: date) -> DayKind:
        return (self.days or Days.of(self.zone)).kind(day)

    @property
    def shifts(self) -> tuple[str, ...]:
        """The names of all shifts, in the order of the sheets."""
        return tuple(dict.fromkeys(shift.name for sheet in self.sheets for shift in sheet.shifts))

    def turns(self, day: date) -> tuple[Turn, ...]:
        """What begins on the day, the earliest first. A shift without anybody planned is none."""
        return tuple(sorted(self._turns(day), key=lambda turn: (turn.begins_at, turn.shift)))

    def _turns(self, day: date) -> Iterator[Turn]:
        sheet = self._sheet(day)
        kind = self.kind(day)
        for shift in sheet.shifts if sheet is not None else ():
            assert sheet is not None
            seats = sheet.seats(shift, day) if shift.on(day, kind) else ()
            begins_at, ends_at = _span(day, shift.begins, shift.begins, shift.ends, self.zone)
            if seats and begins_at < ends_at:  # a shift within the hour that the clock leaves out
                breaks = tuple(_span(day, shift.begins, *one, self.zone) for one in shift.breaks)
                yield Turn(shift.name, day, begins_at, ends_at, seats, breaks, shift.break_seconds)

    def around(self, now: float) -> tuple[Turn, ...]:
        """What began yesterday, begins today or tomorrow."""
        today = datetime.fromtimestamp(now, self.zone).date()
        return tuple(turn for n in (-1, 0, 1) for turn in self.turns(today + timedelta(days=n)))

    def reaches(self, now: float) -> float:
        """Until when it is known who is planned; ``now`` if today is not planned."""
        day = datetime.fromtimestamp(now, self.zone).date()
        for _ in range(MOST_DAYS_AHEAD):
            if not self._known(day):
                break
            day += timedelta(days=1)
        return max(now, begin_of(day, self.zone))

    def _known(self, day: date) -> bool:
        sheet, kind = self._sheet(day), self.kind(day)
        return sheet is not None and all(shift.on(day, kind) is not None for shift in sheet.shifts)

    def _sheet(self, day: date) -> Sheet | None:
        return next((sheet for sheet in self.sheets if sheet.first <= day <= sheet.last), None)


def instant(day: date, minutes: int, zone: ZoneInfo) -> float:
    """When the clock shows so many minutes of the day: the first time, where it shows them twice; the moment at which
    it is put forward, where it leaves them out. It never falls while the clock's time grows."""
    wanted = datetime.combine(day, datetime.min.time()) + timedelta(minutes=minutes)
    at = wanted.replace(tzinfo=zone).timestamp()
    if datetime.fromtimestamp(at, zone).replace(tzinfo=None) == wanted:
        return at
    low, high = wanted.replace(tzinfo=zone, fold=1).timestamp(), at  # before the jump, and after it
    jumped = _offset(high, zone)
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if _offset(middle, zone) == jumped else (middle, high)
    return high


def _offset(at: float, zone: ZoneInfo) -> timedelta | None:
    return datetime.fromtimestamp(at, zone).utcoffset()


def _span(day: date, shift_begins: int, begins: int, ends: int, zone: ZoneInfo) -> tuple[float, float]:
    """Of a part of a shift. What lies before the shift's begin by the clock lies on the next day."""
    begins += DAY_MINUTES if begins < shift_begins else 0
    ends += DAY_MINUTES if ends <= begins else 0
    ends += DAY_MINUTES if ends <= begins else 0
    return instant(day, begins, zone), instant(day, ends, zone)


def overlaps(turns: Sequence[Turn]) -> Iterator[tuple[str, Turn, Turn]]:
    """Seats that are planned twice at the same time, with both shifts."""
    last: dict[str, Turn] = {}
    for turn in sorted(turns, key=lambda turn: (turn.begins_at, turn.shift)):
        for seat in turn.seats:
            before = last.get(seat)
            if before is not None and before.ends_at > turn.begins_at:
                yield seat, before, turn
            if before is None or before.ends_at < turn.ends_at:
                last[seat] = turn
