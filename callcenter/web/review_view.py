"""What the player of the review page shows: the transcript's lines, marks of findings, stretches of holds and pauses.

Place on the path of a call: below ``web/review``, which asks who may see it.
Promises: pure; the transcript is bounded. Never: decides a verdict, or asks the store.
"""

from collections.abc import Callable
from itertools import pairwise
from typing import Any

from callcenter.calls.model import Call, Hold, Pause
from callcenter.quality.finding import Finding
from callcenter.quality.review import Recorded, Review
from callcenter.quality.scorecard import is_fault
from callcenter.speech.transcript import Segment, Word, joined
from callcenter.web.words import N_

MAX_WORDS_SHOWN = 20_000
UNSURE_BELOW = 0.6


def spoken(found: Recorded) -> tuple[list[dict[str, Any]], int]:
    """The transcript's lines for the page, and how many words were left out."""
    lines: list[dict[str, Any]] = []
    shown = left_out = 0
    for segment in found.transcript.segments if found.transcript is not None else ():
        if not segment.words:
            continue
        if shown >= MAX_WORDS_SHOWN:
            left_out += len(segment.words)
            continue
        shown += len(segment.words)
        of_line = [f for f in found.row.findings if _is_in(f, segment)]
        words = [_shown(w, of_line) for w in segment.words]
        for left, right in pairwise(words):
            right["space"] = " " in joined([left["word"], right["word"]])
        lines.append({"speaker": segment.speaker, "start": segment.words[0].start, "words": words, "findings": of_line})
    return lines, left_out


def _shown(word: Word, found: list[Finding]) -> dict[str, Any]:
    kind = _class_of(word.start, word.end, word.conf, found)
    return {"word": word.word, "start": word.start, "end": word.end, "class": kind, "space": False}


def _is_in(finding: Finding, segment: Segment) -> bool:
    """Findings belong to the line in which they begin."""
    if finding.start is None or finding.speaker not in (None, segment.speaker):
        return False
    return segment.words[0].start - 0.001 <= finding.start < segment.words[-1].end


def _class_of(start: float, end: float, conf: float, found: list[Finding]) -> str:
    hit = [f for f in found if f.start is not None and start < (f.end or f.start + 0.01) and end > f.start]
    if not hit:
        return "unsure" if conf < UNSURE_BELOW else ""
    if any(f.band == "doubtful" for f in hit):
        return "w--ask"
    return "w--bad" if any(is_fault(f) for f in hit) else "w--hit"


def sign_of(finding: Finding) -> str:
    """``ask``, ``bad`` or ``ok``: triangle, octagon, tick."""
    return "ask" if finding.band == "doubtful" else "bad" if is_fault(finding) else "ok"


def player_data(found: Recorded, tracks: list[str], shown: list[Review]) -> dict[str, Any]:
    """What the player's script needs; numbers and rule ids only."""
    marks = [{"at": f.start, "sign": sign_of(f), "rule": f.rule} for f in found.row.findings if f.start is not None]
    words = [w.end for s in (found.transcript.segments if found.transcript else ()) for w in s.words[-1:]]
    return {
        "id": found.row.id,
        "seconds": found.row.seconds or max(words, default=0.0),
        "tracks": tracks,
        "marks": sorted(marks, key=lambda mark: mark["at"] or 0.0),
        "comments": sorted(c.moment for review in shown for c in review.comments),
    }


def stretches(found: Recorded, call: Call | None, words: Callable[[str], str]) -> list[dict[str, Any]]:
    """Holds, and where the recording was paused, in seconds of the recording, which ends with the call. ``words``
    translates."""
    if call is None or call.ended_at is None or not found.row.seconds:
        return []
    begun_at = call.ended_at - found.row.seconds
    spans: list[tuple[Hold | Pause, str, str]] = [(one, "hold", words(N_("Hold"))) for one in call.holds]
    spans += [(one, "paused", words(N_("Recording paused"))) for one in call.pauses]
    return [
        {
            "from": max(0.0, one.started_at - begun_at),
            "to": (one.ended_at or call.ended_at) - begun_at,
            "kind": kind,
            "label": label,
        }
        for one, kind, label in spans
    ]
