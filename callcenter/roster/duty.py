"""Planned beside present (A5): which seats are ready, late, missing, on a break or have left, at each look.

Place on the path of a call: beside it; ``callcenter/duty`` looks once a second, screens, metrics and the history read
what comes of it.
Promises: pure; what ``look`` returns needs nothing but what the last look returned, so that a restart goes on where it
was; lateness is told only where the seat was watched from the shift's begin on; a seat of which nothing is known is
neither there nor late.
Never: reads a clock, knows a person's name.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TypeAlias

from callcenter.roster.plan import Turn

WATCHED_SECONDS = 5.0
"""A first look so soon after the shift's begin still sees who was there at it."""


class Standing(StrEnum):
    """What Asterisk says of a seat, whatever was planned."""

    THERE = "there"
    """Its phone is reachable and it takes calls, or has one."""
    PAUSED = "paused"
    AWAY = "away"
    """Its phone is not registered, or it is logged in to no queue."""
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Seen:
    standing: Standing
    since: float
    reason: str = ""
    """Of the pause."""


class State(StrEnum):
    """Of a planned seat while its shift runs."""

    READY = "ready"
    BREAK = "break"
    LATE = "late"
    """The shift has begun, and it has not been there."""
    MISSING = "missing"
    """Late for too long."""
    LEFT = "left"
    """It was there, and went: without a reason, for too long, or its phone is not reachable."""
    UNKNOWN = "unknown"


ABSENT = frozenset({State.LATE, State.MISSING, State.LEFT})


@dataclass(frozen=True, slots=True)
class Key:
    """One seat in one shift of one day."""

    shift: str
    begins_at: float
    seat: str


@dataclass(frozen=True, slots=True)
class Post:
    """How one seat has kept its shift so far. ``since``: of the state."""

    key: Key
    ends_at: float
    state: State = State.UNKNOWN
    since: float = 0.0
    known_from: float | None = None
    """The first look at which anything was known of it."""
    came: bool = False
    came_at: float | None = None
    """The shift's begin, if it was there then; ``None`` also where nobody watched it come."""
    late: bool = False
    missed: bool = False
    """It was missing."""
    lefts: int = 0
    left_seconds: float = 0.0
    """Without the time that goes on."""

    @property
    def watched(self) -> bool:
        """From the shift's begin on."""
        return self.known_from is not None and self.known_from <= self.key.begins_at + WATCHED_SECONDS

    @property
    def late_seconds(self) -> float | None:
        """How late it came; ``None`` if it has not come, or nobody watched."""
        return None if self.came_at is None else self.came_at - self.key.begins_at

    def left_for(self, now: float) -> float:
        """How long it was away without being allowed to; the end of the shift ends it."""
        gone = min(now, self.ends_at) - self.since if self.state is State.LEFT else 0.0
        return self.left_seconds + max(0.0, gone)


Posts: TypeAlias = Mapping[Key, Post]


@dataclass(frozen=True, slots=True)
class Coming:
    """A planned seat of a shift that begins soon. ``there``: ``None`` where that is not known."""

    key: Key
    there: bool | None
    since: float


@dataclass(frozen=True, slots=True)
class Muster:
    """Everybody who is planned now, and who comes next. ``next_at``: when the next shift begins."""

    at: float
    posts: tuple[Post, ...]
    coming: tuple[Coming, ...]
    next_at: float | None
    planned_until: float
    """The plan reaches so far."""

    def count(self, *states: State) -> int:
        return sum(post.state in states for post in self.posts)


def look(
    turns: Iterable[Turn], seen: Callable[[str], Seen], now: float, before: Posts, missing_seconds: float
) -> dict[Key, Post]:
    """All posts of the shifts that run at ``now``. A seat that is planned no more has none."""
    found = {}
    for turn in turns:
        if turn.begins_at <= now < turn.ends_at:
            for seat in turn.seats:
                key = Key(turn.shift, turn.begins_at, seat)
                known = before.get(key, Post(key, turn.ends_at, since=now))
                found[key] = _post(replace(known, ends_at=turn.ends_at), turn, seen(seat), now, missing_seconds)
    return found


def _post(before: Post, turn: Turn, seen: Seen, now: float, missing_seconds: float) -> Post:
    if seen.standing is Standing.UNKNOWN:
        return _into(before, State.UNKNOWN, now, now)
    post = before if before.known_from is not None else replace(before, known_from=now)
    if seen.standing is Standing.THERE:
        post = post if post.came else _comes(post, seen, now, first=before.known_from is None)
        return _into(post, State.READY, max(turn.begins_at, min(seen.since, now)), now)
    if not post.came:
        over = now - turn.begins_at >= missing_seconds
        post = replace(post, late=post.late or post.watched, missed=post.missed or (over and post.watched))
        return _into(post, State.MISSING if over else State.LATE, turn.begins_at, now)
    since = max(turn.begins_at, min(seen.since, now))
    if _allowed(turn, seen, now):
        return _into(post, State.BREAK, since, now)
    return _into(post, State.LEFT, now if post.state is State.BREAK else since, now)


def _comes(post: Post, seen: Seen, now: float, first: bool) -> Post:
    begins_at = post.key.begins_at
    if seen.since <= begins_at or (first and post.watched):
        return replace(post, came=True, came_at=begins_at)
    return replace(post, came=True, came_at=min(seen.since, now) if post.watched else None)


def _allowed(turn: Turn, seen: Seen, now: float) -> bool:
    """Whether a seat that is not there may be away: in the breaks of its shift, or with a reason for so long."""
    if any(begins <= now < ends for begins, ends in turn.breaks):
        return True
    return seen.standing is Standing.PAUSED and bool(seen.reason) and now - seen.since <= turn.break_seconds


def _into(post: Post, state: State, since: float, now: float) -> Post:
    """The post in a state. Time that it was gone is added up when it ends."""
    if state is post.state:
        return post
    if post.state is State.LEFT:
        post = replace(post, left_seconds=post.left_for(now))
    if state is State.LEFT:
        post = replace(post, lefts=post.lefts + 1)
    return replace(post, state=state, since=since)


def coming(
    turns: Iterable[Turn], seen: Callable[[str], Seen], now: float, prepare_seconds: float
) -> tuple[Coming, ...]:
    """The planned seats of all shifts that begin within so long (A5: ten minutes of preparation)."""
    return tuple(
        Coming(Key(turn.shift, turn.begins_at, seat), _is_there(one), one.since)
        for turn in turns
        if now < turn.begins_at <= now + prepare_seconds
        for seat in turn.seats
        for one in (seen(seat),)
    )


def _is_there(seen: Seen) -> bool | None:
    """A seat that is paused prepares itself."""
    return None if seen.standing is Standing.UNKNOWN else seen.standing is not Standing.AWAY
