"""What the review page shows: of the player the transcript's lines, marks of findings, stretches of holds and pauses;
what the list and a question's line say of findings.

Place on the path of a call: below ``web/review``, which asks who may see it.
Promises: pure; the transcript is bounded. Never: decides a verdict, or asks the store.
"""

import math
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

from callcenter.calls.model import Call, Hold, Pause
from callcenter.calls.recorded import begun_at
from callcenter.quality.finding import Finding, all_places
from callcenter.quality.review import Recorded, RecordingRow, Review
from callcenter.quality.scorecard import (
    Scorecard,
    is_fault,
)
from callcenter.speech.transcript import (
    Segment,
    Word,
    joined,
    seats_between,
)
from callcenter.web.words import N_

MAX_WORDS_SHOWN = 20_000
MAX_EVIDENCE = 5
UNSURE_BELOW = 0.6


def spoken(found: Recorded) -> tuple[list[dict[str, Any]], int]:
    """The transcript's lines for the page, and how many words were left out. ``seats`` of a line: who was on our side,
    by extension, none if that is not known; ``None`` where the call had one seat, and for the customer. ``announced``:
    on the seat's track, but before a seat took the call."""
    turns = found.transcript.seats if found.transcript is not None else ()
    several = len({turn.name for turn in turns}) > 1
    lines: list[dict[str, Any]] = []
    shown = left_out = 0
    for segment in found.transcript.segments if found.transcript is not None else ():
        if not segment.words:
            continue
        if shown >= MAX_WORDS_SHOWN:
            left_out += len(segment.words)
            continue
        shown += len(segment.words)
        of_line = [f for f in all_places(found.row.findings) if _is_in(f, segment)]
        words = [_shown(w, of_line) for w in segment.words]
        for left, right in pairwise(words):
            right["space"] = " " in joined([left["word"], right["word"]])
        start, end = segment.words[0].start, segment.words[-1].end
        there = seats_between(turns, start, end)
        ours = segment.speaker == "seat"
        lines.append(
            {
                "speaker": segment.speaker,
                "start": start,
                "words": words,
                "findings": of_line,
                "seats": [turn.name for turn in there] if ours and (several or (turns and not there)) else None,
                "announced": ours and bool(turns) and not there and end < turns[0].start,
            }
        )
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


def _asked(card: Scorecard, finding: Finding) -> str | None:
    """The question that the finding is evidence for."""
    return next((question.id for question in card.questions if question.evidence([finding])), None)


def player_data(found: Recorded, tracks: list[str], shown: list[Review], card: Scorecard) -> dict[str, Any]:
    """What the player's script needs; numbers and ids of rules and questions only."""
    marks = [
        {"at": f.start, "sign": sign_of(f), "rule": f.rule, "question": _asked(card, f)}
        for f in all_places(found.row.findings)
        if f.start is not None
    ]
    words = [w.end for s in (found.transcript.segments if found.transcript else ()) for w in s.words[-1:]]
    return {
        "id": found.row.id,
        "seconds": found.row.seconds or max(words, default=0.0),
        "tracks": tracks,
        "marks": sorted(marks, key=lambda mark: mark["at"] or 0.0),
        "comments": sorted(c.moment for review in shown for c in review.comments),
    }


def stretches(found: Recorded, call: Call | None, words: Callable[[str], str]) -> list[dict[str, Any]]:
    """Holds, and where the recording was paused, in seconds of the recording. ``words`` translates."""
    began = begun_at(call, found.row.seconds) if call is not None else None
    if call is None or began is None:
        return []
    spans: list[tuple[Hold | Pause, str, str]] = [(one, "hold", words(N_("Hold"))) for one in call.holds]
    spans += [(one, "paused", words(N_("Recording paused"))) for one in call.pauses]
    return [
        {
            "from": max(0.0, one.started_at - began),
            "to": (one.ended_at or call.ended_at or began) - began,
            "kind": kind,
            "label": label,
        }
        for one, kind, label in spans
    ]


def flags(row: RecordingRow) -> list[tuple[str, str, int]]:
    """What the list says of the findings: ("over" or "due", rule, number), the worst first."""
    sure: dict[str, int] = {}
    asked: dict[str, int] = {}
    for finding in row.findings:
        if finding.band == "doubtful":
            asked[finding.rule] = asked.get(finding.rule, 0) + 1
        elif is_fault(finding):
            sure[finding.rule] = sure.get(finding.rule, 0) + 1
    worst = sorted(sure.items(), key=lambda one: (one[0] != "B8", one[0]))
    return [("over", *one) for one in worst] + [("due", *one) for one in sorted(asked.items()) if one[0] not in sure]


def telling(findings: Sequence[Finding]) -> list[Finding]:
    """What a question's line shows, in order: that a forbidden phrase was not heard is said once, and only if none
    was. Where not all fits, what each seat said comes before what one of them said again."""
    silent = [one for one in findings if one.kind == "forbidden" and not one.found and one.band == "sure"]
    told = [one for one in findings if one not in silent]
    places = [*told, *(again for one in told for again in one.more)][:MAX_EVIDENCE]
    return sorted(places, key=lambda one: math.inf if one.start is None else one.start) or silent[:1]
