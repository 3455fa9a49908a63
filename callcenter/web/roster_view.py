"""The duty roster as the screens show it (A5): who is late, missing or gone, and who of the next shift is not there.

Place on the path of a call: beside it; made with the wallboard's picture, and for the supervisor's desk.
Promises: pure; names of seats are those of the screen; who is ready is counted and not listed. Never: a person's name
on a screen whose settings do not say so.
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

from callcenter.roster.duty import Muster, Post, State

MOST_LABELS = 4
"""Of each state on the big screen."""
ORDER = (State.MISSING, State.LATE, State.LEFT, State.UNKNOWN, State.BREAK, State.READY)


@dataclass(frozen=True, slots=True)
class Place:
    """A planned seat that is not ready. ``since``: of its state."""

    label: str
    seat: str
    shift: str
    state: State
    since: float


@dataclass(frozen=True, slots=True)
class Next:
    """A shift that begins soon. ``away``: who is not there yet; ``unknown``: of whom nothing is known."""

    shift: str
    begins_at: float
    planned: int
    away: tuple[str, ...]
    unknown: int


@dataclass(frozen=True, slots=True)
class Roster:
    """``places``: all that are not ready, the worst first. ``next_at``: when the next shift begins, however far off."""

    shifts: tuple[str, ...]
    planned: int
    ready: int
    places: tuple[Place, ...]
    ready_labels: tuple[str, ...]
    coming: tuple[Next, ...]
    next_at: float | None
    planned_until: float

    @property
    def gone(self) -> tuple[Place, ...]:
        """Who should be there and is not."""
        return tuple(one for one in self.places if one.state in (State.MISSING, State.LATE, State.LEFT))

    @property
    def breaks(self) -> int:
        return sum(one.state is State.BREAK for one in self.places)

    @property
    def unknown(self) -> int:
        return sum(one.state is State.UNKNOWN for one in self.places)


def roster_of(
    muster: Muster | None, name: Callable[[str], str], hidden: Collection[str] = frozenset()
) -> Roster | None:
    """``name``: of a seat on this screen; ``hidden``: seats that it does not show."""
    if muster is None:
        return None
    posts = [post for post in muster.posts if post.key.seat not in hidden]
    places = [
        Place(name(post.key.seat), post.key.seat, post.key.shift, post.state, post.since)
        for post in posts
        if post.state is not State.READY
    ]
    ready = sorted(name(post.key.seat) for post in posts if post.state is State.READY)
    return Roster(
        shifts=tuple(dict.fromkeys(post.key.shift for post in posts)),
        planned=len(posts),
        ready=len(ready),
        places=tuple(sorted(places, key=lambda one: (ORDER.index(one.state), one.label, one.seat))),
        ready_labels=tuple(ready),
        coming=_coming(muster, name, hidden),
        next_at=muster.next_at,
        planned_until=muster.planned_until,
    )


def _coming(muster: Muster, name: Callable[[str], str], hidden: Collection[str]) -> tuple[Next, ...]:
    shown = [one for one in muster.coming if one.key.seat not in hidden]
    found = []
    for shift, begins_at in dict.fromkeys((one.key.shift, one.key.begins_at) for one in shown):
        own = [one for one in shown if (one.key.shift, one.key.begins_at) == (shift, begins_at)]
        away = tuple(sorted(name(one.key.seat) for one in own if one.there is False))
        found.append(Next(shift, begins_at, len(own), away, sum(one.there is None for one in own)))
    return tuple(found)


def worth_telling(posts: Sequence[Post]) -> list[Post]:
    """Of a day's posts those that were late, never there or gone, the latest shift first."""
    told = [post for post in posts if post.late or post.lefts]
    return sorted(told, key=lambda post: (-post.key.begins_at, post.key.shift, post.key.seat))
