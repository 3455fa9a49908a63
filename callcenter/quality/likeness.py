"""What a whole sentence is like, told by sentences that were judged before: for what can be said in endless ways (B8).

Place on the path of a call: beside ``quality/places``. Wordings find what is said as they are written; this finds what
is said as the examples are, and doubts what only a wording's sounds suggest. ``quality/matching`` asks for both.
Promises: pure; learning is counting, so that the same examples always tell the same; what it finds goes to a person,
and so does a sure finding that the examples speak against; what it takes away would have gone to one; work grows with
the length of what was heard.
Never: makes a finding sure, or takes away a sure one.

Naive Bayes over short stretches: of characters, of classes of syllables that are hardly told apart (``sounds``), and
of classes a little apart. Each stretch speaks for or against a phrase by how much oftener it stands in examples of it
than in all others (McCallum and Nigam, A Comparison of Event Models for Naive Bayes Text Classification, 1998). What
they say together is divided by the root of their number: neighbouring stretches say nearly the same.
"""

import math
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from functools import cache, cached_property, lru_cache
from operator import itemgetter
from typing import TypeAlias

from callcenter.quality.align import Line, Texts
from callcenter.quality.sounds import BOUNDARY, code_of, spoken

Example: TypeAlias = tuple[str, str]
"""The name of the phrase that the sentence is, or ``NONE``, and the sentence."""
NONE = "none"
LIKE, UNLIKE = 2.5, -2.5
"""From which likeness a sentence is worth a look; below which what was doubtful is none, and what was sure doubtful."""
ENOUGH = 50
"""Fewer examples of a phrase tell nothing of how else it is said."""
LONGEST, STEP = 24, 8
"""Units of a sentence that is looked at as a whole; a longer one is looked at in overlapping pieces."""
BESIDE = 8
"""Units of its sentence to either side of a wording that are looked at with it."""
_END = itemgetter(1)
_MOST_KEPT = 4_000
"""Sentences whose likeness is remembered, about 5 MB."""
_SMOOTHING = 0.3
_RARE = math.log(1 / 20)
"""Before anything was heard: a sentence of twenty at most is one given phrase. It tells most where little was said."""
_CHARACTERS, _CLASSES = 2, 3
_APART = (2, 3)
_Traits: TypeAlias = set[Texts]


class Likeness:
    """What the examples of a script tell. They are learned when the first sentence is looked at."""

    def __init__(self, examples: Sequence[Example], language: str) -> None:
        self._examples, self._language = examples, language
        counts = Counter(name for name, _ in examples)
        self.phrases = tuple(name for name, count in counts.items() if name != NONE and count >= ENOUGH)
        self._known = lru_cache(maxsize=_MOST_KEPT)(self._told)

    def of(self, line: Line, low: int, high: int) -> Mapping[str, float]:
        """By phrase, how like it the sentence from ``low`` to ``high`` is; above 0 more like it than not."""
        return self._known(line.texts[low:high], line.classes[low:high])

    def _told(self, texts: Texts, classes: str) -> Mapping[str, float]:
        weights = self._weights
        known = [weights[trait] for trait in _traits(texts, classes) if trait in weights]
        root = math.sqrt(len(known) or 1)  # fsum: the traits come in any order
        columns = zip(*known, strict=True) if known else ((),) * len(self.phrases)
        return {
            phrase: (_RARE + math.fsum(column)) / root for phrase, column in zip(self.phrases, columns, strict=True)
        }

    @cached_property
    def _weights(self) -> Mapping[Texts, tuple[float, ...]]:
        """By trait, how much it speaks for each phrase. Most were seen once or twice, and share their weights."""
        every: Counter[Texts] = Counter()
        of: dict[str, Counter[Texts]] = {phrase: Counter() for phrase in self.phrases}
        for name, sentence in self._examples:
            text, classes = spoken(sentence, self._language)
            traits = _traits(tuple(text.split()) if self._language == "en" else text, classes)
            every.update(traits)
            if name in of:
                of[name].update(traits)
        odds = [_Odds(counts.total(), every.total(), len(every)) for counts in of.values()]

        @cache
        def weights(count: int, *here: int) -> tuple[float, ...]:
            return tuple(one.of(within, count) for one, within in zip(odds, here, strict=True))

        return {trait: weights(count, *(counts[trait] for counts in of.values())) for trait, count in every.items()}


class _Odds:
    """``here`` of ``every`` traits stand in examples of one phrase; so many are ``different``."""

    def __init__(self, here: int, every: int, different: int) -> None:
        unseen = _SMOOTHING * different
        self._known = math.log((every - here + unseen) / (here + unseen))

    def of(self, within: int, count: int) -> float:
        """The logarithm of how much oftener a trait is among them, with ``within`` of its ``count`` occurrences."""
        return math.log((within + _SMOOTHING) / (count - within + _SMOOTHING)) + self._known


def _traits(texts: Texts, classes: str) -> _Traits:
    """The stretches of a sentence, each once. Characters, classes and classes apart never look the same."""
    edge = code_of(BOUNDARY)
    framed = f"{edge}{classes}{edge}"
    traits: _Traits = {texts[n : n + size] for size in range(1, _CHARACTERS + 1) for n in range(len(texts) - size + 1)}
    traits.update(framed[n : n + size] for size in range(1, _CLASSES + 1) for n in range(len(framed) - size + 1))
    traits.update(f"{gap}{framed[n]}{framed[n + gap]}" for gap in _APART for n in range(len(framed) - gap))
    return traits


def sentences(line: Line) -> Iterator[tuple[int, int]]:
    """From where to where each sentence of the line reaches; of a long one its pieces."""
    pause, start = code_of(BOUNDARY), 0
    for sentence in line.classes.split(pause):
        end = start + len(sentence)
        if len(sentence) <= LONGEST:
            if sentence:
                yield start, end
        else:
            for low in range(start, end - LONGEST + STEP, STEP):
                yield low, min(end, low + LONGEST)
        start = end + 1


class Alike:
    """The sentences of one call beside the examples. ``likeness``: none where the script has no examples."""

    def __init__(self, likeness: Likeness | None) -> None:
        self._likeness = likeness
        self.phrases = frozenset(likeness.phrases if likeness is not None else ())
        self._sentences: dict[Line, Sequence[tuple[int, int]]] = {}

    def like(self, phrase: str, line: Line, start: int, end: int) -> float:
        """How like the examples of the phrase that is, with what is beside it, which stands from ``start`` to ``end``;
        as like as can be where there are no examples."""
        if self._likeness is None or phrase not in self.phrases:
            return math.inf
        found, spans = -math.inf, self._of(line)
        for n in range(bisect_right(spans, start, key=_END), len(spans)):
            low, high = spans[n]
            if low >= end:
                break
            span = max(low, start - BESIDE), min(high, end + BESIDE)
            found = max(found, self._likeness.of(line, *span)[phrase])
        return found if found > -math.inf else math.inf

    def places(self, phrase: str, line: Line) -> Iterator[tuple[int, int, float]]:
        """Where sentences like its examples stand, with a score from 0 to 1."""
        if self._likeness is None or phrase not in self.phrases:
            return
        for low, high in self._of(line):
            if (like := self._likeness.of(line, low, high)[phrase]) >= LIKE:
                yield low, high, 1 / (1 + math.exp(-like))

    def _of(self, line: Line) -> Sequence[tuple[int, int]]:
        if line not in self._sentences:
            self._sentences[line] = tuple(sentences(line))
        return self._sentences[line]
