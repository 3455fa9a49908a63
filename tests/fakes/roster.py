"""A duty roster over the memory's seats, by the real comparison: for pages and pictures."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from callcenter.roster.duty import Key, Muster, Post, Seen, Standing, coming, look
from callcenter.roster.plan import Turn
from callcenter.web.ports import Phone
from tests.fakes.web import Memory

MISSING_SECONDS, PREPARE_SECONDS = 600.0, 600.0
SHANGHAI = ZoneInfo("Asia/Shanghai")
AROUND_THE_CLOCK = """
first = {first}
last = {last}
[shifts.all]
begins = "00:00"
ends = "24:00"
seats = ["1001"]
"""
"""A plan in which seat 1001 is always due. ``first`` and ``last``: its days."""


class Planned:
    """``web.roster_ports.Roster``. ``turns``: what is planned; what is there is the memory's."""

    def __init__(self, memory: Memory) -> None:
        self.memory = memory
        self.turns: list[Turn] = []
        self.posts: dict[Key, Post] = {}
        self.wrong: tuple[str, ...] = ()
        self.planned_until: float | None = None

    def seen(self, extension: str) -> Seen:
        seat = self.memory.seat_states.get(extension)
        if seat is None or seat.phone is Phone.UNREACHABLE:
            return Seen(Standing.AWAY, seat.since or 0.0 if seat is not None else 0.0)
        if seat.phone is Phone.UNKNOWN:
            return Seen(Standing.UNKNOWN, seat.since or 0.0)
        if seat.paused:
            return Seen(Standing.PAUSED, seat.paused_since or 0.0, "break")
        return Seen(Standing.THERE, seat.since or 0.0)

    def looked(self, now: float, states: Mapping[str, Standing]) -> None:
        """A look of the past: these seats stood so, the others were there."""
        self.posts = look(
            self.turns,
            lambda seat: Seen(states.get(seat, Standing.THERE), now),
            now,
            self.posts,
            MISSING_SECONDS,
        )

    def muster(self) -> Muster | None:
        if not self.turns:
            return None
        now = self.memory.now()
        self.posts = look(self.turns, self.seen, now, self.posts, MISSING_SECONDS)
        later = min((turn.begins_at for turn in self.turns if turn.begins_at > now), default=None)
        until = self.planned_until if self.planned_until is not None else now + 100 * 3600
        return Muster(
            now, tuple(self.posts.values()), coming(self.turns, self.seen, now, PREPARE_SECONDS), later, until
        )

    def problems(self) -> Sequence[str]:
        return self.wrong

    async def between(self, since: float, until: float) -> Sequence[Post]:
        return [post for post in self.posts.values() if post.ends_at > since and post.key.begins_at < until]


def turn(name: str, begins_at: float, ends_at: float, *seats: str) -> Turn:
    return Turn(name, datetime.fromtimestamp(begins_at, SHANGHAI).date(), begins_at, ends_at, seats)


def stage(planned: Planned) -> None:
    """A shift of most of the memory's seats with everything that may happen, and the next one in eight minutes."""
    now = planned.memory.now()
    seats = sorted(planned.memory.seat_states)
    early, late = seats[: len(seats) * 2 // 3] or seats, seats[-max(2, len(seats) // 4) :]
    begun = now - timedelta(minutes=25).total_seconds()
    planned.turns = [
        turn("早班", begun, now + 4 * 3600, *early),
        turn("晚班", now + 480, now + 8 * 3600, *late, "1999"),
    ]
    planned.posts = {}
    away = dict.fromkeys(early[3::8], Standing.AWAY) | dict.fromkeys(early[:1], Standing.AWAY)
    planned.looked(begun, away)
    planned.looked(begun + 1, away)
    planned.looked(begun + 260, dict.fromkeys(early[3:4], Standing.AWAY))
    planned.muster()
