"""Judging a transcript against a phrase script: which phrases were said, by whom, when, and how surely.

Place on the path of a call: after its transcription (or while it is talked); the findings go to the store, the review
page and the figures.
Promises: pure; one finding per phrase, found or not (on demand one per phrase and seat); what is heard badly, may mean
two things or may have been said while nothing was recorded is *doubtful* and goes to a person instead of counting; work
grows with the length of the transcript only.
Never: reads a file, or knows a phrase of its own.
"""

import math
from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, replace
from functools import lru_cache
from operator import attrgetter
from typing import NamedTuple

from callcenter.quality.align import Laid
from callcenter.quality.finding import Finding
from callcenter.quality.heard import Heard, Wait, around, heard_of, silences, taken_at, talk
from callcenter.quality.meaning import Meaning, meaning_of
from callcenter.quality.owing import Seats, each_seat
from callcenter.quality.places import Hit, Placing, index_of, least
from callcenter.quality.scripts import Phrase, Script, Where
from callcenter.quality.slots import Slots
from callcenter.speech.transcript import SPEAKERS, Speaker, Transcript, joined, seats_between

_START = attrgetter("start")
_LENGTH_BONUS = 0.01
MOST_PLACES = 200
"""Of one phrase in one call that are looked at: nobody says it more often, and a hostile text must not cost hours."""


class _Said(NamedTuple):
    """A hit, and who said it."""

    heard: Heard
    hit: Hit

    @property
    def span(self) -> tuple[float, float]:
        return self.heard.start(self.hit.start), self.heard.end(self.hit.end - 1)


@dataclass(frozen=True, slots=True)
class _Times:
    """``begin``, ``end``: of all talk; ``first``: each speaker's first word; ``waits``: holds and long silences;
    ``seats``: who was on our side when."""

    begin: float
    end: float
    first: dict[Speaker, float]
    waits: Sequence[Wait]
    seats: Seats


def judge(
    transcript: Transcript,
    script: Script,
    holds: Sequence[Wait] = (),
    paused: Sequence[Wait] = (),
    every_place: bool = False,
) -> list[Finding]:
    """One finding per phrase of ``script``, in its order. ``holds``: what the call knows of them, beside its
    silences; ``paused``: when nothing was recorded, which is no silence. ``every_place``: with all places of what must
    not be said, for who marks them; then what several seats said, or owed at their own waits, is a finding of each."""
    sides = [heard_of(transcript, speaker, script.language) for speaker in _sides(script)]
    begin, end = talk(transcript) or (0.0, 0.0)
    since = taken_at(transcript)
    starts = {side.speaker: [word.start for word in side.words] for side in sides if side.words}
    first = {speaker: next((at for at in told if at >= since), told[0]) for speaker, told in starts.items()}
    silent = [one for one in silences(transcript, script.wait_seconds) if not _touch(paused, one.start, one.end)]
    times = _Times(begin, end, first, [*holds, *silent], Seats(transcript.seats))
    search = _Search(sides, times, script, transcript)
    findings: dict[int, Finding] = {}
    for number, said in search.exactly().items():
        finding = _finding(script, number, said, times)
        if finding.found and finding.band == "sure":
            findings[number] = finding
    said_of = search.all_but(findings.keys())
    unsaid = _unsaid(script, bool(times.waits))
    for number in range(len(script.phrases)) if transcript.seats else said_of:
        if number not in findings:
            findings[number] = _finding(script, number, said_of.get(number, ()), times)
    told = [findings.get(number) or bare for number, bare in enumerate(unsaid)]
    told = _with_places(script, search, told, times) if every_place else told
    told = times.seats.missing(sides[0].words, told)
    phrases = {phrase.name: phrase for phrase in script.phrases}
    return [_perhaps(one, phrases[one.phrase], times, paused) for one in told] if paused else told


