"""A person's review of a call, as plain data: list, answers, comments at a moment, signature, dispute (E1).

Place on the path of a call: the store keeps it, the review page shows it.
Promises: immutable data; ``digest`` is the same for the same signed content, and another one for any other.
Never: reads a clock or a database; decides who may see what (``web/review`` does).

Instants are epoch seconds; moments in a recording are seconds from its beginning.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from callcenter.errors import BadInput
from callcenter.quality.finding import Finding, Kind
from callcenter.quality.scorecard import Scorecard, Verdict
from callcenter.quality.search import Moment
from callcenter.speech.transcript import Transcript

MAX_TEXT_CHARACTERS = 2_000
MAX_COMMENTS = 200
Outcome = Literal["upheld", "set_aside"]


class ReviewError(BadInput):
    """The step is not possible as things are; the sentence says why."""


@dataclass(frozen=True, slots=True)
class Comment:
    """What a reviewer noted at a second of the recording."""

    id: int
    moment: float
    text: str
    author: str
    at: float


@dataclass(frozen=True, slots=True)
class Dispute:
    """The seat's objection to a signed review, and the answer to it. ``set_aside``: the review no longer counts."""

    text: str
    by: str
    at: float
    outcome: Outcome | None = None
    answer: str = ""
    answered_by: str | None = None
    answered_at: float | None = None


@dataclass(frozen=True, slots=True)
class Review:
    """One reviewer's review of one recording; ``signed_at`` is ``None`` while it is a draft."""

    id: int
    recording_id: int
    reviewer: str
    scorecard: str
    """Version of the card that it was signed with; of a draft, of the one that it was begun with."""
    answers: Mapping[str, Verdict]
    proposed: Mapping[str, Verdict]
    """What the machine proposed when the review was begun."""
    note: str = ""
    score: float | None = None
    updated_at: float = 0.0
    signed_at: float | None = None
    signature: str = ""
    comments: tuple[Comment, ...] = ()
    dispute: Dispute | None = None
    card: Scorecard | None = None
    """The card that it was signed with; a draft follows the one that is in force."""

    @property
    def signed(self) -> bool:
        return self.signed_at is not None

    @property
    def counts(self) -> bool:
        """Signed, and not set aside after a dispute."""
        return self.signed and (self.dispute is None or self.dispute.outcome != "set_aside")


def digest(review: Review) -> str:
    """SHA-256 over what is signed, in hex: who, what of, every answer, note, comment, and the score."""
    signed: dict[str, Any] = {
        "recording": review.recording_id,
        "reviewer": review.reviewer,
        "scorecard": review.scorecard,
        "answers": {question: verdict.value for question, verdict in review.answers.items()},
        "note": review.note,
        "comments": [[one.moment, one.text, one.author] for one in review.comments],
        "score": review.score,
    }
    text = json.dumps(signed, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()


@dataclass(frozen=True, slots=True)
class ReviewMark:
    """A review as the list shows it."""

    id: int
    reviewer: str
    score: float | None
    signed_at: float | None
    disputed: bool
    outcome: Outcome | None = None
    passing: float | None = None
    """Of the card that it was signed with."""

    @property
    def passed(self) -> bool:
        return self.score is not None and self.passing is not None and self.score >= self.passing


@dataclass(frozen=True, slots=True)
class RecordingRow:
    """A recording as the list shows it, with what its call and ticket say. ``at``: when the call came in."""

    id: int
    at: float
    server: str
    call_id: str
    seat: str | None
    state: str
    seconds: float | None
    ticket_id: int | None
    ticket_number: str
    organisation: str
    queue: str | None
    findings: tuple[Finding, ...] = ()
    reviews: tuple[ReviewMark, ...] = ()
    transcribed: bool = False
    job: str | None = None
    """State of the transcription, and ``code``, of ``speech/reasons``: why there is none yet, or none at all."""
    code: str = ""
    hits: tuple[Moment, ...] = ()
    seats: tuple[str, ...] = ()
    """Who was on our side, in the order in which they came."""
    calibrated_by: str | None = None
    calibrated_at: float | None = None
    """Who chose the call for calibration, and when, until that is ended: several review it, each without the others."""

    @property
    def words(self) -> Literal["there", "coming", "waiting", "none", "off", "no_sound"]:
        """The transcript: there; on its way; waiting for something that is wrong; never; not wanted; or of no sound."""
        if self.transcribed:
            return "there"
        if self.state == "missing":
            return "no_sound"
        if self.job in ("failed", "quarantined"):
            return "none"
        if self.job is None:
            return "off"
        return "waiting" if self.code else "coming"

    def is_of(self, extension: str | None) -> bool:
        """Whether this seat had a part in the call."""
        return extension is not None and (extension == self.seat or extension in self.seats)


@dataclass(frozen=True, slots=True)
class Recorded:
    """A recording with all that is known of it. Paths are the dialplan's own, looked up inside the one folder."""

    row: RecordingRow
    paths: Mapping[str, str]
    """``mix``, ``seat``, ``caller``: where the tracks are."""
    transcript: Transcript | None
    model: str
    job: str | None
    """State of the transcription while there is no transcript; ``code``: why there is none, of ``speech/reasons``."""
    code: str
    measures: Mapping[str, Any]
    """What the sound tells: ``quality/audio.measures``; empty while there is no transcript."""
    reviews: tuple[Review, ...]
    language: str = ""
    """That the words were judged in."""
    sha256: str = ""
    """Over all tracks, as it was when the call had ended."""


HEARD = ("hold", "unexplained", "interruption")
"""What ``Wanted.fault`` may ask for beside rules and phrases: a long hold (B2); a long silence without a hold (B2); a
seat that cut the customer off (B8)."""
OF_PHRASE = "phrase:"


@dataclass(frozen=True, slots=True)
class KnownPhrase:
    """A phrase that transcripts were judged by, as its findings tell of it."""

    name: str
    rule: str
    kind: Kind


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the list shows; ``None`` or empty means all. Filters are joined by "and"."""

    terms: tuple[str, ...] = ()
    seat: str | None = None
    """Calls in which it spoke at all."""
    queue: str | None = None
    since: float | None = None
    until: float | None = None
    fault: str | None = None
    """A rule with a fault (``B8``); ``doubtful``: something that a person must decide; one of ``HEARD``; or a phrase
    (``phrase:closing``) that was missing, if it is required, or was said, if it is forbidden, or may have been."""
    hold_limit_seconds: float = 60.0
    """A longer hold is a long one (B2)."""
    score: Literal["passed", "failed"] | None = None
    """By the newest signed review that counts, and what its own card asks for. Never of calls in calibration
    of which ``reader`` has signed no review: that would tell him their score."""
    review: Literal["none", "signed", "disputed", "calibration"] | None = None
    reader: str = ""
    """Who looks."""
    sample: int | None = None
    """A random choice of so many of them, the same for the same ``seed``."""
    seed: str = ""
    before: tuple[float, int] | None = None
    """Paging: behind this (``at``, id)."""
    limit: int = 50


@dataclass(frozen=True, slots=True)
class RecordingPage:
    """``total`` is ``None`` where it is not known without reading everything (a search in words). ``next``: what
    ``Wanted.before`` has to be for the older ones, while there may be any; a page without rows may have it, too."""

    rows: tuple[RecordingRow, ...]
    total: int | None
    next: tuple[float, int] | None = None


@dataclass(frozen=True, slots=True)
class LogLine:
    """Who did what with the review, for the audit."""

    what: str
    by: str
    at: float
    detail: Mapping[str, Any] = field(default_factory=dict)
