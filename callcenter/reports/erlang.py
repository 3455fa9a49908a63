"""How many seats a load needs: Erlang C; and how many the standard asks for, whatever the load (A6).

Place on the path of a call: before it; the forecast asks here.
Promises: the share of calls answered in time, the mean wait and the occupancy of a number of seats, and the fewest
seats that reach a target. The model (M/M/n): calls come independently of each other, handle times are exponential,
nobody gives up; so it asks for a seat too many rather than too few where callers give up. Erlang B is worked up seat by
seat, which stays exact where factorials overflow.
Never: knows breaks, training or absence; seats are such as take calls.
"""

import math
from dataclasses import dataclass

MAX_SEATS = 5_000
SEATS_PER_1000_USERS = 2
"""A6."""


@dataclass(frozen=True, slots=True)
class Staffing:
    """What so many seats give. ``share``: answered within the threshold; ``occupancy``: of their time, both 0 to 1.
    ``asa_seconds`` is ``None`` where the queue would grow for ever."""

    seats: int
    share: float
    occupancy: float
    asa_seconds: float | None


def seats_by_rule(supported_users: int) -> int:
    """A6: two seats for each thousand of those whom the hotline serves; a part of a seat is a seat."""
    return -(-supported_users * SEATS_PER_1000_USERS // 1000)


def erlang_b(seats: int, erlangs: float) -> float:
    """The probability that all seats are busy if nobody may wait."""
    busy = 1.0
    for number in range(1, seats + 1):
        busy = erlangs * busy / (number + erlangs * busy)
    return busy


def erlang_c(seats: int, erlangs: float) -> float:
    """The probability that a caller has to wait; 1 where the load is as large as the seats."""
    return _waits(seats, erlangs, erlang_b(seats, erlangs))


def _waits(seats: int, erlangs: float, busy: float) -> float:
    if erlangs <= 0:
        return 0.0
    if seats <= erlangs:
        return 1.0
    return seats * busy / (seats - erlangs * (1 - busy))


def load(calls: float, seconds: float, aht_seconds: float) -> float:
    """Erlangs of so many calls in so many seconds."""
    return calls * aht_seconds / seconds


def staffing(seats: int, erlangs: float, aht_seconds: float, threshold_seconds: float) -> Staffing:
    """What ``seats`` give at a load."""
    return _staffing(seats, erlangs, aht_seconds, threshold_seconds, erlang_c(seats, erlangs))


def _staffing(seats: int, erlangs: float, aht: float, threshold: float, waits: float) -> Staffing:
    if erlangs <= 0:
        return Staffing(seats, 1.0, 0.0, 0.0)
    if seats <= erlangs:
        return Staffing(seats, 0.0, 1.0, None)
    spare = seats - erlangs
    share = 1 - waits * math.exp(-spare * threshold / aht)
    return Staffing(seats, share, erlangs / seats, waits * aht / spare)


def seats_for(erlangs: float, aht_seconds: float, target_share: float, threshold_seconds: float) -> Staffing | None:
    """The fewest seats that answer the target share in time; none for no load, ``None`` beyond ``MAX_SEATS``."""
    if erlangs <= 0:
        return Staffing(0, 1.0, 0.0, 0.0)
    busy = 1.0
    for seats in range(1, MAX_SEATS + 1):
        busy = erlangs * busy / (seats + erlangs * busy)
        if seats > erlangs:
            found = _staffing(seats, erlangs, aht_seconds, threshold_seconds, _waits(seats, erlangs, busy))
            if found.share >= target_share:
                return found
    return None
