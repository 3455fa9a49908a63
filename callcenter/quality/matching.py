"""Judging a transcript against a phrase script: which phrases were said, by whom, when, and how surely.

Place on the path of a call: after its transcription (or while it is talked); the findings go to the store, the review
page and the figures.
Promises: pure; one finding per phrase, found or not (on demand one per phrase and seat); what is heard badly, may mean
two things or may have been said while nothing was recorded is *doubtful* and goes to a person instead of counting; work
grows with the length of the transcript only.
Never: reads a file, or knows a phrase of its own.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import lru_cache

from callcenter.quality.finding import Finding
from callcenter.quality.heard import Wait, around, heard_of, silences, taken_at, talk
from callcenter.quality.likeness import UNLIKE, Alike
from callcenter.quality.meaning import Meaning, meaning_of
from callcenter.quality.owing import Seats, each_seat
from callcenter.quality.said import Frame, Said, Search, apart, sides_of
from callcenter.quality.scripts import Phrase, Script
from callcenter.speech.transcript import Transcript, joined


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
    sides = [heard_of(transcript, speaker, script.language) for speaker in sides_of(script)]
    begin, end = talk(transcript) or (0.0, 0.0)
    since = taken_at(transcript)
    starts = {side.speaker: [word.start for word in side.words] for side in sides if side.words}
    first = {speaker: next((at for at in told if at >= since), told[0]) for speaker, told in starts.items()}
    silent = [one for one in silences(transcript, script.wait_seconds) if not _touch(paused, one.start, one.end)]
    frame = Frame(begin, end, first, [*holds, *silent], Seats(transcript.seats), Alike(script.likeness))
    search = Search(sides, frame, script, transcript)
    findings: dict[int, Finding] = {}
    for number, said in search.exactly().items():
        finding = _finding(script, number, said, frame)
        if finding.found and finding.band == "sure":
            findings[number] = finding
    said_of = search.all_but(findings.keys())
    unsaid = _unsaid(script, bool(frame.waits))
    for number in range(len(script.phrases)) if transcript.seats else said_of:
        if number not in findings:
            findings[number] = _finding(script, number, said_of.get(number, ()), frame)
    told = [findings.get(number) or bare for number, bare in enumerate(unsaid)]
    told = _with_places(script, search, told, frame) if every_place else told
    told = frame.seats.missing(sides[0].words, told)
    phrases = {phrase.name: phrase for phrase in script.phrases}
    return [_perhaps(one, phrases[one.phrase], frame, paused) for one in told] if paused else told


def _with_places(script: Script, search: "Search", told: Sequence[Finding], frame: Frame) -> list[Finding]:
    """Forbidden phrases that were said, with the places where they were said again; and what several seats said or
    owed, seat by seat."""
    said = {n for n, one in enumerate(told) if one.kind == "forbidden" and one.found}
    shared = {n for n, phrase in enumerate(script.phrases) if len(_waited(phrase, frame)) > 1}
    if not said | shared:
        return list(told)
    again = search.all_but(set(range(len(told))) - said - shared)
    placed: list[Finding] = []
    for n, one in enumerate(told):
        if n in said:
            placed += each_seat(replace(one, more=_elsewhere(script, n, again.get(n, ()), one, frame)))
        elif n in shared:
            for seat, waits in _waited(script.phrases[n], frame).items():
                own = [one for one in again.get(n, ()) if frame.seats.may_have_said(seat, *one.span)]
                placed.append(_finding(script, n, own, replace(frame, waits=waits)))
        else:
            placed.append(one)
    return placed


def _waited(phrase: Phrase, frame: Frame) -> Mapping[str | None, Sequence[Wait]]:
    """Of a phrase that a seat owes at each wait, whose waits there were."""
    where = phrase.window.where
    if phrase.kind == "forbidden" or phrase.who != "seat" or where not in ("before_wait", "after_wait"):
        return {}
    return frame.seats.waited(where, frame.waits)


def _elsewhere(script: Script, number: int, said: Sequence[Said], first: Finding, frame: Frame) -> tuple[Finding, ...]:
    """Where else it was said, in order."""
    phrase = script.phrases[number]
    near = apart([one for one in said if one.hit.score >= phrase.tolerance.doubtful])
    told = [frame.seats.told(one) for one in _told(phrase, near, script.language, frame.alike)]
    return tuple(sorted((one for one in told if _apart_from(one, first)), key=lambda one: one.start or 0.0))


def _apart_from(one: Finding, other: Finding) -> bool:
    beside = (one.start or 0.0) >= (other.end or 0.0) or (one.end or 0.0) <= (other.start or 0.0)
    return beside or one.speaker != other.speaker


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


def _finding(script: Script, number: int, said: Sequence[Said], frame: Frame) -> Finding:
    phrase, bare = script.phrases[number], _bare(script)[number]
    near = apart([one for one in said if one.hit.score >= phrase.tolerance.doubtful]) if said else []

    def told_of(places: Sequence[Said]) -> Iterator[Finding]:
        return (frame.seats.told(one) for one in _told(phrase, places, script.language, frame.alike))

    where = phrase.window.where
    if phrase.kind == "forbidden":
        return _first(told_of(near)) or bare
    if where == "anywhere":
        found = _first(told_of(near))
    elif where in ("first", "last"):
        found = min(_in_window(phrase, list(told_of(near)), frame), key=_rank, default=None)
    elif frame.waits:
        worded = list(told_of([one for one in near if not one.alike]))
        alike = list(told_of([one for one in near if one.alike]))
        absent = _absent(phrase, said, bare)
        return _at_waits(phrase, worded + alike, frame, replace(absent, band="doubtful") if worded else absent)
    else:
        return _first(told_of(near)) or _absent(phrase, said, _not_due(script)[number])
    if found:
        return found
    absent, owing = _absent(phrase, said, bare), _owing(phrase, frame)
    return replace(absent, seat=owing) if owing else absent


def _told(phrase: Phrase, said: Sequence[Said], language: str, alike: Alike) -> Iterator[Finding]:
    """What counts of what was said: the best first, of equals the earliest."""
    for one in sorted(said, key=_merit) if len(said) > 1 else said:
        meaning = meaning_of(phrase, one.heard, one.hit, language)
        if meaning == "harmless":
            continue
        finding = _as_finding(phrase, one, meaning)
        if alike.like(phrase.name, one.heard.line, one.hit.start, one.hit.end) >= UNLIKE:
            yield finding
        elif finding.band == "sure":
            yield replace(finding, band="doubtful")


def _merit(one: Said) -> tuple[float, float]:
    return -one.hit.score, round(one.heard.start(one.hit.start), 3)


def _first(told: Iterator[Finding]) -> Finding | None:
    """The first that is sure, or else the first; nothing behind it is looked at."""
    doubtful = None
    for one in told:
        if one.band == "sure":
            return one
        doubtful = doubtful or one
    return doubtful


def _owing(phrase: Phrase, frame: Frame) -> str | None:
    return frame.seats.owing(phrase.window.where, frame.waits) if phrase.who == "seat" else None


def _as_finding(phrase: Phrase, said: Said, meaning: Meaning) -> Finding:
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


def _absent(phrase: Phrase, said: Sequence[Said], bare: Finding) -> Finding:
    """A required phrase that was not said; doubtful if something like it was, or if the speaker was heard badly."""
    if not said:
        return bare
    score = max((one.hit.score for one in said if one.hit.score < phrase.tolerance.doubtful), default=0.0)
    return replace(bare, score=score, band="doubtful") if score else bare


def _perhaps(finding: Finding, phrase: Phrase, frame: Frame, paused: Sequence[Wait]) -> Finding:
    """What may have been said while nothing was recorded is not missing for sure."""
    if finding.found or finding.kind == "forbidden":
        return finding
    since = frame.end - phrase.window.seconds if phrase.window.where == "last" else 0.0
    until = frame.begin + phrase.window.seconds if phrase.window.where == "first" else math.inf
    return replace(finding, band="doubtful") if _touch(paused, since, until) else finding


def _touch(stretches: Sequence[Wait], start: float, end: float) -> bool:
    return any(one.start < end and one.end > start for one in stretches)


def _in_window(phrase: Phrase, told: Sequence[Finding], frame: Frame) -> list[Finding]:
    window = phrase.window
    told = frame.seats.owed(window.where, told)
    if window.where == "first":
        in_time = [one for one in told if (one.start or 0.0) <= frame.begin + window.seconds]
        late = [
            replace(one, band="doubtful")  # the other side spoke first, perhaps to nobody
            for one in told
            if one not in in_time and one.speaker and (one.start or 0.0) <= frame.first[one.speaker] + window.seconds
        ]
        return in_time + late
    if window.where == "last":
        return [one for one in told if (one.end or 0.0) >= frame.end - window.seconds]
    return list(told)


def _at_waits(phrase: Phrase, told: Sequence[Finding], frame: Frame, absent: Finding) -> Finding:
    """Every wait needs its phrase: where one lacks it, a person looks; ``absent``: what is found where none has it."""
    before = phrase.window.seconds if phrase.window.where == "before_wait" else 0.0
    after = phrase.window.seconds if phrase.window.where == "after_wait" else 0.0
    at = [(one, around(frame.waits, one.start or 0.0, one.end or 0.0, before, after)) for one in told]
    placed = [one for one, waits in at if waits]
    if not placed:
        return replace(absent, seat=_owing(phrase, frame))
    best = min(placed, key=_rank)
    everywhere = {n for _, waits in at for n in waits} == set(range(len(frame.waits)))
    return best if everywhere else replace(best, band="doubtful")
