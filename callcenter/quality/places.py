"""Where phrases may stand in what was heard, and laying them there.

Place on the path of a call: below ``quality/matching``.
Promises: pure; finds every place of a wording whose anchor kept two neighbouring sounds (of short anchors: one); what
cannot reach its phrase's tolerance is not laid; work grows with the length of what was heard, not with the number of
phrases times it.
Never: decides what a hit means.

The anchor is a long piece of words in a wording. Of n errors in a piece of 2n + 2 sounds two neighbours are always
whole (pigeonhole), so a table of such pairs is all that the whole text is looked up in.
"""

from collections.abc import Iterator, Sequence, Set
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import pairwise
from operator import add
from typing import NamedTuple, TypeAlias

from callcenter.quality.align import DOUBT, Laid, Line, Piece, Texts, lay, piece_of
from callcenter.quality.likely import lacking
from callcenter.quality.patterns import Kind, Wording
from callcenter.quality.scripts import Phrase, Script, Where
from callcenter.quality.slots import Filled, Slots
from callcenter.quality.sounds import Unit, code_of, neighbours
from callcenter.speech.transcript import Speaker

SHORT = 3
"""Pieces up to so many units: in a narrow window any single sound of them is looked for."""
NEAR = 0.41
"""How far one of two sounds may be from what it should be."""
NEARLY = 0.04
"""A required phrase that misses its tolerance by less than this was perhaps said: its absence is doubtful."""
_SLACK = 2
_FREQUENT = frozenset("我们您的是有这个公司系统客户用户在就不了一下等问题为帮给请他没好可以")
"""Two of these side by side stand in every sentence and lead to nothing, if there are other pairs to go by."""
_COMMON = frozenset("我们您的是有这个公司系统客户用户在就不了")
"""A piece of these alone stands in every other sentence; the other pieces of the wording are looked for."""
_SLOT_REACH = 14
_BRIEF, _CHOSEN_COST = 4, 0.5
"""What a wording of so few units with choices in it may cost: one syllable heard as a near one, none left out."""
_SHAKY_LIKE = 0.87
"""How like a doubtful wording must be to what was heard: one that is itself unsure bears a near sound at most."""
_MOST_KEPT = 40_000
"""Stretches of text around a pair of sounds for which it is remembered what lies there."""
LEAST = 0.5
"""What is less like its piece than this is not that piece."""


@dataclass(frozen=True, slots=True)
class Element:
    """A part of a wording, ready to be laid. ``gap``: units that may stand between the one before and this."""

    kind: Kind
    piece: Piece | None
    gap: int

    @property
    def reach(self) -> int:
        """Units that it may take."""
        return len(self.piece.weights) + 1 if self.piece else _SLOT_REACH


@dataclass(frozen=True, slots=True)
class Template:
    """A wording of the phrase with this number in its script. ``shaky``: one that never counts as sure.

    ``most``: what it may cost as a whole; without end where its weight depends on what fills its slots. ``nearly``: a
    score that is not enough, but for a required phrase so near that its absence is doubtful; ``least``: one that tells
    nothing."""

    phrase: int
    elements: tuple[Element, ...]
    shaky: bool
    most: float
    nearly: float
    least: float


class Hit(NamedTuple):
    """A wording over units ``start`` to ``end`` (exclusive); ``score`` 0 to 1."""

    start: int
    end: int
    score: float
    shaky: bool


class Whole(NamedTuple):
    """A wording of one piece, wherever that lies."""

    phrase: int
    score: float
    shaky: bool


@dataclass(slots=True, eq=False)
class Step:
    """The next part to lay of the wordings that an anchor stands in: of those that go on alike, once.

    ``behind``: it follows on what is laid, otherwise it goes before. ``complete``: wordings that end with it.
    ``most``: what all may cost by then, in the wording that bears most."""

    element: Element
    gap: int
    behind: bool
    reach: int
    complete: list[Template] = field(default_factory=list)
    steps: list["Step"] = field(default_factory=list)
    phrases: set[int] = field(default_factory=set)
    most: float = 0.0


