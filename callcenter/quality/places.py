"""Where phrases may stand in what was heard, and laying them there.

Place on the path of a call: below ``quality/matching``.
Promises: pure; finds every place of a wording whose anchor kept two neighbouring sounds (of short anchors: one); work
grows with the length of what was heard, not with the number of phrases times it.
Never: decides what a hit means.

The anchor is the longest piece of words in a wording. Of n errors in a piece of 2n + 2 sounds two neighbours are always
whole (pigeonhole), so a table of such pairs is all that the whole text is looked up in.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import pairwise

from callcenter.quality.align import Laid, Line, Piece, lay, piece_of
from callcenter.quality.patterns import Kind, Wording
from callcenter.quality.scripts import Script, Where
from callcenter.quality.slots import another_number, company_in, number_in
from callcenter.quality.sounds import Unit, neighbours
from callcenter.speech.transcript import Speaker, Transcript

SHORT = 3
"""Pieces up to so many units: in a narrow window any single sound of them is looked for."""
SHAKY_SLOT = 0.3
"""A number or name that cost more was perhaps another one."""
NEAR = 0.41
"""How far one of two sounds may be from what it should be."""
_SLACK = 2
_FREQUENT = frozenset("我们您的是有这个公司系统客户用户在就不了一下等问题为帮给请他没好可以")
"""Two of these side by side stand in every sentence and lead to nothing, if there are other pairs to go by."""
_COMMON = frozenset("我们您的是有这个公司系统客户用户在就不了")
"""A piece of these alone stands in every other sentence; the other pieces of the wording are looked for."""
_SLOT_REACH = 14
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
        return len(self.piece.rows) + 1 if self.piece else _SLOT_REACH


@dataclass(frozen=True, slots=True)
class Template:
    """A wording of the phrase with this number in its script. ``shaky``: one that never counts as sure."""

    phrase: int
    elements: tuple[Element, ...]
    shaky: bool


@dataclass(frozen=True, slots=True)
class Hit:
    """A wording over units ``start`` to ``end`` (exclusive); ``score`` 0 to 1."""

    start: int
    end: int
    score: float
    shaky: bool


@dataclass(slots=True)
class Anchor:
    """A piece to look for, and the wordings that it stands in, each with its place there."""

    piece: Piece
    templates: list[tuple[Template, int]] = field(default_factory=list)


class Index:
    """The pieces of a script's phrases by their sounds, for one side of a call and one part of it (``where``)."""

    def __init__(self, script: Script, speaker: Speaker, where: tuple[Where, ...]) -> None:
        self.language = script.language
        self.anchors: dict[str, Anchor] = {}
        self._narrow = "anywhere" not in where
        self._pairs: dict[tuple[str, str], list[tuple[Anchor, int]]] = {}
        self._singles: dict[str, list[tuple[Anchor, int]]] = {}
        for number, phrase in enumerate(script.phrases):
            if phrase.window.where in where and phrase.who in (speaker, "anyone"):
                for shaky, wordings in ((False, phrase.variants), (True, phrase.doubtful_variants)):
                    for wording in wordings:
                        self._add(Template(number, elements_of(wording, self.language), shaky))
        for anchor in self.anchors.values():
            self._seed(anchor)

    def _add(self, template: Template) -> None:
        """Any piece of two sounds or more may be the one that survived."""
        pieces = [(n, one.piece) for n, one in enumerate(template.elements) if one.piece is not None]
        rare = [one for one in pieces if not _COMMON.issuperset(one[1].text)] or pieces
        longest = max(len(piece.rows) for _, piece in rare)
        for n, piece in rare:
            if len(piece.rows) >= min(2, longest):
                self.anchors.setdefault(piece.text, Anchor(piece)).templates.append((template, n))

    def _seed(self, anchor: Anchor) -> None:
        choices = anchor.piece.choices
        if len(choices) == 1 or (len(choices) <= SHORT and (self._narrow or self.language == "en")):
            for offset, one in enumerate(choices):
                for unit in one:
                    self._singles.setdefault(unit[2], []).append((anchor, offset))
            return
        pairs = list(enumerate(pairwise(choices)))
        rare = [one for one in pairs if not all(unit[0] in _FREQUENT for side in one[1] for unit in side)]
        for offset, (one, two) in rare or pairs:
            self._pair(anchor, offset, one, two)
        if len(choices) == SHORT:
            for one_unit in choices[0]:
                for last_unit in choices[2]:
                    self._pairs.setdefault((one_unit[2], "?" + last_unit[2]), []).append((anchor, 0))

    def _pair(self, anchor: Anchor, offset: int, one: Sequence[Unit], two: Sequence[Unit]) -> None:
        short = len(anchor.piece.rows) == 2
        pairs = {(a, b) for first in one for second in two for a, b in _seeds(first, second, short)}
        for pair in pairs:
            self._pairs.setdefault(pair, []).append((anchor, offset))

    def candidates(self, heard: Line, low: int, high: int) -> Iterator[tuple[Anchor, int]]:
        """Pieces, and the unit at which each may begin; neighbouring beginnings only once."""
        classes = heard.classes[low:high]
        found: list[tuple[Anchor, int]] = []
        get, single = self._pairs.get, self._singles.get
        for at, (one, two, three) in enumerate(zip(classes, [*classes[1:], ""], [*classes[2:], "", ""], strict=False)):
            for hits in (get((one, two)), get((one, "?" + three)), single(one)):
                if hits:
                    found += [(anchor, at - offset) for anchor, offset in hits]
        last: dict[int, int] = {}
        for anchor, start in found:
            if -1 <= start - last.get(id(anchor), -9) <= 1:
                continue
            last[id(anchor)] = start
            yield anchor, start + low


