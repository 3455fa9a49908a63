"""One report: what was asked, the lines that answer it, and the same of the interval before.

Place on the path of a call: long after it; the page, the command and the exports all show what ``Report`` holds.
Promises: every call of the interval is in exactly one line; the lines of a key add up to its total, and the totals to
the whole; a key that had calls has a line in every piece of time, so that "no calls" is seen and not left out.
Never: asks the store (``reports/reading`` does), or knows a person's name.
"""

import math
from array import array
from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cache
from operator import itemgetter
from types import MappingProxyType
from typing import overload
from zoneinfo import ZoneInfo

from callcenter.days import Days
from callcenter.metrics.service_levels import Targets, Variant, base, service_level
from callcenter.reports.figures import Adder, Arrival, Cell, Sums, Wait, percentile
from callcenter.reports.periods import Grain, Interval, Period, bounds, placer
from callcenter.settings.sections import Settings

Where = tuple[int | None, str | None]
"""A piece of time and a key; ``None`` for all of them."""
NO_GROUP = ""
"""The key of calls that belong to no queue, group or seat, because none answered."""
BLIND_SHARE = 0.01
"""Of an interval that more than this was not observed of nothing is said to be better or worse."""


class By(StrEnum):
    """What the lines are told apart by."""

    NONE = "none"
    QUEUE = "queue"
    SEAT_GROUP = "seat_group"
    LEVEL = "level"
    SEAT = "seat"


@dataclass(frozen=True, slots=True)
class Site:
    """What a report needs to know of the site."""

    zone: ZoneInfo
    targets: Targets = field(default_factory=Targets)
    variant: Variant = Variant.ABANDONS_BAD
    """How the contract counts those who gave up."""
    target_share: float = 0.8
    """Of the service level."""
    groups: Mapping[str, tuple[str, ...]] = field(default_factory=lambda: MappingProxyType({}))
    """Seats of each seat group; a seat is in one at most."""
    supported_users: int = 0
    """Whom the hotline serves (A6); 0 where nobody told."""
    own_days: Days | None = None
    """The site's calendar; without it, what its zone says."""

    @classmethod
    def of(cls, settings: Settings, days: Days) -> "Site":
        level = settings.service_level
        groups = {name: group.seats for name, group in settings.seat_groups.items()}
        zone, share = ZoneInfo(settings.site.timezone), level.target_percent / 100.0
        return cls(zone, settings.targets, Variant(level.variant), share, groups, settings.site.supported_users, days)

    @property
    def days(self) -> Days:
        return self.own_days or Days.of(self.zone)

    def group_of(self, seat: str) -> str:
        return next((name for name, seats in self.groups.items() if seat in seats), NO_GROUP)


@dataclass(frozen=True, slots=True)
class Question:
    """``queue``, ``group`` and ``level``: only these calls; ``None`` is all. ``group``: answered by its seats."""

    interval: Interval
    grain: Grain = Grain.DAY
    by: By = By.NONE
    queue: str | None = None
    group: str | None = None
    level: str | None = None

    @property
    def needs_seats(self) -> bool:
        return self.by in (By.SEAT, By.SEAT_GROUP) or self.group is not None

    def keys(self, site: Site) -> Callable[[str, str], str | None]:
        """Tells the key of calls by their queue and seat; ``None`` of such as are not wanted."""

        @cache
        def key(queue: str, seat: str) -> str | None:
            return self._key(site, queue, seat) if self._wants(site, queue, seat) else None

        return key

    def _wants(self, site: Site, queue: str, seat: str) -> bool:
        return (
            (self.queue is None or queue == self.queue)
            and (self.level is None or site.targets.of(queue).service_class == self.level)
            and (self.group is None or (bool(seat) and site.group_of(seat) == self.group))
        )

    def _key(self, site: Site, queue: str, seat: str) -> str:
        match self.by:
            case By.QUEUE:
                return queue
            case By.LEVEL:
                return site.targets.of(queue).service_class
            case By.SEAT_GROUP:
                return site.group_of(seat) if seat else NO_GROUP
            case By.SEAT:
                return seat
        return NO_GROUP


@dataclass(frozen=True, slots=True)
class Line:
    """The figures of one key in one piece of time; ``period`` is ``None`` in a total, ``key`` in the sum of all."""

    period: Period | None
    key: str | None
    sums: Sums
    wait_p50: float | None = None
    wait_p90: float | None = None
    unobserved_seconds: float = 0.0
    """Of the piece of time, whatever the key: nobody listened to Asterisk."""
    over_seconds: float = math.inf
    """How much of the piece of time, or of all of them, is over at the report's ``now``."""
    gap_calls: int = 0
    """Of the calls of a half-hour: those that arrived while nobody listened, as Asterisk's call records tell."""

    @property
    def to_come(self) -> bool:
        """Nothing can be said of it yet, not even that there were no calls."""
        return self.over_seconds <= 0

    @property
    def observed_seconds(self) -> float:
        return max(0.0, self.over_seconds - self.unobserved_seconds)

    @property
    def unseen(self) -> bool:
        """It is over, and nobody observed any of it: that there are no calls says nothing."""
        return self.over_seconds > 0 and self.observed_seconds < 1.0 and not self.sums.calls

    def level(self, variant: Variant) -> float | None:
        return service_level(self.sums.tally, variant)

    def base(self, variant: Variant) -> int:
        return base(self.sums.tally, variant)


