"""Every seat as the big screen shows it, kept from one drawing to the next.

On the path of a call: ``web/live.Hub`` says which seats a commit changed; only these are looked at for the next
drawing. Thousands of seats take longer to look at than all the rest of it.
Promises: the same as looking at all of them, but for what the time alone changes (a wrap-up that nobody finishes),
which is there within ``WHOLE_SECONDS``. Never: decides what a seat does.
"""

import asyncio
import time
from collections.abc import Collection, Sequence

from callcenter.web.board_ports import Board, Day
from callcenter.web.ports import Desk, Link, Seat
from callcenter.web.wallboard_seats import SeatNow
from callcenter.web.window import honest, seen

WHOLE_SECONDS = 5.0
SEATS_AT_ONCE = 500
"""So many are looked at before the loop looks at anything else."""


class SeatsNow:
    """One reader at a time may call ``kept``; ``all`` is for whoever needs them at once."""

    def __init__(self, desk: Desk, board: Board) -> None:
        self._desk, self._board = desk, board
        self._kept: dict[str, SeatNow] = {}
        self._changed: set[str] = set()
        self._whole_due = 0.0
        self._basis: object = None
        """What every seat's picture depends on."""

    def touch(self, seats: Collection[str] | None) -> None:
        """These are others now; ``None``: nobody knows which."""
        if seats is None:
            self._whole_due = 0.0
        else:
            self._changed.update(seats)

    def all(self, link: Link, day: Day | None, now: float) -> Sequence[SeatNow]:
        return [self._seat(seat, link, day, now) for seat in self._desk.seats()]

    async def kept(self, link: Link, day: Day | None, now: float) -> Sequence[SeatNow]:
        """As ``all``, but in pieces, and mostly from memory. What changes meanwhile is in the next answer."""
        changed, self._changed = self._changed, set()
        basis = (link, day.since if day is not None else None)
        if basis != self._basis or time.monotonic() >= self._whole_due:
            self._basis, self._whole_due = basis, time.monotonic() + WHOLE_SECONDS
            await self._look_at_all(link, day, now)
        else:
            for extension in filter(self._desk.is_seat, changed):
                self._kept[extension] = self._seat(self._desk.seat(extension), link, day, now)
        return list(self._kept.values())

    async def _look_at_all(self, link: Link, day: Day | None, now: float) -> None:
        kept = {}
        for number, seat in enumerate(self._desk.seats(), 1):
            kept[seat.extension] = self._seat(seat, link, day, now)
            if number % SEATS_AT_ONCE == 0:
                await asyncio.sleep(0)
        self._kept = kept

    def _seat(self, seat: Seat, link: Link, day: Day | None, now: float) -> SeatNow:
        calls, wrapping_up = self._desk.calls_of(seat.extension), self._board.wrapping_up(seat.extension)
        return SeatNow(
            seat,
            honest(seen(seat, calls, wrapping_up, now), link),
            tuple(self._board.queues_of(seat.extension)),
            day.missed.get(seat.extension, 0) if day is not None else None,
            frozenset(self._board.paused_in(seat.extension)),
        )
