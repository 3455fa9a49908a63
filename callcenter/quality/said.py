"""Where each phrase of a script may have been said in one call, and by whom.

Place on the path of a call: between ``quality/places`` and ``likeness``, which find, and ``quality/matching``, which
decides.
Promises: pure; what runs over from one seat to the next, or began before a seat took the call, was said by nobody.
Never: decides what a place means.
"""

from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from functools import lru_cache
from operator import attrgetter
from typing import NamedTuple

from callcenter.quality.align import Laid
from callcenter.quality.heard import Heard, Wait, taken_at
from callcenter.quality.likeness import Alike
from callcenter.quality.owing import Seats
from callcenter.quality.places import Hit, Placing, index_of, least
from callcenter.quality.scripts import Script, Where
from callcenter.quality.slots import Slots
from callcenter.speech.transcript import SPEAKERS, Speaker, Transcript, seats_between

_START = attrgetter("start")
_LENGTH_BONUS = 0.01
MOST_PLACES = 200
"""Of one phrase in one call that are looked at: nobody says it more often, and a hostile text must not cost hours."""


class Said(NamedTuple):
    """A hit, and who said it. ``alike``: no wording, but a sentence like the examples."""

    heard: Heard
    hit: Hit
    alike: bool = False

    @property
    def span(self) -> tuple[float, float]:
        return self.heard.start(self.hit.start), self.heard.end(self.hit.end - 1)


@dataclass(frozen=True, slots=True)
class Frame:
    """What is known of a call beside its words. ``begin``, ``end``: of all talk; ``first``: each speaker's first word;
    ``waits``: holds and long silences; ``seats``: who was on our side when; ``alike``: what its sentences are like."""

    begin: float
    end: float
    first: dict[Speaker, float]
    waits: Sequence[Wait]
    seats: Seats
    alike: Alike


class Search:
    """All places where a phrase may have been said, by the phrase's number.

    Those are laid first in which a whole wording stands as it is written: where that decides, nothing else is laid."""

    def __init__(self, sides: Sequence[Heard], frame: Frame, script: Script, transcript: Transcript) -> None:
        self._transcript, self._language, self._seats = transcript, script.language, frame.seats
        self._script, self._sides, self._alike_to = script, sides, frame.alike
        self._slots: dict[str, Slots] = {}
        self._least, self._since = _least(script), taken_at(transcript)
        self._said: dict[int, list[Said]] = {}
        self._laid = [
            (side, *lying)
            for side in sides
            for where, low, high in _parts(side, frame, script)
            for lying in index_of(script, side.speaker, where).laid(side.line, low, high)
        ]

    def exactly(self) -> Mapping[int, Sequence[Said]]:
        """Where a wording of one piece stands as it is written."""
        for side, _, laid, whole in self._laid:
            if laid.cost == 0:
                for phrase, score, shaky in whole:
                    self._put(side, phrase, Hit(laid.start, laid.end, score, shaky))
        return self._said

    def all_but(self, settled: Set[int]) -> Mapping[int, Sequence[Said]]:
        """Every place of all phrases but the settled ones."""
        self._said = {}
        for side, anchor, laid, whole in self._laid:
            if anchor.phrases <= settled:
                continue
            for phrase, score, shaky in whole:
                self._put(side, phrase, Hit(laid.start, laid.end, score, shaky))
            if anchor.steps:
                for slots in self._slots_at(side, laid):
                    for phrase, hit in Placing(side.line, slots, settled).hits(anchor, laid):
                        self._put(side, phrase, hit)
        self._alike(settled)
        return self._said

    def _alike(self, settled: Set[int]) -> None:
        """Sentences like the examples of a phrase; where one of its wordings stands, that decides."""
        for number, phrase in enumerate(self._script.phrases):
            if number in settled or phrase.name not in self._alike_to.phrases:
                continue
            worded = [one for one in self._said.get(number, ()) if one.hit.score >= phrase.tolerance.doubtful]
            for side in self._sides:
                if phrase.who not in (side.speaker, "anyone"):
                    continue
                taken = {unit for one in worded if one.heard is side for unit in range(one.hit.start, one.hit.end)}
                for low, high, score in self._alike_to.places(phrase.name, side.line):
                    if taken.isdisjoint(range(low, high)):
                        self._put(side, number, Hit(low, high, score, True), True)

    def _slots_at(self, side: Heard, laid: Laid) -> list[Slots]:
        """By the work numbers of who is on our side there; "" for one that is not known."""
        turns = self._transcript.seats
        if turns and laid.start < laid.end:
            there = seats_between(turns, side.start(laid.start), side.end(laid.end - 1))
            numbers = [turn.seat for turn in there] or [""]
        else:
            numbers = [self._transcript.seat]
        for number in numbers:
            if number not in self._slots:
                self._slots[number] = Slots(number, self._transcript.company, self._language)
        return [self._slots[number] for number in numbers]

    def _put(self, side: Heard, phrase: int, hit: Hit, alike: bool = False) -> None:
        """Unless it runs over from one seat to the next, or began before a seat took the call: then nobody said it."""
        if hit.score < self._least[phrase]:
            return
        if self._transcript.seats and side.speaker == "seat":
            start = side.start(hit.start)
            if start < self._since or not self._seats.one_voice(start, side.end(hit.end - 1)):
                return
        self._said.setdefault(phrase, []).append(Said(side, hit, alike))


@lru_cache(maxsize=64)
def _least(script: Script) -> tuple[float, ...]:
    return tuple(least(phrase) for phrase in script.phrases)


@lru_cache(maxsize=64)
def sides_of(script: Script) -> tuple[Speaker, ...]:
    """The seat, and the caller if any phrase is looked for in what he says."""
    return SPEAKERS if any(phrase.who != "seat" for phrase in script.phrases) else ("seat",)


@lru_cache(maxsize=64)
def _reach(script: Script) -> float:
    return max((phrase.window.seconds for phrase in script.phrases), default=0.0)


def _parts(side: Heard, frame: Frame, script: Script) -> Iterator[tuple[tuple[Where, ...], int, int]]:
    """The units in which phrases of each window are looked for, with a margin: from and to."""
    if not side.words:
        return
    reach, end = _reach(script), len(side.line.classes)
    first = bisect_right(side.words, frame.first[side.speaker] + reach + 1.0, key=_START)
    last = max(0, bisect_right(side.words, frame.end - 2 * reach, key=_START) - 1)
    yield ("first",), 0, side.begins[first] if first < len(side.words) else end
    yield ("last",), side.begins[last], end
    yield ("anywhere", "before_wait", "after_wait"), 0, end


def apart(said: Sequence[Said]) -> list[Said]:
    """Of hits that overlap the best; of equals the longest, because more of the sentence is in it."""
    if len(said) < 2:
        return list(said)
    kept: list[Said] = []
    end = -1
    for one in sorted(said, key=lambda one: (one.heard.speaker, one.hit.start)):
        if kept and one.heard is kept[-1].heard and one.hit.start < end:
            end = max(end, one.hit.end)
            kept[-1] = max(kept[-1], one, key=_likely)
        else:
            end = one.hit.end
            kept.append(one)
    return sorted(kept, key=_likely, reverse=True)[:MOST_PLACES]


def _likely(one: Said) -> tuple[bool, float]:
    return not one.hit.shaky, one.hit.score + _LENGTH_BONUS * (one.hit.end - one.hit.start)