def _with_places(script: Script, search: "_Search", told: Sequence[Finding], times: _Times) -> list[Finding]:
    """Forbidden phrases that were said, with the places where they were said again; and what several seats said or
    owed, seat by seat."""
    said = {n for n, one in enumerate(told) if one.kind == "forbidden" and one.found}
    shared = {n for n, phrase in enumerate(script.phrases) if len(_waited(phrase, times)) > 1}
    if not said | shared:
        return list(told)
    again = search.all_but(set(range(len(told))) - said - shared)
    placed: list[Finding] = []
    for n, one in enumerate(told):
        if n in said:
            placed += each_seat(replace(one, more=_elsewhere(script, n, again.get(n, ()), one, times)))
        elif n in shared:
            for seat, waits in _waited(script.phrases[n], times).items():
                own = [one for one in again.get(n, ()) if times.seats.may_have_said(seat, *one.span)]
                placed.append(_finding(script, n, own, replace(times, waits=waits)))
        else:
            placed.append(one)
    return placed


def _waited(phrase: Phrase, times: _Times) -> Mapping[str | None, Sequence[Wait]]:
    """Of a phrase that a seat owes at each wait, whose waits there were."""
    where = phrase.window.where
    if phrase.kind == "forbidden" or phrase.who != "seat" or where not in ("before_wait", "after_wait"):
        return {}
    return times.seats.waited(where, times.waits)


def _elsewhere(
    script: Script, number: int, said: Sequence[_Said], first: Finding, times: _Times
) -> tuple[Finding, ...]:
    """Where else it was said, in order."""
    phrase = script.phrases[number]
    near = _apart([one for one in said if one.hit.score >= phrase.tolerance.doubtful])
    told = [times.seats.told(one) for one in _told(phrase, near, script.language)]
    return tuple(sorted((one for one in told if _apart_from(one, first)), key=lambda one: one.start or 0.0))


def _apart_from(one: Finding, other: Finding) -> bool:
    beside = (one.start or 0.0) >= (other.end or 0.0) or (one.end or 0.0) <= (other.start or 0.0)
    return beside or one.speaker != other.speaker


class _Search:
    """All places where a phrase may have been said, by the phrase's number.

    Those are laid first in which a whole wording stands as it is written: where that decides, nothing else is laid."""

    def __init__(self, sides: Sequence[Heard], times: _Times, script: Script, transcript: Transcript) -> None:
        self._transcript, self._language, self._seats = transcript, script.language, times.seats
        self._slots: dict[str, Slots] = {}
        self._least, self._since = _least(script), taken_at(transcript)
        self._said: dict[int, list[_Said]] = {}
        self._laid = [
            (side, *lying)
            for side in sides
            for where, low, high in _parts(side, times, script)
            for lying in index_of(script, side.speaker, where).laid(side.line, low, high)
        ]

    def exactly(self) -> Mapping[int, Sequence[_Said]]:
        """Where a wording of one piece stands as it is written."""
        for side, _, laid, whole in self._laid:
            if laid.cost == 0:
                for phrase, score, shaky in whole:
                    self._put(side, phrase, Hit(laid.start, laid.end, score, shaky))
        return self._said

    def all_but(self, settled: Set[int]) -> Mapping[int, Sequence[_Said]]:
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
        return self._said

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

    def _put(self, side: Heard, phrase: int, hit: Hit) -> None:
        """Unless it runs over from one seat to the next, or began before a seat took the call: then nobody said it."""
        if hit.score < self._least[phrase]:
            return
        if self._transcript.seats and side.speaker == "seat":
            start = side.start(hit.start)
            if start < self._since or not self._seats.one_voice(start, side.end(hit.end - 1)):
                return
        self._said.setdefault(phrase, []).append(_Said(side, hit))


@lru_cache(maxsize=64)
def _least(script: Script) -> tuple[float, ...]:
    return tuple(least(phrase) for phrase in script.phrases)


@lru_cache(maxsize=64)
def _bare(script: Script) -> tuple[Finding, ...]:
    """What is found of phrases that nobody said."""
    return tuple(
        Finding(phrase.name, phrase.rule, phrase.kind, False, severity=phrase.severity) for phrase in script.phrases
    )