@dataclass(slots=True, eq=False)
class Anchor:
    """A piece to look for, the wordings that it is all of, and the steps to those that it stands in.

    ``most``: what it may cost in the wording that bears most; ``phrases``: whose wordings they are."""

    piece: Piece
    slack: int
    most: float = 0.0
    alone: list[Template] = field(default_factory=list)
    steps: list[Step] = field(default_factory=list)
    phrases: set[int] = field(default_factory=set)

    def add(self, template: Template, at: int) -> None:
        """A wording in which the piece is the element number ``at``."""
        self.phrases.add(template.phrase)
        self.most = max(self.most, min(template.most, (1 - LEAST) * self.piece.weight))
        complete, steps = self.alone, self.steps
        elements = template.elements
        before = [(elements[n], elements[n + 1].gap, False) for n in range(at - 1, -1, -1)]
        for element, gap, behind in [*before, *((element, element.gap, True) for element in elements[at + 1 :])]:
            known = [(step.element.kind, step.element.piece, step.gap, step.behind) for step in steps]
            if (key := (element.kind, element.piece, gap, behind)) not in known:
                steps.append(Step(element, gap, behind, element.reach))
                known.append(key)
            step = steps[known.index(key)]
            step.phrases.add(template.phrase)
            step.most = max(step.most, template.most)
            complete, steps = step.complete, step.steps
        complete.append(template)

    def laid(self, start: int, heard: Line) -> Laid | None:
        """Where it lies around the unit where it may begin."""
        slack, piece = self.slack, self.piece
        return lay(piece, heard, start - slack, start + len(piece.weights) + slack, self.most)

    def whole(self, cost: float) -> tuple[Whole, ...]:
        """The wordings that it is all of, if it lies at this cost."""
        score = max(0.0, 1 - cost / self.piece.weight)
        return tuple(Whole(one.phrase, score, one.shaky) for one in self.alone if score >= one.least)


class _Seed:
    """Pieces that hold the same sounds, each with the place of those in it. What they come to in the text around is
    remembered: it is the same in every call, and most of a hotline's sentences are said again and again."""

    __slots__ = ("_anchors", "left", "right")

    def __init__(self) -> None:
        self._anchors: list[tuple[Anchor, int]] = []
        self.left = self.right = 0

    def add(self, anchor: Anchor, offset: int) -> None:
        self._anchors.append((anchor, offset))
        self.left = max(self.left, offset + anchor.slack)
        self.right = max(self.right, len(anchor.piece.weights) - offset + anchor.slack)

    def lay(self, line: Line, at: int, around: "_Around") -> "_Lying":
        """Those that lie around unit ``at``, and from where to where, as seen from there."""
        if len(_known) >= _MOST_KEPT:
            _known.clear()
        found = _known[self, around] = tuple(self._lay(line, at))
        return found

    def _lay(self, line: Line, at: int) -> "Iterator[tuple[Anchor, int, int, _Costs]]":
        stretch = line.stretch(max(0, at - self.left), at + self.right)
        for anchor, offset in self._anchors:
            if lacking(anchor.piece.needed, stretch) > anchor.most + DOUBT:
                continue
            if (laid := anchor.laid(at - offset, line)) is not None:
                yield anchor, laid.start - at, laid.end - at, (laid.cost, anchor.whole(laid.cost))


_Costs: TypeAlias = tuple[float, tuple[Whole, ...]]
"""What a piece costs where it lies, and what that comes to alone."""
_Around: TypeAlias = Texts | tuple[int, Texts]
_Lying: TypeAlias = tuple[tuple[Anchor, int, int, _Costs], ...]
_known: dict[tuple[_Seed, _Around], _Lying] = {}
_Seeds: TypeAlias = dict[str, _Seed]
_Found: TypeAlias = dict[tuple[Anchor, int, int], _Costs]


