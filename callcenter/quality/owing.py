"""Whose phrase it is, where several seats spoke in turn on our side: who said it, and who owed it.

Place on the path of a call: beside ``quality/matching``. The greeting is owed by the seat that came first, the closing
by the one that was there last, a wait's words by the seat that let the customer wait.
Promises: pure; each seat is judged for itself: what two of them said is a finding of each, what one owed is no fault of
the other; of two in a conference nobody is named; without turns everything is as in a call of one seat, unnamed.
Never: looks for a phrase.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from callcenter.quality.finding import Finding
from callcenter.quality.heard import Wait
from callcenter.quality.scripts import Where
from callcenter.speech.transcript import NEAR_SECONDS, Turn, Word, seats_between


class Seats:
    """The seats of one transcript."""

    def __init__(self, turns: Sequence[Turn]) -> None:
        self._turns = turns
        begin = min((turn.start for turn in turns), default=0.0)
        end = max((turn.end for turn in turns), default=0.0)
        first = {turn.name for turn in turns if turn.start <= begin + NEAR_SECONDS}
        last = {turn.name for turn in turns if turn.end >= end - NEAR_SECONDS}
        self._owing: dict[Where, set[str]] = {"first": first, "last": last}

    def one_voice(self, start: float, end: float) -> bool:
        """Whether words from here to there may be one seat's sentence."""
        if not self._turns:
            return True
        ends = self._at(start, start), self._at(end, end)
        return not all(ends) or bool(ends[0] & ends[1])

    def told(self, finding: Finding) -> Finding:
        """With the seat that said it."""
        return replace(finding, seat=_only(self._spoke(finding))) if self._turns else finding

    def owed(self, where: Where, told: Iterable[Finding]) -> list[Finding]:
        """Of what was said, what its owner said; doubtful where it is not known who spoke."""
        if where not in self._owing or not self._turns:
            return list(told)
        owing, kept = self._owing[where], []
        for one in told:
            spoke = self._spoke(one)
            if one.speaker != "seat" or owing & spoke:
                kept.append(replace(one, seat=_only(owing & spoke)))
            elif not spoke:
                kept.append(replace(one, band="doubtful"))
        return kept

    def missing(self, heard: Sequence[Word], told: Iterable[Finding]) -> list[Finding]:
        """What is missing from a seat of whom no word was *heard* is doubtful: a track without its voice tells nothing
        of what it said."""
        if heard and not self._turns:
            return list(told)
        spoke = {name for word in heard for name in self._at(word.start, word.end)}

        def unheard(one: Finding) -> bool:
            return not heard or (one.seat is not None and one.seat not in spoke)

        return [
            replace(one, band="doubtful") if one.kind == "required" and not one.found and unheard(one) else one
            for one in told
        ]

    def owing(self, where: Where, waits: Sequence[Wait] = ()) -> str | None:
        """Who has to say what stands there; ``None`` where it may be another one, too."""
        if not self._turns:
            return None
        if where in self._owing:
            return _only(self._owing[where])
        if where == "anywhere":
            return _only({turn.name for turn in self._turns})
        moments = [wait.start if where == "before_wait" else wait.end for wait in waits]
        return _only({_only(self._at(moment, moment)) for moment in moments})

    def may_have_said(self, seat: str | None, start: float, end: float) -> bool:
        """Whether words from here to there may be this seat's."""
        there = self._at(start, end)
        return seat is None or not there or seat in there

    def waited(self, where: Where, waits: Sequence[Wait]) -> dict[str | None, list[Wait]]:
        """The waits by who let the customer wait; ``None``: nobody known."""
        whose: dict[str | None, list[Wait]] = {}
        for wait in waits:
            moment = wait.start if where == "before_wait" else wait.end
            whose.setdefault(_only(self._at(moment, moment)), []).append(wait)
        return whose

    def _spoke(self, finding: Finding) -> set[str]:
        if finding.speaker != "seat" or finding.start is None:
            return set()
        return self._at(finding.start, finding.end or finding.start)

    def _at(self, start: float, end: float) -> set[str]:
        return {turn.name for turn in seats_between(self._turns, start, end)}


def each_seat(finding: Finding) -> list[Finding]:
    """What is found of a forbidden phrase, by who said it: each seat's own, with its own further places. Places of
    nobody known stay with the first."""
    others: dict[str, list[Finding]] = {}
    mine = []
    for place in finding.more:
        if place.seat is None or place.seat == finding.seat:
            mine.append(place)
        else:
            others.setdefault(place.seat, []).append(place)
    told = [replace(finding, more=tuple(mine))]
    for places in others.values():
        first = next((one for one in places if one.band == "sure"), places[0])
        told.append(replace(first, more=tuple(one for one in places if one is not first)))
    return told


def _only(names: "set[str] | set[str | None]") -> str | None:
    return (next(iter(names)) or None) if len(names) == 1 else None
