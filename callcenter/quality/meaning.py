"""What the words around a phrase make of it: 不清楚的话我再说一遍 is no breach of B8, 这我不清楚 is one.

Place on the path of a call: between ``quality/places`` and ``quality/matching``.
Promises: pure; contexts are data of the script; one that is heard badly makes the finding doubtful, never harmless.
Never: looks beyond the sentence that the phrase stands in.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache, reduce
from operator import or_
from typing import Literal, TypeAlias

from callcenter.quality.align import DOUBT, Piece, Texts, lay
from callcenter.quality.heard import Heard
from callcenter.quality.likely import lacking
from callcenter.quality.places import Element, Hit, elements_of
from callcenter.quality.scripts import Context, Phrase
from callcenter.quality.sounds import BOUNDARY

Meaning: TypeAlias = Literal["plain", "doubtful", "harmless"]
CERTAIN, LIKE, LIKE_ENOUGH = 0.94, 0.75, 0.7
"""From which likeness a context is there so surely that it makes a phrase harmless (那个不行 is no
哪个不行), from which it is there, and from which it may be."""
_OF_SHORT = {1: 0.84, 2: 0.8}
"""The likeness without which a context of so few syllables is not there at all: they are like too much else."""
AS_WRITTEN = 0.96
ALMOST = 0.74
"""What a context is worth of which but one syllable tells what it is (看也), heard as another word: a person looks."""
_FUNCTION = frozenset("的得也都")
GAP = 10
"""Units that … stands for at most in a context."""
MOST_KEPT = 2_000
"""Surroundings of one phrase whose meaning is remembered."""


@dataclass(frozen=True, slots=True)
class _Surroundings:
    """Elements before the phrase (nearest first) and after it, what bits those of each side need (``likely``), and what
    all may cost together."""

    before: tuple[tuple[Element, int], ...]
    after: tuple[tuple[Element, int], ...]
    needed: tuple[int, int]
    most: float

    def may_stand(self, before: int, after: int) -> bool:
        """Whether they may, in a sentence that has these bits on either side of the phrase."""
        return lacking(self.needed[0], before) + lacking(self.needed[1], after) <= self.most


@dataclass(frozen=True, slots=True)
class _Contexts:
    """``exact``: characters that stand over the phrase."""

    exact: tuple[str, ...]
    around: tuple[_Surroundings, ...]


class _Meanings:
    """The contexts of one phrase, ready to be laid. What they make of it is remembered by all that they see: of its
    sentence ``_reach`` units to either side, and ``_over`` beyond any sentence."""

    def __init__(self, phrase: Phrase, language: str) -> None:
        self._always, self._unless, self._doubtful = (
            _Contexts(
                tuple(context.exact for context in contexts if context.exact),
                tuple(_surroundings(context, language) for context in contexts if not context.exact),
            )
            for contexts in (phrase.always, phrase.unless, phrase.doubtful_when)
        )
        every = (self._always, self._unless, self._doubtful)
        sides = [side for one in every for around in one.around for side in (around.before, around.after)]
        self._over = max((len(text) - 1 for one in every for text in one.exact), default=0)
        self._reach = max((sum(_reach(*part) for part in side) for side in sides), default=0)
        self._known: dict[tuple[Texts, Texts, Texts], Meaning] = {}

    def of(self, heard: Heard, hit: Hit) -> Meaning:
        texts, (start, end, _, _) = heard.line.texts, hit
        low = min(_sentence_start(heard, start, self._reach), max(0, start - self._over))
        high = max(_sentence_end(heard, end, self._reach), end + self._over)
        key = texts[low:start], texts[start:end], texts[end:high]
        if (known := self._known.get(key)) is None:
            if len(self._known) >= MOST_KEPT:
                self._known.clear()
            known = self._known[key] = self._seen(heard, hit)
        return known

    def _seen(self, heard: Heard, hit: Hit) -> Meaning:
        beside = self._beside(heard, hit)
        breach, harmless = (_longest(contexts.exact, heard, hit) for contexts in (self._always, self._unless))
        if harmless and harmless >= breach:
            return "harmless"
        if breach or _likeness(self._always, heard, hit, beside) >= LIKE:
            return "plain"
        likeness = _likeness(self._unless, heard, hit, beside)
        if likeness >= CERTAIN:
            return "harmless"
        if likeness >= LIKE_ENOUGH or _likeness(self._doubtful, heard, hit, beside) >= LIKE:
            return "doubtful"
        return "plain"

    def _beside(self, heard: Heard, hit: Hit) -> tuple[int, int]:
        """What contexts may lie before and after the phrase in its sentence, as bits."""
        low, high = _sentence_start(heard, hit.start, self._reach), _sentence_end(heard, hit.end, self._reach)
        return heard.line.stretch(low, hit.start), heard.line.stretch(hit.end, high)


def meaning_of(phrase: Phrase, heard: Heard, hit: Hit, language: str) -> Meaning:
    """``plain``: it counts; ``doubtful``: a person has to look; ``harmless``: it is no breach."""
    if not (phrase.always or phrase.unless or phrase.doubtful_when):
        return "plain"
    return _meanings(phrase, language).of(heard, hit)


@lru_cache(maxsize=1_000)
def _meanings(phrase: Phrase, language: str) -> _Meanings:
    return _Meanings(phrase, language)


def _likeness(contexts: _Contexts, heard: Heard, hit: Hit, beside: tuple[int, int]) -> float:
    if any(_exactly(text, heard, hit) for text in contexts.exact):
        return 1.0
    best = 0.0
    for one in contexts.around:
        if not one.may_stand(*beside):
            continue
        before = _beside(one.before, heard, hit.start, -1)
        if before > best:
            best = max(best, min(before, _beside(one.after, heard, hit.end, 1)))
            if best >= CERTAIN:
                break
    return best


def _longest(texts: tuple[str, ...], heard: Heard, hit: Hit) -> int:
    """Of those that stand over the phrase the length of the longest: it tells the most."""
    return max((len(text) for text in texts if _exactly(text, heard, hit)), default=0)


def _exactly(text: str, heard: Heard, hit: Hit) -> bool:
    low, high, texts = max(0, hit.start - len(text) + 1), hit.end + len(text) - 1, heard.line.texts
    return text in (texts[low:high] if isinstance(texts, str) else "".join(texts[low:high]))


def _surroundings(context: Context, language: str) -> _Surroundings:
    at = next(n for n, part in enumerate(context.wording) if part.kind == "phrase")
    elements = elements_of(context.wording, language)
    before = [(elements[n], elements[n + 1].gap) for n in range(at - 1, -1, -1)]
    after = [(element, element.gap) for element in elements[at + 1 :]]
    most = sum(_most(one.piece) for one in elements if one.piece) + DOUBT
    return _Surroundings(tuple(before), tuple(after), (_needed(before), _needed(after)), most)


def _needed(elements: Sequence[tuple[Element, int]]) -> int:
    return reduce(or_, (element.piece.needed for element, _ in elements if element.piece), 0)


def _most(piece: Piece) -> float:
    """What a piece of a context may cost."""
    return (1 - _OF_SHORT.get(len(piece.weights), LIKE_ENOUGH)) * piece.weight


def _beside(elements: tuple[tuple[Element, int], ...], heard: Heard, at: int, direction: int) -> float:
    """How well the elements stand before (-1) or after (1) unit ``at``; 1 where there are none to stand there."""
    likeness = 1.0
    for element, gap in elements:
        piece = element.piece
        if piece is None:
            return 0.0
        reach = _reach(element, gap)
        low, high = (_sentence_start(heard, at, reach), at) if direction < 0 else (at, _sentence_end(heard, at, reach))
        laid = lay(piece, heard.line, low, high, _most(piece))
        if laid is None:
            return 0.0
        like = 1 - laid.cost / piece.weight
        likeness = min(likeness, like if like >= AS_WRITTEN or not _thin(piece) else min(like, ALMOST))
        at = laid.start if direction < 0 else laid.end
    return likeness


def _reach(element: Element, gap: int) -> int:
    """Units that an element and what may stand between may take."""
    length = len(element.piece.weights) if element.piece else 0
    return length + (0 if length == 1 and gap <= 1 else min(max(gap, 1), GAP))


@lru_cache(maxsize=10_000)
def _thin(piece: Piece) -> bool:
    """Whether one syllable tells what it is, alone (是 sounds like 试) or with others that could follow on any (安排的
    sounds like 拍的)."""
    return len(piece.choices) == 1 or sum(one[0][0] not in _FUNCTION for one in piece.choices) == 1


def _sentence_start(heard: Heard, at: int, reach: int) -> int:
    low, texts = max(0, at - reach), heard.line.texts
    if isinstance(texts, str):
        return texts.rfind(BOUNDARY, low, at) + 1 or low
    return max((n + 1 for n in range(low, at) if texts[n] == BOUNDARY), default=low)


def _sentence_end(heard: Heard, at: int, reach: int) -> int:
    texts = heard.line.texts
    high = min(len(texts), at + reach)
    if isinstance(texts, str):
        found = texts.find(BOUNDARY, at, high)
        return high if found < 0 else found
    return min((n for n in range(at, high) if texts[n] == BOUNDARY), default=high)