class Index:
    """The pieces of a script's phrases by their sounds, for one side of a call and one part of it (``where``)."""

    def __init__(self, script: Script, speaker: Speaker, where: tuple[Where, ...]) -> None:
        self.language = script.language
        self.anchors: dict[str, Anchor] = {}
        self._narrow = "anywhere" not in where
        self._pairs: _Seeds = {}
        self._apart: _Seeds = {}
        self._singles: _Seeds = {}
        for number, phrase in enumerate(script.phrases):
            if phrase.window.where in where and phrase.who in (speaker, "anyone"):
                for shaky, wordings in ((False, phrase.variants), (True, phrase.doubtful_variants)):
                    for wording in wordings:
                        self._add(template_of(number, phrase, wording, shaky, self.language))
        for anchor in self.anchors.values():
            self._seed(anchor)

    def _add(self, template: Template) -> None:
        """Any piece of two sounds or more may be the one that survived."""
        pieces = [(n, one.piece) for n, one in enumerate(template.elements) if one.piece is not None]
        rare = [one for one in pieces if not _COMMON.issuperset(one[1].text)] or pieces
        longest = max(len(piece.weights) for _, piece in rare)
        for n, piece in rare:
            if len(piece.weights) >= min(2, longest):
                slack = 1 if len(piece.weights) <= SHORT else _SLACK
                self.anchors.setdefault(piece.text, Anchor(piece, slack)).add(template, n)

    def _seed(self, anchor: Anchor) -> None:
        choices = anchor.piece.choices
        if len(choices) == 1 or (len(choices) <= SHORT and (self._narrow or self.language == "en")):
            for offset, one in enumerate(choices):
                for unit in one:
                    _put(self._singles, code_of(unit[2]), anchor, offset)
            return
        pairs = list(enumerate(pairwise(choices)))
        rare = [one for one in pairs if not all(unit[0] in _FREQUENT for side in one[1] for unit in side)]
        for offset, (one, two) in rare or pairs:
            self._pair(anchor, offset, one, two)
        if len(choices) == SHORT:
            for one_unit in choices[0]:
                for last_unit in choices[2]:
                    _put(self._apart, code_of(one_unit[2]) + code_of(last_unit[2]), anchor, 0)

    def _pair(self, anchor: Anchor, offset: int, one: Sequence[Unit], two: Sequence[Unit]) -> None:
        short = len(anchor.piece.weights) == 2
        for pair in {pair for first in one for second in two for pair in _seeds(first, second, short)}:
            _put(self._pairs, pair, anchor, offset)

    def laid(self, line: Line, low: int, high: int) -> list[tuple[Anchor, Laid, tuple[Whole, ...]]]:
        """The pieces that lie where sounds of them are within ``low`` and ``high``, each place once, and what they
        come to alone."""
        classes = line.classes[low:high]
        found: _Found = {}
        _look(self._pairs, map(add, classes, classes[1:]), line, low, found)
        _look(self._apart, map(add, classes, classes[2:]), line, low, found)
        _look(self._singles, classes, line, low, found)
        return [(anchor, Laid(cost, start, end), whole) for (anchor, start, end), (cost, whole) in found.items()]


def _put(seeds: _Seeds, key: str, anchor: Anchor, offset: int) -> None:
    if key not in seeds:
        seeds[key] = _Seed()
    seeds[key].add(anchor, offset)


def _look(seeds: _Seeds, keys: Iterator[str] | str, line: Line, low: int, found: _Found) -> None:
    if not seeds:
        return
    texts, known = line.texts, _known
    for at, seed in enumerate(map(seeds.get, keys), low):
        if seed is not None:
            left = at - seed.left
            around: _Around = texts[left : at + seed.right] if left >= 0 else (at, texts[: at + seed.right])
            lying = known.get((seed, around))
            for anchor, start, end, costs in seed.lay(line, at, around) if lying is None else lying:
                found[anchor, at + start, at + end] = costs


def _seeds(one: Unit, two: Unit, short: bool) -> Iterator[str]:
    """The pair, and for a piece of two sounds also those in which one of them was heard as a near one."""
    first, second = code_of(one[2]), code_of(two[2])
    yield first + second
    if short:
        yield from (code_of(near) + second for near in neighbours(one[1], NEAR))
        yield from (first + code_of(near) for near in neighbours(two[1], NEAR))


@lru_cache(maxsize=64)
def index_of(script: Script, speaker: Speaker, where: tuple[Where, ...]) -> Index:
    """The index, made once."""
    return Index(script, speaker, where)


