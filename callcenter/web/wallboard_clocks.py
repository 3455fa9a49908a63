"""The clocks of tickets on screens (D1, D2): by level, and the worst of them.

Beside ``wallboard_view``. Promises: pure; a level without tickets is there, too, so that nothing moves; what the store
does not tell is ``None``. Never: a caller's name or number.
"""

from collections.abc import Collection, Sequence

from callcenter.tickets.clocks import LEVELS
from callcenter.web.board_ports import Day
from callcenter.web.clock_ports import OfLevel, Watched, Watching


def levels_of(watched: Watched | None, queues: Collection[str]) -> tuple[tuple[str, OfLevel], ...] | None:
    """Open tickets of these queues by level, the highest first; of all queues for none."""
    if watched is None:
        return None
    found = dict.fromkeys(LEVELS, OfLevel())
    for (queue, level), one in watched.levels.items():
        if not queues or queue in queues:
            found[level] = found.get(level, OfLevel()) + one
    return tuple(found.items())


def open_of(day: Day | None, clocks: Sequence[tuple[str, OfLevel]] | None, queues: Collection[str]) -> int | None:
    """Open tickets: of these queues what their levels add up to, of all queues the day's own count."""
    if queues:
        return None if clocks is None else sum(one.open for _, one in clocks)
    return day.open_tickets if day is not None else None


def first_line_of(watched: Watched | None, queues: Collection[str]) -> tuple[int, int] | None:
    """Calls answered in the last 24 hours, and those solved at the first contact (E3)."""
    if watched is None:
        return None
    chosen = [one for queue, one in watched.first_line.items() if not queues or queue in queues]
    return sum(contacts for contacts, _ in chosen), sum(solved for _, solved in chosen)


RULES = ("D1", "D2", "D3", "D4")


def rules_of(watched: Watched | None, queues: Collection[str]) -> tuple[tuple[str, OfLevel], ...] | None:
    """The clocks that go on, each rule's on their own, of these queues; of all queues for none."""
    if watched is None:
        return None
    found = dict.fromkeys(RULES, OfLevel())
    for (queue, rule), one in watched.rules.items():
        if rule in found and (not queues or queue in queues):
            found[rule] += one
    return tuple(found.items())


def worst_of(watched: Watched | None, queue: str | None) -> tuple[Watching, ...] | None:
    """Clocks breached and at risk of a queue, or of all."""
    if watched is None:
        return None
    return tuple(one for one in watched.worst if queue is None or one.queue == queue)