@lru_cache(maxsize=64)
def _not_due(script: Script) -> tuple[Finding, ...]:
    """What is found of them where there was no reason to say them."""
    return tuple(replace(bare, due=False) for bare in _bare(script))


@lru_cache(maxsize=64)
def _unsaid(script: Script, waited: bool) -> tuple[Finding, ...]:
    """What is found in a call of one seat where nobody said anything, with a wait or without."""
    of_waits = ("before_wait", "after_wait")
    return tuple(
        not_due if phrase.window.where in of_waits and not waited else bare
        for phrase, bare, not_due in zip(script.phrases, _bare(script), _not_due(script), strict=True)
    )


@lru_cache(maxsize=64)
def _sides(script: Script) -> tuple[Speaker, ...]:
    """The seat, and the caller if any phrase is looked for in what he says."""
    return SPEAKERS if any(phrase.who != "seat" for phrase in script.phrases) else ("seat",)


@lru_cache(maxsize=64)
def _reach(script: Script) -> float:
    return max((phrase.window.seconds for phrase in script.phrases), default=0.0)


def _parts(side: Heard, times: _Times, script: Script) -> Iterator[tuple[tuple[Where, ...], int, int]]:
    """The units in which phrases of each window are looked for, with a margin: from and to."""
    if not side.words:
        return
    reach, end = _reach(script), len(side.line.classes)
    first = bisect_right(side.words, times.first[side.speaker] + reach + 1.0, key=_START)
    last = max(0, bisect_right(side.words, times.end - 2 * reach, key=_START) - 1)
    yield ("first",), 0, side.begins[first] if first < len(side.words) else end
    yield ("last",), side.begins[last], end
    yield ("anywhere", "before_wait", "after_wait"), 0, end


def _finding(script: Script, number: int, said: Sequence[_Said], times: _Times) -> Finding:
    phrase, bare = script.phrases[number], _bare(script)[number]
    near = _apart([one for one in said if one.hit.score >= phrase.tolerance.doubtful]) if said else []
    told = (times.seats.told(one) for one in _told(phrase, near, script.language))
    if phrase.kind == "forbidden":
        return _first(told) or bare
    if phrase.window.where == "anywhere":
        found = _first(told)
    elif phrase.window.where in ("first", "last"):
        found = min(_in_window(phrase, list(told), times), key=_rank, default=None)
    elif times.waits:
        return _at_waits(phrase, list(told), times, _absent(phrase, said, bare))
    else:
        return _first(told) or _absent(phrase, said, _not_due(script)[number])
    if found:
        return found
    absent, owing = _absent(phrase, said, bare), _owing(phrase, times)
    return replace(absent, seat=owing) if owing else absent


def _told(phrase: Phrase, said: Sequence[_Said], language: str) -> Iterator[Finding]:
    """What counts of what was said: the best first, of equals the earliest."""
    for one in sorted(said, key=_merit) if len(said) > 1 else said:
        meaning = meaning_of(phrase, one.heard, one.hit, language)
        if meaning != "harmless":
            yield _as_finding(phrase, one, meaning)


def _merit(one: _Said) -> tuple[float, float]:
    return -one.hit.score, round(one.heard.start(one.hit.start), 3)


def _first(told: Iterator[Finding]) -> Finding | None:
    """The first that is sure, or else the first; nothing behind it is looked at."""
    doubtful = None
    for one in told:
        if one.band == "sure":
            return one
        doubtful = doubtful or one
    return doubtful


def _owing(phrase: Phrase, times: _Times) -> str | None:
    return times.seats.owing(phrase.window.where, times.waits) if phrase.who == "seat" else None


