"""Laying a piece of a phrase over what was heard: the cheapest way to turn the one into the other.

Place on the path of a call: below ``quality/matching``, which decides where it is worth trying.
Promises: pure; the least cost of all alignments inside the stretch, with where it lies. Never: decides whether that is
near enough.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from callcenter.quality.sounds import BOUNDARY, Row, Unit, row

_LIGHT = frozenset("的了啊呢吧吗呀哦嘛就也是地得着个")
_LIGHT_WORDS = frozenset(("a", "an", "the", "to", "for", "is", "please"))
LIGHT_WEIGHT = 0.4
"""Of a function word: speakers swallow it, recognisers drop it."""
EXTRA: Mapping[str, float] = dict.fromkeys("嗯啊呃哦额唉诶呢吧呀嘛的了就那这个", 0.15) | {BOUNDARY: 0.15, "uh": 0.1, "um": 0.1}
"""What a word costs that stands between those of the phrase; any other costs ``EXTRA_WORD``."""
EXTRA_WORD = 0.5


@dataclass(frozen=True, slots=True)
class Piece:
    """Units that follow one another. ``weights``: of each, 1 or less. ``extra``: what more may stand between costs."""

    text: str
    rows: tuple[Row, ...]
    weights: tuple[float, ...]
    classes: tuple[str, ...]
    extra: Mapping[str, float]

    @property
    def weight(self) -> float:
        return sum(self.weights)

    def __hash__(self) -> int:
        return id(self)


@dataclass(frozen=True, slots=True)
class Laid:
    """A piece laid over units ``start`` to ``end`` (exclusive), at this cost."""

    cost: float
    start: int
    end: int


def piece_of(units: Sequence[Unit], language: str) -> Piece:
    """A piece of ordinary words."""
    light = _LIGHT_WORDS if language == "en" else _LIGHT
    weights = tuple(LIGHT_WEIGHT if unit[0] in light else 1.0 for unit in units)
    if len(units) <= 2:
        weights = (1.0,) * len(units)
    return Piece(
        text=(" " if language == "en" else "").join(unit[0] for unit in units),
        rows=tuple(row(unit, language) for unit in units),
        weights=weights,
        classes=tuple(unit[2] for unit in units),
        extra=EXTRA,
    )


def lay(piece: Piece, heard: Sequence[Unit], low: int, high: int) -> Laid:
    """The cheapest place of ``piece`` within ``heard[low:high]``; the earliest of equal ones."""
    low, high = max(0, low), min(high, len(heard))
    costs, total = [0.0], 0.0
    for weight in piece.weights:
        total += weight
        costs.append(total)
    starts = [low] * len(costs)
    best = Laid(total, low, low)
    pairs = tuple(zip(piece.rows, piece.weights, range(1, len(costs)), strict=False))
    last = len(piece.rows)
    extras = piece.extra
    for at in range(low, high):
        character, sound, _ = heard[at]
        extra = extras.get(character, EXTRA_WORD)
        diagonal, diagonal_start = 0.0, at
        above, above_start = 0.0, at + 1
        for costs_of, weight, n in pairs:
            cost = costs_of.get(character)
            if cost is None:
                cost = costs_of[sound]
            here, here_start = diagonal + cost * weight, diagonal_start
            left, left_start = costs[n], starts[n]
            if left + extra < here:
                here, here_start = left + extra, left_start
            if above + weight < here:
                here, here_start = above + weight, above_start
            costs[n], starts[n] = here, here_start
            diagonal, diagonal_start = left, left_start
            above, above_start = here, here_start
        if costs[last] < best.cost:
            best = Laid(costs[last], starts[last], at + 1)
    return best
