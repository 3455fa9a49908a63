"""Judging a transcript against a phrase script: which phrases were said, by whom, when, and how surely.

Place on the path of a call: after its transcription (or while it is talked); the findings go to the store, the review
page and the figures.
Promises: pure; one finding per phrase, found or not; what is heard badly or may mean two things is *doubtful* and
goes to
a person instead of counting; work grows with the length of the transcript only.
Never: reads a file, or knows a phrase of its own.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from callcenter.quality.finding import Finding
from callcenter.quality.heard import Heard, Wait, around, heard_of, silences, talk
from callcenter.quality.meaning import Meaning, meaning_of
from callcenter.quality.places import Hit, Placing, index_of, lay_anchor
from callcenter.quality.scripts import Phrase, Script, Where
from callcenter.speech.transcript import SPEAKERS, Speaker, Transcript

_NEARLY = 0.04
"""A required phrase that misses its tolerance by less than this was perhaps said: its absence is doubtful."""
_LENGTH_BONUS = 0.01
MOST_PLACES = 200
"""Of one phrase in one call that are looked at: nobody says it more often, and a hostile text must not cost hours."""


@dataclass(frozen=True, slots=True)
class _Said:
    """A hit, who said it, and what the words around it make of it."""

    heard: Heard
    hit: Hit
    meaning: Meaning = "plain"

    @property
    def start(self) -> float:
        return self.heard.start(self.hit.start)

    @property
    def end(self) -> float:
        return self.heard.end(self.hit.end - 1)


@dataclass(frozen=True, slots=True)
class _Times:
    """``begin``, ``end``: of all talk; ``first``: each speaker's first word; ``waits``: holds and long silences."""

    begin: float
    end: float
    first: dict[Speaker, float]
    waits: Sequence[Wait]


def judge(transcript: Transcript, script: Script, holds: Sequence[Wait] = ()) -> list[Finding]:
    """One finding per phrase of ``script``, in its order. ``holds``: what the call knows of them, beside its
    silences."""
    sides = [heard_of(transcript, speaker, script.language) for speaker in SPEAKERS]
    begin, end = talk(transcript) or (0.0, 0.0)
    first = {side.speaker: side.words[0].start for side in sides if side.words}
    times = _Times(begin, end, first, [*holds, *silences(transcript, script.wait_seconds)])
    said = _said(script, sides, transcript, times)
    return [_finding(phrase, said[n], times, script.language) for n, phrase in enumerate(script.phrases)]


def _said(script: Script, sides: Sequence[Heard], transcript: Transcript, times: _Times) -> list[list[_Said]]:
    """All places where a phrase may have been said, by the phrase's number."""
    found: list[list[_Said]] = [[] for _ in script.phrases]
    reach = max((phrase.window.seconds for phrase in script.phrases), default=0.0)
    for side in sides:
        for where, low, high in _parts(side, times, reach):
            index = index_of(script, side.speaker, where)
            for anchor, start in index.candidates(side.line, low, high):
                laid = lay_anchor(anchor, start, side.line)
                if laid is None:
                    continue
                for template, n in anchor.templates:
                    hit = Placing(template, n, laid, side.line, transcript, script.language).hit()
                    if hit is not None:
                        found[template.phrase].append(_Said(side, hit))
    return found


def _parts(side: Heard, times: _Times, reach: float) -> Iterator[tuple[tuple[Where, ...], int, int]]:
    """The units in which phrases of each window are looked for, with a margin: from and to."""
    if not side.words or not side.of:
        return
    starts = [word.start for word in side.words]
    first = bisect_right(starts, times.first[side.speaker] + reach + 1.0)
    last = bisect_right(starts, times.end - 2 * reach)
    owners = [word for word, _ in side.of]
    yield ("first",), 0, bisect_left(owners, first)
    yield ("last",), bisect_left(owners, max(0, last - 1)), len(owners)
    yield ("anywhere", "before_wait", "after_wait"), 0, len(owners)


def _finding(phrase: Phrase, said: list[_Said], times: _Times, language: str) -> Finding:
    bare = Finding(phrase.name, phrase.rule, phrase.kind, False, severity=phrase.severity)
    near = [one for one in said if one.hit.score >= phrase.tolerance.doubtful]
    meant = [replace(one, meaning=meaning_of(phrase, one.heard, one.hit, language)) for one in _apart(near)]
    told = [_as_finding(phrase, bare, one) for one in meant if one.meaning != "harmless"]
    if phrase.kind == "forbidden":
        return min(told, key=_rank, default=bare)
    if phrase.window.where in ("before_wait", "after_wait"):
        return _at_waits(phrase, told, times, _absent(phrase, said, bare))
    return min(_in_window(phrase, told, times), key=_rank, default=_absent(phrase, said, bare))


def _apart(said: Iterable[_Said]) -> list[_Said]:
    """Of hits that overlap the best; of equals the longest, because more of the sentence is in it."""
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


def _as_finding(phrase: Phrase, bare: Finding, said: _Said) -> Finding:
    hit, heard = said.hit, said.heard
    clear = heard.confidence(hit.start, hit.end) >= phrase.tolerance.confidence
    sure = clear and not hit.shaky and hit.score >= phrase.tolerance.sure and said.meaning == "plain"
    return replace(
        bare,
        found=True,
        speaker=heard.speaker,
        start=round(said.start, 3),
        end=round(said.end, 3),
        heard=heard.text(hit.start, hit.end),
        score=hit.score,
        band="sure" if sure else "doubtful",
    )


def _rank(finding: Finding) -> tuple[bool, float, float]:
    """The surest, then the best, then the earliest."""
    return finding.band != "sure", -finding.score, finding.start or 0.0


def _absent(phrase: Phrase, said: Sequence[_Said], bare: Finding) -> Finding:
    """A required phrase that was not said; doubtful if something like it was, or if the speaker was heard badly."""
    score = max((one.hit.score for one in said if one.hit.score < phrase.tolerance.doubtful), default=0.0)
    return replace(bare, score=score, band="doubtful" if score >= phrase.tolerance.doubtful - _NEARLY else "sure")


def _in_window(phrase: Phrase, told: Sequence[Finding], times: _Times) -> list[Finding]:
    window = phrase.window
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
    """Every wait needs its phrase: where one lacks it, a person looks. Without a wait nothing was due."""
    if not times.waits:
        return min(told, key=_rank, default=replace(absent, due=False))
    before = phrase.window.seconds if phrase.window.where == "before_wait" else 0.0
    after = phrase.window.seconds if phrase.window.where == "after_wait" else 0.0
    at = [(one, around(times.waits, one.start or 0.0, one.end or 0.0, before, after)) for one in told]
    placed = [one for one, waits in at if waits]
    if not placed:
        return replace(absent, band="doubtful") if told else absent
    best = min(placed, key=_rank)
    everywhere = {n for _, waits in at for n in waits} == set(range(len(times.waits)))
    return best if everywhere else replace(best, band="doubtful")
