"""What was found of one phrase in one transcript: data that goes into the store, the review page and figures.

Promises: plain immutable data. Never: decides; that is ``quality/matching``.
"""

from dataclasses import dataclass
from typing import Any, Literal

from callcenter.speech.transcript import Speaker

Kind = Literal["required", "forbidden"]
Band = Literal["sure", "doubtful"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One phrase looked for in one transcript.

    ``rule``: id in the service standard (A2, B8 …). ``found``: whether it was said; for a required phrase ``False`` is
    the fault, for a forbidden one ``True``. ``speaker``, ``start``, ``end`` (seconds from the beginning) and ``heard``
    (the words as they were recognised) are ``None`` or empty where nothing was found. ``score``: 0 to 1. ``band``: a
    doubtful one goes to a person instead of counting. ``severity``: 1 (mild) to 3 (severe), of forbidden phrases.
    ``due``: whether it had to be said; a wait needs no announcement in a call without one.
    """

    phrase: str
    rule: str
    kind: Kind
    found: bool
    speaker: Speaker | None = None
    start: float | None = None
    end: float | None = None
    heard: str = ""
    score: float = 0.0
    band: Band = "sure"
    severity: int = 1
    due: bool = True


def to_dict(finding: Finding, transcript_id: str) -> dict[str, Any]:
    """One line of ``callcenter phrases check``; its keys are part of the command's promise."""
    return {
        "id": transcript_id,
        "phrase": finding.phrase,
        "rule": finding.rule,
        "kind": finding.kind,
        "found": finding.found,
        "speaker": finding.speaker,
        "start": finding.start,
        "heard": finding.heard,
        "score": round(finding.score, 3),
        "band": finding.band,
    }