class Lines(Sequence[Line]):
    """By piece of time, then by key. A line is worked out when it is asked for: half a million of half-hours and seats
    may lie behind the hundreds that a page shows."""

    def __init__(self, line: Callable[[int, str | None], Line], pieces: int, keys: Sequence[str | None]) -> None:
        self._line = line
        self._pieces = pieces
        self._keys = keys

    def __len__(self) -> int:
        return self._pieces * len(self._keys)

    @overload
    def __getitem__(self, index: int) -> Line: ...

    @overload
    def __getitem__(self, index: slice) -> tuple[Line, ...]: ...

    def __getitem__(self, index: int | slice) -> Line | tuple[Line, ...]:
        place = range(len(self))[index]
        if isinstance(place, range):
            return tuple(self[number] for number in place)
        piece, key = divmod(place, len(self._keys))
        return self._line(piece, self._keys[key])


@dataclass(frozen=True, slots=True)
class Report:
    question: Question
    site: Site
    lines: Lines
    together: Lines
    """By piece of time, all keys in one."""
    totals: tuple[Line, ...]
    """Of each key; none where nothing tells lines apart."""
    whole: Line
    before: "Report | None" = None
    """The previous interval, with totals only; of one that is not over the same part of the one before."""
    now: float = math.inf
    """Epoch seconds. What lies after it was not asked for or is still to come."""

    @property
    def over(self) -> bool:
        """Whether ``now`` cuts nothing off."""
        return self.now >= bounds(self.question.interval, self.site.zone)[1]

    @property
    def blind(self) -> bool:
        """Too little of it was observed to be held against another interval."""
        return self.whole.unobserved_seconds > BLIND_SHARE * self.whole.over_seconds

    @property
    def comparable(self) -> bool:
        """Whether better and worse can be told of this interval and the one before."""
        return self.before is not None and not self.blind and not self.before.blind

    def total_before(self, key: str | None) -> Line | None:
        """The line of the interval before that a total is compared with."""
        if self.before is None:
            return None
        if key is None:
            return self.before.whole
        return next((line for line in self.before.totals if line.key == key), None)


class Sheet:
    """Adds up what a report is made of, as it is read. Its own thread may do so, and the report's lines ask it."""

    def __init__(self, question: Question, site: Site, pieces: Sequence[Period]) -> None:
        self._question = question
        self._site = site
        self._pieces = pieces
        self._place, self._key_of = placer(pieces), question.keys(site)
        self._added = Adder()
        self._waits: defaultdict[Where, array[float]] = defaultdict(lambda: array("d"))
        self._in_gaps = Counter[Where]()
        self._found: set[str] = set()

    def add_cells(self, cells: Iterable[Cell]) -> None:
        """Each within one of the pieces of time."""
        for since, queue, seat, numbers in cells:
            piece, key = self._place(since), self._key_of(queue, seat)
            if piece is not None and key is not None:
                self._found.add(key)
                for where in ((piece, key), (piece, None), (None, key), (None, None)):
                    self._added.add(where, numbers)

    def add_waits(self, waits: Iterable[Wait]) -> None:
        for at, queue, seat, seconds in waits:
            piece, key = self._place(at), self._key_of(queue, seat)
            if piece is not None and key is not None:
                for where in ((piece, key), (piece, None), (None, key), (None, None)):
                    self._waits[where].append(seconds)

    def add_recovered(self, arrivals: Iterable[Arrival], gaps: Sequence[tuple[float, float]]) -> None:
        """Notes those that arrived in a gap. ``gaps``: in order, none of them overlaps another."""
        for at, queue, seat in arrivals:
            piece, key = self._place(at), self._key_of(queue, seat)
            number = bisect_right(gaps, at, key=itemgetter(0)) - 1
            if piece is not None and key is not None and number >= 0 and at < gaps[number][1]:
                self._in_gaps.update(((piece, key), (piece, None), (None, key), (None, None)))

    def report(
        self, unobserved_seconds: Sequence[float], before: Report | None = None, now: float = math.inf
    ) -> Report:
        """``unobserved_seconds``: of each piece of time up to ``now``."""
        by, pieces, blind = self._question.by, self._pieces, sum(unobserved_seconds)
        over = [max(0.0, min(piece.until, now) - piece.since) for piece in pieces]
        all_over = sum(over)
        keys = sorted(self._found) or ([NO_GROUP] if by is By.NONE else [])

        def line(piece: int | None, key: str | None) -> Line:
            period, unseen = (None, blind) if piece is None else (pieces[piece], unobserved_seconds[piece])
            passed = all_over if piece is None else over[piece]
            where = piece, key
            sums, in_gaps = self._added.sums(where), self._in_gaps[where]
            return Line(period, key, sums, *self._percentiles(where), unseen, passed, in_gaps)

        return Report(
            self._question,
            self._site,
            Lines(line, len(pieces), keys),
            Lines(line, len(pieces), (None,)),
            tuple(line(None, key) for key in keys) if by is not By.NONE else (),
            line(None, None),
            before,
            now,
        )

    def _percentiles(self, where: Where) -> tuple[float | None, float | None]:
        ordered = sorted(self._waits.get(where, ()))
        return percentile(ordered, 0.5), percentile(ordered, 0.9)
