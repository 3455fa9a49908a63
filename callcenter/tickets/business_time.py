"""Business time: how much of the time between two instants counts, and when so much of it will have gone by.

Place: beside the path of a call; ``clocks`` counts a ticket's promises (D1, D2) in it.
A calendar is hours of the day on the days on which people work, by the site's own clock: 5x8 with public holidays and
swapped workdays; or all time (7x24). A pause is time that does not count, whatever the calendar says.

Promises: pure; right over midnight, weekends, holidays and both changes of the clock, for hours become instants day by
day; a day of which the calendar knows nothing ends the counting with ``UnknownDayError``, it is never guessed.
Never: reads a clock, or knows which days a country works.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, tzinfo
from itertools import pairwise
from math import inf

from callcenter.errors import BadInput

Span = tuple[float, float]
"""From an instant to another, epoch seconds; the end may be ``inf``."""
Works = Callable[[date], bool | None]
"""Whether people work on a day; ``None``: nobody has published it yet."""
DAY_MINUTES = 24 * 60


class UnknownDayError(Exception):
    """Counting came to ``day``, of which the calendar knows nothing."""

    def __init__(self, day: date) -> None:
        super().__init__(f"the calendar of {day.year} is not known")
        self.day = day


@dataclass(frozen=True, slots=True)
class Calendar:
    """``hours``: minutes of the day from and to, in order; none: all time counts."""

    zone: tzinfo
    hours: tuple[tuple[int, int], ...] = ()
    works: Works = lambda day: True

    def stretches(self, since: float) -> Iterator[Span]:
        """What counts, from an instant on, in order; without an end. Raises ``UnknownDayError``."""
        if not self.hours:
            yield since, inf
            return
        day = datetime.fromtimestamp(since, self.zone).date()
        while True:
            works = self.works(day)
            if works is None:
                raise UnknownDayError(day)
            for first, last in self.hours if works else ():
                begin, end = max(since, self.instant(day, first)), self.instant(day, last)
                if begin < end:
                    yield begin, end
            day += timedelta(days=1)

    def instant(self, day: date, minute: int) -> float:
        """The instant of a minute of a day; the end of the day is the beginning of the next."""
        if minute >= DAY_MINUTES:
            day, minute = day + timedelta(days=1), minute - DAY_MINUTES
        return datetime.combine(day, time(minute // 60, minute % 60), self.zone).timestamp()


def parse_hours(texts: Sequence[str]) -> tuple[tuple[int, int], ...]:
    """``("09:00-12:00", "13:00-18:00")`` as minutes. Raises ``BadInput``: no such hours, out of order, or none."""
    found = []
    for text in texts:
        ends = [_minute(part.strip()) for part in text.split("-")]
        if len(ends) != 2 or ends[0] is None or ends[1] is None or ends[0] >= ends[1]:
            raise BadInput(f"{text[:20]!r} are no hours; write them as in '09:00-17:00'.")
        found.append((ends[0], ends[1]))
    if not found or any(one[1] > next_[0] for one, next_ in pairwise(found)):
        raise BadInput("hours of work must be in order and not overlap, and there must be some.")
    return tuple(found)


def _minute(text: str) -> int | None:
    hour, _, minute = text.partition(":")
    if not (hour.isdecimal() and minute.isdecimal() and len(hour) <= 2 and len(minute) == 2):
        return None
    found = int(hour) * 60 + int(minute)
    return found if int(minute) < 60 and found <= DAY_MINUTES else None


def elapsed(calendar: Calendar, since: float, until: float, pauses: Sequence[Span] = ()) -> float:
    """Seconds that count from ``since`` to ``until``. Raises ``UnknownDayError``."""
    total = 0.0
    for begin, end in calendar.stretches(since):
        if begin >= until:
            break
        total += sum(stop - start for start, stop in _without(begin, min(end, until), sorted(pauses)))
        if end >= until:
            break
    return total


def due(calendar: Calendar, since: float, seconds: float, pauses: Sequence[Span] = ()) -> float | None:
    """When so many seconds that count have gone by since the instant; ``None`` if a pause without an end comes before.

    Raises ``UnknownDayError``.
    """
    ordered = sorted(pauses)
    never = min((start for start, stop in ordered if stop == inf), default=inf)
    left = seconds
    for begin, end in calendar.stretches(since):
        if begin >= never:
            return None
        for start, stop in _without(begin, end, ordered):
            if stop - start >= left:
                return start + left
            left -= stop - start
    return None


def _without(begin: float, end: float, pauses: Sequence[Span]) -> Iterator[Span]:
    """The parts of a stretch in which there is no pause. ``pauses``: sorted; they may overlap, and one that ends before
    it begins (a clock was set back) is none."""
    for start, stop in pauses:
        if start >= end:
            break
        if stop <= max(begin, start):
            continue
        if start > begin:
            yield begin, start
        begin = max(begin, stop)
    if begin < end:
        yield begin, end
