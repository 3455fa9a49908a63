"""Laying a piece of a phrase over what was heard: the cheapest way to turn the one into the other.

Place on the path of a call: below ``quality/matching``, which decides where it is worth trying.
Promises: pure; the least cost of all alignments inside the stretch, with where it lies. What is remembered of earlier
stretches changes nothing. Never: decides whether that is near enough.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from operator import getitem, lt
from typing import Generic, NamedTuple, TypeAlias, TypeVar

from callcenter.quality.likely import lacking, near, near_any, needed
from callcenter.quality.sounds import BOUNDARY, Row, Unit, row, sound_of, units

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
Texts: TypeAlias = Sequence[str]
"""Units as they are written: in Chinese simply a ``str``, in English a tuple of words."""

_MOST_KEPT = 2_000
"""Characters or words whose costs a piece remembers, and stretches whose bits a line does: a hostile text may hold any
number of them."""
_MOST_WINDOWS = 40_000
"""Stretches of text for which it is remembered where a piece lies, about 15 MB: a hotline's sentences are said again
and again."""
_FINE, _PLACES = 10_000, 1 << 20
"""A cost in ten-thousandths and a place, in one number: the least one is the cheapest, of those the earliest."""
ROUNDING = 1e-4
"""Costs that differ by less are equal."""
DOUBT = 10 * ROUNDING
"""How much more than it may cost a piece has to lack before it is not laid at all."""
_K = TypeVar("_K")
_V = TypeVar("_V")


class _Kept(dict[_K, _V], Generic[_K, _V]):
    """Remembers what ``made`` makes, of so many keys."""

    def __init__(self, made: Callable[[_K], _V]) -> None:
        super().__init__()
        self._made = made

    def __missing__(self, key: _K) -> _V:
        if len(self) >= _MOST_KEPT:
            self.clear()
        value = self[key] = self._made(key)
        return value


class Piece:
    """Units that follow one another.

    ``weights``: of each, 1 or less. ``extra``: what more may stand between costs. ``choices``: the units that each
    place may hold (none: digits). ``costs``: by what was heard in a place, what that costs as each of the piece's
    units, and ``extras``: as one too many. ``needed``: what tells that it cannot lie in a stretch (``likely``)."""

    __slots__ = ("choices", "costs", "deleted", "extras", "needed", "text", "weight", "weights")

    def __init__(
        self,
        text: str,
        rows: tuple[Row, ...],
        weights: tuple[float, ...],
        choices: tuple[tuple[Unit, ...], ...],
        extra: Mapping[str, float],
        language: str,
    ) -> None:
        self.text, self.weights, self.choices = text, weights, choices
        self.weight = sum(weights)
        self.needed = 0 if language == "en" else needed(choices, weights)
        self.deleted = tuple(_packed(weight) for weight in weights)
        places = [_place(row, weight, language) for row, weight in zip(rows, weights, strict=True)]
        self.costs: dict[str, tuple[float, ...]] = _Kept(lambda heard: tuple([place[heard] for place in places]))
        self.extras: dict[str, float] = _Kept(lambda heard: _packed(extra.get(heard, EXTRA_WORD)))


def _place(row: Row, weight: float, language: str) -> dict[str, float]:
    """What each thing heard costs in one place: the same in all pieces that have it."""

    def cost(heard: str) -> float:
        known = row.get(heard)
        return _packed((row[sound_of(heard, language)] if known is None else known) * weight)

    return row.places.setdefault(weight, _Kept(cost))


class Line:
    """What was heard (as ``sounds.spoken`` writes it): its units, and a code point for the class of each."""

    __slots__ = ("_near", "_stretches", "classes", "texts")

    def __init__(self, text: str, classes: str, language: str) -> None:
        self.texts: Texts = tuple(text.split()) if language == "en" else text
        self.classes = classes
        self._near = [] if language == "en" else list(map(near, text))
        self._stretches: dict[tuple[int, int], int] = {}

    def stretch(self, low: int, high: int) -> int:
        """What may lie between two units, as bits (``likely``)."""
        known = self._stretches.get((low, high))
        if known is None:
            if len(self._stretches) >= _MOST_KEPT:
                self._stretches.clear()
            known = self._stretches[low, high] = near_any(self._near[low:high])
        return known


class Laid(NamedTuple):
    """A piece laid over units ``start`` to ``end`` (exclusive), at this cost."""

    cost: float
    start: int
    end: int


_known: dict[tuple[Piece, Texts], tuple[float, Laid | None]] = {}


@lru_cache(maxsize=20_000)
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
    return Piece(text, tuple(row(one, language) for one in choices), weights, tuple(choices), EXTRA, language)


def lay(piece: Piece, line: Line, low: int, high: int, most: float) -> Laid | None:
    """The cheapest place of ``piece`` within ``line`` from ``low`` to ``high``, the earliest of equal ones; ``None``
    where it costs more than ``most``."""
    low = max(0, low)
    if piece.needed and lacking(piece.needed, line.stretch(low, high)) > most + DOUBT:
        return None
    window = line.texts[low:high]
    found = _known.get((piece, window))
    if found is None or (found[1] is None and found[0] < most):
        if len(_known) >= _MOST_WINDOWS:
            _known.clear()
        found = _known[piece, window] = _tried(piece, window, most)
    laid = found[1]
    if laid is None or laid[0] > most + ROUNDING:
        return None
    return Laid(laid[0], low + laid[1], low + laid[2])


def _tried(piece: Piece, window: Texts, most: float) -> tuple[float, Laid | None]:
    """Where it lies in the window; without a place, the cost up to which there is none."""
    columns, deleted = [piece.costs[text] for text in window], piece.deleted
    limit = _packed(most + ROUNDING) + _PLACES - 1
    least = list(map(min, zip(deleted, *columns, strict=True)))  # each unit in its best place, in whatever order
    bound = sum(least)
    if bound > limit:
        return max(most, bound / _PLACES / _FINE - 2 * ROUNDING), None
    if all(map(lt, least, deleted)) and (at := _straight(columns, len(deleted), bound)) is not None:
        return most, Laid(bound / _PLACES / _FINE, at, at + len(deleted))
    return most, _cheapest(piece, window, columns, limit)


def _straight(columns: Sequence[tuple[float, ...]], length: int, bound: float) -> int | None:
    """Where, unit by unit, nothing left out and nothing between, it costs no more than it must."""
    for at in range(len(columns) - length + 1):
        if sum(map(getitem, columns[at : at + length], range(length))) == bound:
            return at
    return None


def _packed(cost: float) -> float:
    return float(round(cost * _FINE) * _PLACES)


def _cheapest(piece: Piece, window: Texts, columns: Sequence[tuple[float, ...]], limit: float) -> Laid | None:
    """The usual table of edits, a column for each unit heard, of which only the top is made: down to where all costs
    more than ``limit`` (Ukkonen's cut-off). Where a way begins is carried along in its cost."""
    deleted, extras, length = piece.deleted, piece.extras, len(piece.deleted)
    costs = _deleted(deleted, 0.0, limit)
    best, end = (costs[-1], 0) if len(costs) == length else (limit + 1, 0)
    for at, column in enumerate(columns):
        extra = extras[window[at]]
        diagonal, above, now = float(at), at + 1.0, []
        for cost, weight, left in zip(column, deleted, costs):  # noqa: B905 - this is the hot loop
            here = diagonal + cost
            if left + extra < here:
                here = left + extra
            if above + weight < here:
                here = above + weight
            now.append(here)
            diagonal, above = left, here
        known = len(now)
        if known < length:
            here = min(diagonal + column[known], above + deleted[known])
            now.append(here)
            if here <= limit:
                now += _deleted(deleted[known + 1 :], here, limit)
        while now and now[-1] > limit:
            now.pop()
        costs = now
        if len(now) == length and now[-1] < best:
            best, end = now[-1], at + 1
    if best > limit:
        return None
    cost, start = divmod(best, _PLACES)
    return Laid(cost / _FINE, int(start), end)


def _deleted(weights: Sequence[float], cost: float, limit: float) -> list[float]:
    """What is left out from a place on, as long as that costs no more than ``limit``."""
    costs = []
    for weight in weights:
        cost += weight
        if cost > limit:
            break
        costs.append(cost)
    return costs
