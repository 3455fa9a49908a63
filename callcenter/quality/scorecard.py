"""The scorecard (E1): questions, what the machine proposes for them, and the arithmetic of a score.

Place on the path of a call: after ``quality/matching`` has judged a transcript; a person answers, ``score`` reckons.
Promises: the machine proposes, a person decides; what is doubtful stays open; a score exists only when every question
is answered; one fault at a critical question takes its whole section, or the card. All arithmetic is in whole numbers
until the end.
Never: knows a database, a page, a recording, or the file that a card stands in (``quality/cards``).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Literal, TypeAlias

from callcenter.quality.finding import Finding


class Verdict(StrEnum):
    """An answer to a question. ``NA``: does not apply to this call, and counts neither for nor against it."""

    MET = "met"
    PARTLY = "partly"
    MISSED = "missed"
    NA = "na"


_HALVES = {Verdict.MET: 2, Verdict.PARTLY: 1, Verdict.MISSED: 0}


Critical: TypeAlias = Literal["", "section", "card"]
CRITICAL: tuple[Critical, ...] = ("", "section", "card")
Fact: TypeAlias = Literal["", "hold", "guidance", "hangup"]
FACTS: tuple[Fact, ...] = ("", "hold", "guidance", "hangup")
YES_NO = (Verdict.MET, Verdict.MISSED)
SCALE = (Verdict.MET, Verdict.PARTLY, Verdict.MISSED)


@dataclass(frozen=True, slots=True)
class Text:
    """What a person reads, in both languages of the pages."""

    zh: str = ""
    en: str = ""

    def of(self, language: str) -> str:
        return self.en if language == "en" else self.zh


@dataclass(frozen=True, slots=True)
class Section:
    id: str
    title: Text = Text()


@dataclass(frozen=True, slots=True)
class Question:
    """``section``: the section's id. ``weight``: its share of the points.

    ``phrases``: names of phrases, or rules (``B8``: all phrases of it), whose findings are its evidence. ``fact``: what
    the call itself tells. Without either only a person can answer it.
    ``critical``: answered with a fault, its section or the whole card counts nothing.
    ``verdicts``: what it can be answered with.
    """

    id: str
    section: str
    weight: int
    text: Text = Text()
    rule: str = ""
    phrases: tuple[str, ...] = ()
    fact: Fact = ""
    critical: Critical = ""
    verdicts: tuple[Verdict, ...] = (*SCALE, Verdict.NA)

    def evidence(self, findings: Iterable[Finding]) -> list[Finding]:
        """Those of the findings that it is answered by."""
        return [f for f in findings if f.phrase in self.phrases or f.rule in self.phrases]


@dataclass(frozen=True, slots=True)
class Scorecard:
    """``version``: SHA-256 of all that the card says, so that another set of questions has another one; ``name`` and
    ``title`` are for people. ``passing``: points of 100."""

    name: str
    sections: tuple[Section, ...]
    questions: tuple[Question, ...]
    title: Text = Text()
    passing: float = 85.0
    version: str = ""

    def of(self, section: str) -> tuple[Question, ...]:
        return tuple(question for question in self.questions if question.section == section)

    def question(self, wanted: str) -> Question | None:
        return next((question for question in self.questions if question.id == wanted), None)

    def fitting(self, answers: Mapping[str, Verdict]) -> dict[str, Verdict]:
        """Those answers that this card asks for; a draft may hold others, of an earlier card."""
        return {q.id: answers[q.id] for q in self.questions if answers.get(q.id) in q.verdicts}


@dataclass(frozen=True, slots=True)
class Scorecards:
    """Which card the calls of which queue are judged by."""

    usual: Scorecard
    by_queue: Mapping[str, Scorecard] = field(default_factory=dict)

    def of(self, queue: str | None) -> Scorecard:
        return self.by_queue.get(queue or "", self.usual)


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
    made = {q.id: _by_fact(q.fact, told) or _by_findings(q.evidence(found)) for q in card.questions}
    return card.fitting({question: verdict for question, verdict in made.items() if verdict is not None})


def _by_findings(found: list[Finding]) -> Verdict | None:
    if not found or any(finding.band == "doubtful" for finding in found):
        return None
    if any(finding.kind == "forbidden" and finding.found for finding in found):
        return Verdict.MISSED
    said = [finding.found for finding in found if finding.kind == "required"]
    if all(said):
        return Verdict.MET
    return Verdict.PARTLY if any(said) else Verdict.MISSED


def _by_fact(fact: Fact, facts: Facts) -> Verdict | None:
    if fact == "hold" and facts.longest_hold_seconds is not None:
        return Verdict.MET if facts.longest_hold_seconds <= facts.hold_limit_seconds else Verdict.MISSED
    if fact == "guidance" and facts.guidance_seconds is not None:
        # A longer one may have had its reasons: a person judges.
        return Verdict.MET if facts.guidance_seconds <= facts.guidance_limit_seconds else None
    if fact == "hangup" and facts.ended_by in ("caller", "seat"):
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
    """The score of a set of answers (question id to verdict; what is missing, or no answer to it, is open)."""
    known = card.fitting(answers)
    waiting = tuple(question.id for question in card.questions if question.id not in known)
    ends = [_points(card, known | chosen) for chosen in _completions(waiting)]
    reached = [points for points in ends if points is not None]
    return Score(min(reached, default=None), max(reached, default=None), waiting, _zeroed(card, known))


def _completions(waiting: tuple[str, ...]) -> list[dict[str, Verdict]]:
    """The two ends: all open ones missed, and all met."""
    return [dict.fromkeys(waiting, Verdict.MISSED), dict.fromkeys(waiting, Verdict.MET)] if waiting else [{}]


def _points(card: Scorecard, answers: Mapping[str, Verdict]) -> float | None:
    counted = [q for q in card.questions if answers[q.id] is not Verdict.NA]
    zeroed = _zeroed(card, answers)
    possible = sum(2 * q.weight for q in counted)
    reached = sum(q.weight * _HALVES[answers[q.id]] for q in counted if q.section not in zeroed)
    return round(100 * reached / possible, 1) if possible else None


def _zeroed(card: Scorecard, answers: Mapping[str, Verdict]) -> tuple[str, ...]:
    """The sections that a critical fault took, in the order of the card."""
    faults = [q for q in card.questions if q.critical and answers.get(q.id) is Verdict.MISSED]
    whole = any(q.critical == "card" for q in faults)
    taken = {q.section for q in faults}
    return tuple(section.id for section in card.sections if whole or section.id in taken)


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
