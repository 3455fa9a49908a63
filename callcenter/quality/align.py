"""Laying a piece of a phrase over what was heard: the cheapest way to turn the one into the other.

Place on the path of a call: below ``quality/matching``, which decides where it is worth trying.
Promises: pure; the least cost of all alignments inside the stretch, with where it lies. Never: decides whether that is
near enough.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from callcenter.quality.sounds import BOUNDARY, Row, Unit, row, units

_LIGHT = frozenset("的了啊呢吧吗呀哦嘛就也地得着个")
_LIGHT_WORDS = frozenset(("a", "an", "the", "to", "for", "is", "please"))
ONE_OF = re.compile(r"(\((?:\w\|)+\w\))")
LIGHT_WEIGHT = 0.4
"""Of a function word: speakers swallow it, recognisers drop it."""
EXTRA: Mapping[str, float] = dict.fromkeys("嗯啊呃哦额唉诶呢吧呀嘛的了就那这个", 0.15) | {
    BOUNDARY: 0.15,
    "uh": 0.1,
    "um": 0.1,
}
"""What a word costs that stands between those of the phrase; any other costs ``EXTRA_WORD``."""
EXTRA_WORD = 0.5


@dataclass(frozen=True, slots=True)
class Piece:
    """Units that follow one another. ``weights``: of each, 1 or less. ``extra``: what more may stand between costs.

    ``choices``: the units that each place may hold (none: digits). Of their ``classes`` at least
    ``least`` have to be heard to make laying it worth while. ``exact`` finds it as it is written."""

    text: str
    rows: tuple[Row, ...]
    weights: tuple[float, ...]
    choices: tuple[tuple[Unit, ...], ...]
    extra: Mapping[str, float]
    weight: float = field(init=False, default=0.0)
    classes: frozenset[str] = field(init=False, default=frozenset())
    least: int = field(init=False, default=0)
    exact: re.Pattern[str] | None = field(init=False, default=None)

    def __post_init__(self) -> None:
        put = object.__setattr__
        put(self, "weight", sum(self.weights))
        put(self, "classes", frozenset(unit[2] for one in self.choices for unit in one))
        put(self, "least", (1 + 3 * len(self.choices)) // 5)
        same = ["".join(c for c, cost in row.items() if cost == 0 and len(c) == 1) for row in self.rows]
        if self.choices and all(same):
            put(self, "exact", re.compile("".join(f"[{re.escape(one)}]" for one in same)))

    def __hash__(self) -> int:
        return id(self)


class Line:
    """What was heard, as units; beside it their classes, and their characters where each unit is one."""

    def __init__(self, units: Sequence[Unit]) -> None:
        self.units = units
        self.classes = [unit[2] for unit in units]
        joined = "".join([unit[0] for unit in units])
        self.characters = joined if len(joined) == len(units) else ""


@dataclass(frozen=True, slots=True)
class Laid:
    """A piece laid over units ``start`` to ``end`` (exclusive), at this cost."""

    cost: float
    start: int
    end: int


def piece_of(text: str, language: str) -> Piece:
    """A piece of ordinary words; ``(a|b)`` in it is one character or the other."""
    choices: list[tuple[Unit, ...]] = []
    for part in ONE_OF.split(text):
        if ONE_OF.fullmatch(part):
            choices.append(tuple(unit for c in part[1:-1].split("|") for unit in units(c, language)))
        else:
            choices += [(unit,) for unit in units(part, language)]
    light = _LIGHT_WORDS if language == "en" else _LIGHT
    weights = tuple(LIGHT_WEIGHT if one[0][0] in light and len(choices) > 3 else 1.0 for one in choices)
    return Piece(text, tuple(row(one, language) for one in choices), weights, tuple(choices), EXTRA)


def lay(piece: Piece, line: Line, low: int, high: int) -> Laid:
    """The cheapest place of ``piece`` within ``line`` from ``low`` to ``high``; the earliest of equal ones."""
    low, high = max(0, low), min(high, len(line.units))
    if piece.exact is not None and line.characters and (found := piece.exact.search(line.characters, low, high)):
        return Laid(0.0, found.start(), found.end())
    if piece.least and len(piece.classes.intersection(line.classes[low:high])) < piece.least:
        return Laid(piece.weight, low, low)
    return _cheapest(piece, line.units, low, high)


def _cheapest(piece: Piece, heard: Sequence[Unit], low: int, high: int) -> Laid:
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
