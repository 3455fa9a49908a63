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

from callcenter.quality.align import Laid, Piece, lay, piece_of
from callcenter.quality.patterns import Kind, Wording
from callcenter.quality.scripts import Script
from callcenter.quality.slots import company_in, number_in
from callcenter.quality.sounds import Unit, units
from callcenter.speech.transcript import Transcript

SHORT = 3
"""Anchors up to so many units are looked for by any single sound."""
_SLACK = 2
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
    anchor: int
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
    """A piece to look for, and the wordings that it is the anchor of."""

    piece: Piece
    templates: list[Template] = field(default_factory=list)


class Index:
    """The anchors of a script by their sounds."""

    def __init__(self, script: Script) -> None:
        self.language = script.language
        self.anchors: dict[str, Anchor] = {}
        self._pairs: dict[tuple[str, str], list[tuple[Anchor, int]]] = {}
        self._singles: dict[str, list[tuple[Anchor, int]]] = {}
        for number, phrase in enumerate(script.phrases):
            for shaky, wordings in ((False, phrase.variants), (True, phrase.doubtful_variants)):
                for wording in wordings:
                    self._add(number, elements_of(wording, self.language), shaky)
        for anchor in self.anchors.values():
            self._seed(anchor)

    def _add(self, phrase: int, elements: tuple[Element, ...], shaky: bool) -> None:
        at = max(range(len(elements)), key=lambda n: piece.weight if (piece := elements[n].piece) else 0.0)
        piece = elements[at].piece
        assert piece is not None, "patterns refuses a wording without words"
        anchor = self.anchors.setdefault(piece.text, Anchor(piece))
        anchor.templates.append(Template(phrase, elements, at, shaky))

    def _seed(self, anchor: Anchor) -> None:
        classes = anchor.piece.classes
        if len(classes) <= SHORT:
            for offset, one in enumerate(classes):
                self._singles.setdefault(one, []).append((anchor, offset))
            return
        for offset, pair in enumerate(zip(classes, classes[1:], strict=False)):
            self._pairs.setdefault(pair, []).append((anchor, offset))

    def candidates(self, heard: Sequence[Unit]) -> Iterator[tuple[Anchor, int]]:
        """Anchors, and the unit at which each may begin; neighbouring beginnings only once."""
        classes = [unit[2] for unit in heard]
        last: dict[int, int] = {}
        singles, pairs = self._singles, self._pairs
        for at, (one, two) in enumerate(zip(classes, [*classes[1:], ""], strict=True)):
            for anchor, offset in (*singles.get(one, ()), *pairs.get((one, two), ())):
                start = at - offset
                if not -1 <= start - last.get(id(anchor), -9) <= 1:
                    last[id(anchor)] = start
                    yield anchor, start


@lru_cache(maxsize=64)
def index_of(script: Script) -> Index:
    """The index of a script, made once."""
    return Index(script)


def elements_of(wording: Wording, language: str) -> tuple[Element, ...]:
    return tuple(
        Element(part.kind, piece_of(units(part.text, language), language) if part.kind == "words" else None, part.gap)
        for part in wording
    )


def lay_anchor(anchor: Anchor, start: int, heard: Sequence[Unit]) -> Laid | None:
    """The anchor around the unit where it may begin, if it is like it at all."""
    piece = anchor.piece
    laid = lay(piece, heard, start - _SLACK, start + len(piece.rows) + _SLACK)
    return laid if laid.cost <= (1 - LEAST) * piece.weight else None


class Placing:
    """The rest of a wording, laid beside its anchor: what it cost so far, and how far it reaches."""

    def __init__(self, template: Template, laid: Laid, heard: Sequence[Unit], transcript: Transcript, language: str) -> None:
        self._heard, self._transcript, self._language = heard, transcript, language
        self._template = template
        self._cost, self._start, self._end = laid.cost, laid.start, laid.end
        piece = template.elements[template.anchor].piece
        self._weight = piece.weight if piece else 0.0
        self._shaky = template.shaky

    def hit(self) -> Hit | None:
        """The whole wording, or ``None`` where a part of it is missing."""
        elements, anchor = self._template.elements, self._template.anchor
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
            self._shaky = self._shaky or not self._transcript.seat.strip()
        return found, found.end - found.start if found else 0.0
