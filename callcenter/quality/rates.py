"""How often the standard's phrases were said, by seat and over time (E1): counted, never averaged.

Place on the path of a call: long after it, from the findings of many. As metrics the same stands by queue, not by seat.
Promises: pure; a share is of calls in which the phrase was due and a machine was sure; doubtful ones are counted apart.
Never: reads a clock or the store.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

WEEK_SECONDS = 7 * 86_400.0
PHRASES = ("greeting", "wait_announcement", "closing")
"""Shown apart, in the order of a call; all forbidden ones are one figure."""
FORBIDDEN = "forbidden"


@dataclass(frozen=True, slots=True)
class Counted:
    """Calls of a seat in a week in which a phrase was said, was not, or may have been. ``phrase``: one of
    ``PHRASES``, or ``FORBIDDEN``: then ``said`` are calls with any of them."""

    seat: str
    week: int
    phrase: str
    said: int
    not_said: int
    doubtful: int

    @property
    def share(self) -> float | None:
        """Of the calls in which it was said or not; ``None`` without any."""
        return self.said / (self.said + self.not_said) if self.said + self.not_said else None


@dataclass(frozen=True, slots=True)
class Judged:
    """One finding of one call, as the store counts them."""

    seat: str
    week: int
    call: int
    phrase: str
    kind: str
    found: bool
    doubtful: bool


def counted(found: Iterable[Judged]) -> list[Counted]:
    """By seat, week and phrase, in that order."""
    sums: dict[tuple[str, int, str], list[set[int]]] = {}
    for one in found:
        phrase = FORBIDDEN if one.kind == "forbidden" else one.phrase
        if phrase in (*PHRASES, FORBIDDEN):
            said, not_said, doubtful = sums.setdefault((one.seat, one.week, phrase), [set(), set(), set()])
            (doubtful if one.doubtful else said if one.found else not_said).add(one.call)
    told = []
    for (seat, week, phrase), (said, not_said, doubtful) in sorted(sums.items()):
        # A call with a forbidden phrase has nine others that were not said.
        doubted = doubtful - said
        told.append(Counted(seat, week, phrase, len(said), len(not_said - said - doubted), len(doubted)))
    return told


def together(rows: Sequence[Counted], phrase: str) -> Counted:
    """All weeks of one seat's phrase, or all seats of a week."""
    mine = [row for row in rows if row.phrase == phrase]
    said, not_said, doubtful = (sum(getattr(r, name) for r in mine) for name in ("said", "not_said", "doubtful"))
    return Counted(mine[0].seat if mine else "", -1, phrase, said, not_said, doubtful)