def least(phrase: Phrase) -> float:
    """The score below which a hit of the phrase tells nothing."""
    return phrase.tolerance.doubtful - (NEARLY if phrase.kind == "required" else 0.0)


def _chosen(elements: tuple[Element, ...]) -> bool:
    """Whether a place in it may hold any of several characters: then it is like much that is another wording."""
    return any(len(one) > 1 for element in elements if element.piece for one in element.piece.choices)


def template_of(number: int, phrase: Phrase, wording: Wording, shaky: bool, language: str) -> Template:
    elements = elements_of(wording, language)
    weight = sum(one.piece.weight for one in elements if one.piece)
    slots = any(one.piece is None for one in elements)
    enough = max(least(phrase), _SHAKY_LIKE) if shaky else least(phrase)
    return Template(
        number,
        elements,
        shaky,
        float("inf") if slots else (1 - enough) * weight,
        phrase.tolerance.doubtful - NEARLY / 2,
        max(enough, 1 - _CHOSEN_COST / weight if weight <= _BRIEF and _chosen(elements) else 0.0),
    )


def elements_of(wording: Wording, language: str) -> tuple[Element, ...]:
    return tuple(
        Element(part.kind, piece_of(part.text, language) if part.kind == "words" else None, part.gap)
        for part in wording
    )


class _So(NamedTuple):
    """How far a wording is laid: what it cost and weighs, where it lies. ``gap``: units that may be passed over because
    a part is not there; ``behind``: on which side. ``off``: its number is one digit off."""

    cost: float
    weight: float
    start: int
    end: int
    gap: int = 0
    behind: bool = False
    shaky: bool = False
    off: bool = False

    def with_(self, laid: Laid, weight: float, behind: bool) -> "_So":
        """And another part, behind it or before."""
        start, end = (self.start, laid.end) if behind else (laid.start, self.end)
        return _So(self.cost + laid.cost, self.weight + weight, start, end, 0, behind, self.shaky, self.off)


class Placing:
    """The wordings that an anchor stands in, laid beside it in one line; all but those of the ``settled`` phrases."""

    def __init__(self, heard: Line, slots: Slots, settled: Set[int]) -> None:
        self._heard, self._slots, self._settled = heard, slots, settled

    def hits(self, anchor: Anchor, laid: Laid) -> list[tuple[int, Hit]]:
        """Each phrase with the place of a wording of several parts that is all there."""
        found: list[tuple[int, Hit]] = []
        so = _So(laid.cost, anchor.piece.weight, laid.start, laid.end)
        for step in anchor.steps:
            self._step(step, so, found)
        return found

    def _step(self, step: Step, so: _So, found: list[tuple[int, Hit]]) -> None:
        if step.phrases <= self._settled:
            return
        gap = step.gap + (so.gap if step.behind == so.behind else 0)
        reach = gap + step.reach
        low, high = (so.end, so.end + reach) if step.behind else (so.start - reach, so.start)
        if (piece := step.element.piece) is not None:
            laid = lay(piece, self._heard, low, high, min(piece.weight * (1 - LEAST), step.most - so.cost))
            if laid is None:
                return
            then = so.with_(laid, piece.weight, step.behind)
        else:
            filled = self._slot(step, low, high)
            if filled.laid is not None:
                then = so.with_(filled.laid, filled.laid.end - filled.laid.start, step.behind)
                then = then._replace(shaky=so.shaky or filled.shaky, off=so.off or filled.off)
            elif step.element.kind == "company" and not self._slots.company:
                then = so._replace(gap=gap, behind=step.behind)
            else:
                return
        _complete(step.complete, then, found)
        for one in step.steps:
            self._step(one, then, found)

    def _slot(self, step: Step, low: int, high: int) -> Filled:
        if step.element.kind == "company":
            return self._slots.company_in(self._heard, low, high)
        return self._slots.number_in(self._heard, low, high, step.behind)


def _complete(templates: list[Template], so: _So, found: list[tuple[int, Hit]]) -> None:
    for one in templates:
        score = max(0.0, 1 - so.cost / so.weight)
        score = min(score, one.nearly) if so.off else score
        found.append((one.phrase, Hit(so.start, so.end, score, so.shaky or one.shaky)))
