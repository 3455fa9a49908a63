"""What the words around a phrase make of it: 不清楚的话我再说一遍 is no breach of B8, 这我不清楚 is one.

Place on the path of a call: between ``quality/places`` and ``quality/matching``.
Promises: pure; contexts are data of the script, heard with the same tolerance as phrases; one that is heard badly
makes the
finding doubtful. Never: looks beyond the sentence that the phrase stands in.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import Literal, TypeAlias

from callcenter.quality.align import lay
from callcenter.quality.heard import Heard
from callcenter.quality.places import Element, Hit, elements_of
from callcenter.quality.scripts import Context, Phrase
from callcenter.quality.sounds import BOUNDARY

Meaning: TypeAlias = Literal["plain", "doubtful", "harmless"]
LIKE, LIKE_ENOUGH = 0.75, 0.7
"""From which likeness a context is there, and from which it may be."""
_OF_SHORT = {1: 0.84, 2: 0.8}
"""The likeness without which a context of so few syllables is not there at all: they are like too much else."""
GAP = 10
"""Units that … stands for at most in a context."""


@dataclass(frozen=True, slots=True)
class _Surroundings:
    """Elements before the phrase (nearest first) and after it."""

    before: tuple[tuple[Element, int], ...]
    after: tuple[tuple[Element, int], ...]


def meaning_of(phrase: Phrase, heard: Heard, hit: Hit, language: str) -> Meaning:
    """``plain``: it counts; ``doubtful``: a person has to look; ``harmless``: it is no breach."""
    if phrase.always and _likeness(phrase.always, heard, hit, language) >= LIKE:
        return "plain"
    unless = _likeness(phrase.unless, heard, hit, language)
    if unless >= LIKE:
        return "harmless"
    if unless >= LIKE_ENOUGH or _likeness(phrase.doubtful_when, heard, hit, language) >= LIKE:
        return "doubtful"
    return "plain"


def _likeness(contexts: tuple[Context, ...], heard: Heard, hit: Hit, language: str) -> float:
    best = 0.0
    for context in contexts:
        best = max(
            best, _exactly(context.exact, heard, hit) if context.exact else _around(context, heard, hit, language)
        )
        if best >= LIKE:
            break
    return best


def _exactly(text: str, heard: Heard, hit: Hit) -> float:
    low, high = max(0, hit.start - len(text) + 1), hit.end + len(text) - 1
    return float(text in "".join(unit[0] for unit in heard.line.units[low:high]))


def _around(context: Context, heard: Heard, hit: Hit, language: str) -> float:
    sides = _surroundings(context, language)
    return min(_beside(sides.before, heard, hit.start, -1), _beside(sides.after, heard, hit.end, 1))


@lru_cache(maxsize=10_000)
def _surroundings(context: Context, language: str) -> _Surroundings:
    at = next(n for n, part in enumerate(context.wording) if part.kind == "phrase")
    elements = elements_of(context.wording, language)
    before = [(elements[n], elements[n + 1].gap) for n in range(at - 1, -1, -1)]
    return _Surroundings(tuple(before), tuple((element, element.gap) for element in elements[at + 1 :]))


def _beside(elements: tuple[tuple[Element, int], ...], heard: Heard, at: int, direction: int) -> float:
    """How well the elements stand before (-1) or after (1) unit ``at``; 1 where there are none to stand there."""
    likeness = 1.0
    for element, gap in elements:
        piece = element.piece
        if piece is None:
            return 0.0
        length = len(piece.rows)
        reach = length + (0 if length == 1 and gap <= 1 else min(max(gap, 1), GAP))
        low, high = (_sentence_start(heard, at, reach), at) if direction < 0 else (at, _sentence_end(heard, at, reach))
        laid = lay(piece, heard.line, low, high)
        like = 1 - laid.cost / piece.weight
        likeness = min(likeness, like if like >= _OF_SHORT.get(length, 0.0) else 0.0)
        if likeness < LIKE_ENOUGH:
            return 0.0
        at = laid.start if direction < 0 else laid.end
    return likeness


def _sentence_start(heard: Heard, at: int, reach: int) -> int:
    low = max(0, at - reach)
    return max((n + 1 for n in range(low, at) if heard.line.units[n][0] == BOUNDARY), default=low)


def _sentence_end(heard: Heard, at: int, reach: int) -> int:
    high = min(len(heard.line.units), at + reach)
    return min((n for n in range(at, high) if heard.line.units[n][0] == BOUNDARY), default=high)
