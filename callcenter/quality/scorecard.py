"""The scorecard (E1): questions, what the machine proposes for them, and the arithmetic of a score.

Place on the path of a call: after ``quality/matching`` has judged a transcript; a person answers, ``score`` reckons.
Promises: the machine proposes, a person decides; what is doubtful stays open; a score exists only when every question
is answered; one fault at a critical question takes its whole section. All arithmetic is in whole numbers until the end.
Never: knows a database, a page or a recording.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from callcenter.quality.finding import Finding


class Verdict(StrEnum):
    """An answer to a question. ``NA``: does not apply to this call, and counts neither for nor against it."""

    MET = "met"
    PARTLY = "partly"
    MISSED = "missed"
    NA = "na"


_HALVES = {Verdict.MET: 2, Verdict.PARTLY: 1, Verdict.MISSED: 0}


@dataclass(frozen=True, slots=True)
class Question:
    """``rule``: the standard's id; findings of this rule are its evidence. ``weight``: its share of the points.

    ``critical``: answered with a fault, the section counts nothing.
    """

    id: str
    rule: str
    section: str
    weight: int
    critical: bool = False


@dataclass(frozen=True, slots=True)
class Scorecard:
    """``name`` is stored with each review: another set of questions needs another name. ``passing``: points of 100."""

    name: str
    questions: tuple[Question, ...]
    passing: float = 85.0

    @property
    def sections(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(question.section for question in self.questions))

    def of(self, section: str) -> tuple[Question, ...]:
        return tuple(question for question in self.questions if question.section == section)


STANDARD = Scorecard(
    "standard-1",
    (
        Question("greeting", "A2", "opening", 15),
        Question("identity", "A3", "opening", 10),
        Question("waiting", "B1", "course", 10),
        Question("hold", "B2", "course", 10),
        Question("guidance", "B3", "course", 10),
        Question("language", "B8", "course", 20, critical=True),
        Question("closing", "B7", "end", 10),
        Question("hangup", "B6", "end", 5),
        Question("record", "C2", "record", 10),
    ),
)
"""The questions of the service standard. 85 points: the mastery that E1 asks for."""
SCORECARDS: Mapping[str, Scorecard] = {STANDARD.name: STANDARD}


@dataclass(frozen=True, slots=True)
class Facts:
    """What the call itself says, in seconds; ``None`` is not observed."""

    longest_hold_seconds: float | None = None
    guidance_seconds: float | None = None
    ended_by: str | None = None
    """``caller`` or ``seat``"""
    hold_limit_seconds: float = 60.0
    guidance_limit_seconds: float = 300.0


def proposals(card: Scorecard, findings: Iterable[Finding], facts: Facts | None = None) -> dict[str, Verdict]:
    """Question id to proposed verdict; a question that only a person can answer is not in it."""
    found = tuple(findings)
    told = facts or Facts()
    made = {
        q.id: _by_facts(q.rule, told) or _by_findings([f for f in found if f.rule == q.rule]) for q in card.questions
    }
    return {question: verdict for question, verdict in made.items() if verdict is not None}


def _by_findings(found: list[Finding]) -> Verdict | None:
    if not found or any(finding.band == "doubtful" for finding in found):
        return None
    if any(finding.kind == "forbidden" and finding.found for finding in found):
        return Verdict.MISSED
    said = [finding.found for finding in found if finding.kind == "required"]
    if all(said):
        return Verdict.MET
    return Verdict.PARTLY if any(said) else Verdict.MISSED


def _by_facts(rule: str, facts: Facts) -> Verdict | None:
    if rule == "B2" and facts.longest_hold_seconds is not None:
        return Verdict.MET if facts.longest_hold_seconds <= facts.hold_limit_seconds else Verdict.MISSED
    if rule == "B3" and facts.guidance_seconds is not None and facts.guidance_seconds <= facts.guidance_limit_seconds:
        return Verdict.MET  # a longer one may have had its reasons: a person judges
    if rule == "B6" and facts.ended_by in ("caller", "seat"):
        return Verdict.MET if facts.ended_by == "caller" else Verdict.MISSED
    return None


def is_fault(finding: Finding) -> bool:
    """A required phrase that was not said, or a forbidden one that was."""
    return finding.found == (finding.kind == "forbidden")


@dataclass(frozen=True, slots=True)
class Score:
    """``least`` and ``most``: points of 100 if all open questions were missed, and if all were met; equal when none
    is open.

    Both are ``None`` where no question applies. ``zeroed``: sections that a critical fault took.
    """

    least: float | None
    most: float | None
    open: tuple[str, ...] = ()
    zeroed: tuple[str, ...] = ()

    @property
    def points(self) -> float | None:
        """The score; ``None`` while a question is open."""
        return self.least if not self.open else None


def score(card: Scorecard, answers: Mapping[str, Verdict]) -> Score:
    """The score of a set of answers (question id to verdict; what is missing is open)."""
    waiting = tuple(question.id for question in card.questions if question.id not in answers)
    zeroed = tuple(section for section in card.sections if _zeroed(card.of(section), answers))
    known = {q.id: answers[q.id] for q in card.questions if q.id in answers}
    ends = [_points(card, known | chosen) for chosen in _completions(waiting)]
    reached = [points for points in ends if points is not None]
    return Score(min(reached, default=None), max(reached, default=None), waiting, zeroed)


def _completions(waiting: tuple[str, ...]) -> list[dict[str, Verdict]]:
    """The two ends: all open ones missed, and all met."""
    return [dict.fromkeys(waiting, Verdict.MISSED), dict.fromkeys(waiting, Verdict.MET)] if waiting else [{}]


def _points(card: Scorecard, answers: Mapping[str, Verdict]) -> float | None:
    reached = possible = 0
    for section in card.sections:
        counted = [q for q in card.of(section) if answers[q.id] is not Verdict.NA]
        possible += sum(2 * question.weight for question in counted)
        if not _zeroed(counted, answers):
            reached += sum(question.weight * _HALVES[answers[question.id]] for question in counted)
    return round(100 * reached / possible, 1) if possible else None


def _zeroed(questions: Iterable[Question], answers: Mapping[str, Verdict]) -> bool:
    return any(question.critical and answers.get(question.id) is Verdict.MISSED for question in questions)


@dataclass(frozen=True, slots=True)
class Difference:
    """Where two reviewers of one call differ (calibration)."""

    question: str
    one: Verdict | None
    other: Verdict | None


def differences(card: Scorecard, one: Mapping[str, Verdict], other: Mapping[str, Verdict]) -> tuple[Difference, ...]:
    """The questions that two reviewers answered differently, in the order of the card."""
    pairs = [Difference(q.id, one.get(q.id), other.get(q.id)) for q in card.questions]
    return tuple(pair for pair in pairs if pair.one is not pair.other)
