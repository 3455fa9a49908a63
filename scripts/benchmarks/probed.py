"""Child: ``callcenter run`` as it is, with a watch on the way of a change to the screens.

Says at its end when each event was taken in, by Asterisk's time of it; when a change of what the screens show was
committed; and when each drawing began and was done, so that screens could be told. All by the monotonic clock.
"""

import sys
import time
from collections.abc import Sequence

from benchmarks.measure import say
from callcenter.ami.events import Event
from callcenter.app import Daemon
from callcenter.cli import main
from callcenter.pipeline import Changed, Pipeline
from callcenter.web.wallboard import Screens

taken: dict[float, float] = {}
committed: dict[float, float] = {}
drawn: list[list[float]] = []

_events, _published, _draw, _tell = Pipeline.events, Daemon._published, Screens._draw, Screens._tell


def events(self: Pipeline, some: list[Event]) -> None:
    now = time.monotonic()
    for event in some:
        at = getattr(event, "at", None)
        if at is not None:
            taken.setdefault(round(at, 6), now)
    _events(self, some)


def published(self: Daemon, changes: Sequence[Changed], seats: frozenset[str]) -> None:
    _published(self, changes, seats)
    now = time.monotonic()
    for change in changes:
        for at in (change.after.first_ring_at, change.after.ended_at):
            if at is not None:
                committed.setdefault(round(at, 6), now)


async def draw(self: Screens, languages: Sequence[str]) -> None:
    drawn.append([time.monotonic()])
    await _draw(self, languages)


async def tell(self: Screens) -> int:
    drawn[-1].append(time.monotonic())
    return await _tell(self)


if __name__ == "__main__":
    Pipeline.events, Daemon._published = events, published  # type: ignore
    Screens._draw, Screens._tell = draw, tell  # type: ignore
    code = main(sys.argv[1:])
    say(taken=list(taken.items()), committed=list(committed.items()), drawn=[one for one in drawn if len(one) == 2])
    sys.exit(code)