def _seeds(one: Unit, two: Unit, short: bool) -> Iterator[tuple[str, str]]:
    """The pair, and for a piece of two sounds also those in which one of them was heard as a near one."""
    yield one[2], two[2]
    if short:
        yield from ((near, two[2]) for near in neighbours(one[1], NEAR))
        yield from ((one[2], near) for near in neighbours(two[1], NEAR))


@lru_cache(maxsize=64)
def index_of(script: Script, speaker: Speaker, where: tuple[Where, ...]) -> Index:
    """The index, made once."""
    return Index(script, speaker, where)


def elements_of(wording: Wording, language: str) -> tuple[Element, ...]:
    return tuple(
        Element(part.kind, piece_of(part.text, language) if part.kind == "words" else None, part.gap)
        for part in wording
    )


def lay_anchor(anchor: Anchor, start: int, heard: Line) -> Laid | None:
    """The anchor around the unit where it may begin, if it is like it at all."""
    piece = anchor.piece
    slack = 1 if len(piece.rows) <= SHORT else _SLACK
    laid = lay(piece, heard, start - slack, start + len(piece.rows) + slack)
    return laid if laid.cost <= (1 - LEAST) * piece.weight else None


class Placing:
    """The rest of a wording, laid beside its anchor: what it cost so far, and how far it reaches."""

    def __init__(
        self, template: Template, anchor: int, laid: Laid, heard: Line, transcript: Transcript, language: str
    ) -> None:
        self._heard, self._transcript, self._language = heard, transcript, language
        self._template, self._anchor = template, anchor
        self._cost, self._start, self._end = laid.cost, laid.start, laid.end
        piece = template.elements[anchor].piece
        self._weight = piece.weight if piece else 0.0
        self._shaky = template.shaky

    def hit(self) -> Hit | None:
        """The whole wording, or ``None`` where a part of it is missing."""
        elements, anchor = self._template.elements, self._anchor
        gap = 0
        for n in range(anchor - 1, -1, -1):
            gap += elements[n + 1].gap
            reach = gap + elements[n].reach
            laid = self._part(elements[n], self._start - reach, self._start)
            if laid is None and not self._missing_company(elements[n]):
                return None
            if laid is not None:
                self._start, gap = laid.start, 0
        gap = 0
        for element in elements[anchor + 1 :]:
            gap += element.gap
            laid = self._part(element, self._end, self._end + gap + element.reach)
            if laid is None and not self._missing_company(element):
                return None
            if laid is not None:
                self._end, gap = laid.end, 0
        return Hit(self._start, self._end, max(0.0, 1 - self._cost / self._weight), self._shaky)

    def _missing_company(self, element: Element) -> bool:
        return element.kind == "company" and not self._transcript.company.strip()

    def _part(self, element: Element, low: int, high: int) -> Laid | None:
        laid, weight = self._lay(element, low, high)
        if laid is not None:
            self._cost += laid.cost
            self._weight += weight
        return laid

    def _lay(self, element: Element, low: int, high: int) -> tuple[Laid | None, float]:
        if element.piece is not None:
            laid = lay(element.piece, self._heard, low, high)
            return (laid if laid.cost <= (1 - LEAST) * element.piece.weight else None), element.piece.weight
        if element.kind == "company":
            company = self._transcript.company.strip()
            found = company_in(company, self._heard, low, high, self._language) if company else None
        else:
            found = number_in(self._transcript.seat.strip(), self._heard, low, high, self._language)
            between = (low, found.start) if found and low == self._end else (found.end, high) if found else (0, 0)
            if another_number(self._heard, *between):
                found = None  # the greeting told that one; what comes later belongs to another sentence
            self._shaky = self._shaky or not self._transcript.seat.strip()
        self._shaky = self._shaky or (found is not None and found.cost > SHAKY_SLOT)
        return found, found.end - found.start if found else 0.0
