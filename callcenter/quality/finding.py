"""What was found of one phrase in one transcript: data that goes into the store, the review page and figures.

Promises: plain immutable data. Never: decides; that is ``quality/matching``.
"""

from collections.abc import Iterable
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
    ``due``: whether it had to be said; a wait needs no announcement in a call without one. ``seat``: who said it, or
    owed it and did not (the extension, or the work number where no more is known); ``None``: the customer did, nobody,
    or it is not known who. ``more``: the other places of a forbidden phrase, in order; it counts once all the same.
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
    seat: str | None = None
    more: tuple["Finding", ...] = ()


def all_places(findings: Iterable[Finding]) -> list[Finding]:
    """Each finding and its further places, for who marks them."""
    return [place for one in findings for place in (one, *one.more)]


def to_dict(finding: Finding, transcript_id: str, with_seat: bool = False) -> dict[str, Any]:
    """One line of ``callcenter phrases check``; its keys are part of the command's promise. ``with_seat``: the
    transcript told which seats spoke."""
    told = {
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
    return told | ({"seat": finding.seat} if with_seat else {})