def _apart(said: Sequence[_Said]) -> list[_Said]:
    """Of hits that overlap the best; of equals the longest, because more of the sentence is in it."""
    if len(said) < 2:
        return list(said)
    kept: list[_Said] = []
    end = -1
    for one in sorted(said, key=lambda one: (one.heard.speaker, one.hit.start)):
        if kept and one.heard is kept[-1].heard and one.hit.start < end:
            end = max(end, one.hit.end)
            kept[-1] = max(kept[-1], one, key=_likely)
        else:
            end = one.hit.end
            kept.append(one)
    return sorted(kept, key=_likely, reverse=True)[:MOST_PLACES]


def _likely(one: _Said) -> tuple[bool, float]:
    return not one.hit.shaky, one.hit.score + _LENGTH_BONUS * (one.hit.end - one.hit.start)


def _as_finding(phrase: Phrase, said: _Said, meaning: Meaning) -> Finding:
    (start, end, score, shaky), heard = said.hit, said.heard
    words = heard.told(start, end)
    clear = sum([word.conf for word in words]) / len(words) >= phrase.tolerance.confidence
    sure = clear and not shaky and score >= phrase.tolerance.sure and meaning == "plain"
    return Finding(
        phrase.name,
        phrase.rule,
        phrase.kind,
        True,
        heard.speaker,
        round(heard.start(start), 3),
        round(words[-1].end, 3),
        joined([word.word.strip() for word in words]),
        score,
        "sure" if sure else "doubtful",
        phrase.severity,
    )


def _rank(finding: Finding) -> tuple[bool, float, float]:
    """The surest, then the best, then the earliest."""
    return finding.band != "sure", -finding.score, finding.start or 0.0


def _absent(phrase: Phrase, said: Sequence[_Said], bare: Finding) -> Finding:
    """A required phrase that was not said; doubtful if something like it was, or if the speaker was heard badly."""
    if not said:
        return bare
    score = max((one.hit.score for one in said if one.hit.score < phrase.tolerance.doubtful), default=0.0)
    return replace(bare, score=score, band="doubtful") if score else bare


def _perhaps(finding: Finding, phrase: Phrase, times: _Times, paused: Sequence[Wait]) -> Finding:
    """What may have been said while nothing was recorded is not missing for sure."""
    if finding.found or finding.kind == "forbidden":
        return finding
    since = times.end - phrase.window.seconds if phrase.window.where == "last" else 0.0
    until = times.begin + phrase.window.seconds if phrase.window.where == "first" else math.inf
    return replace(finding, band="doubtful") if _touch(paused, since, until) else finding


def _touch(stretches: Sequence[Wait], start: float, end: float) -> bool:
    return any(one.start < end and one.end > start for one in stretches)


def _in_window(phrase: Phrase, told: Sequence[Finding], times: _Times) -> list[Finding]:
    window = phrase.window
    told = times.seats.owed(window.where, told)
    if window.where == "first":
        in_time = [one for one in told if (one.start or 0.0) <= times.begin + window.seconds]
        late = [
            replace(one, band="doubtful")  # the other side spoke first, perhaps to nobody
            for one in told
            if one not in in_time and one.speaker and (one.start or 0.0) <= times.first[one.speaker] + window.seconds
        ]
        return in_time + late
    if window.where == "last":
        return [one for one in told if (one.end or 0.0) >= times.end - window.seconds]
    return list(told)


def _at_waits(phrase: Phrase, told: Sequence[Finding], times: _Times, absent: Finding) -> Finding:
    """Every wait needs its phrase: where one lacks it, a person looks."""
    before = phrase.window.seconds if phrase.window.where == "before_wait" else 0.0
    after = phrase.window.seconds if phrase.window.where == "after_wait" else 0.0
    at = [(one, around(times.waits, one.start or 0.0, one.end or 0.0, before, after)) for one in told]
    placed = [one for one, waits in at if waits]
    if not placed:
        return replace(absent, seat=_owing(phrase, times), band="doubtful" if told else absent.band)
    best = min(placed, key=_rank)
    everywhere = {n for _, waits in at for n in waits} == set(range(len(times.waits)))
    return best if everywhere else replace(best, band="doubtful")
