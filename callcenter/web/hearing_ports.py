"""What was and is heard of calls, as the pages see it: running calls, recordings, reviews. Part of ``ports``.

Promises: plain records; durations are seconds. Never: imports the store or an engine.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from callcenter.quality.rates import Counted
from callcenter.quality.review import KnownPhrase, LogLine, Outcome, Recorded, RecordingPage, Review, Wanted
from callcenter.quality.scorecard import Scorecard, Verdict


@dataclass(frozen=True, slots=True)
class HeardLine:
    """Words that were said ``at`` epoch seconds; ``guess``: the recogniser may still change them."""

    speaker: str
    """``seat`` or ``caller``"""
    text: str
    at: float
    guess: bool = False


@dataclass(frozen=True, slots=True)
class HeardPhrase:
    """A phrase of the script that was said. ``doubtful``: it is for a person to judge."""

    phrase: str
    rule: str
    kind: str
    """``required`` or ``forbidden``"""
    heard: str
    doubtful: bool


@dataclass(frozen=True, slots=True)
class Heard:
    """What is heard of a seat's call while it runs, and for a while after.

    ``state``: starting, listening, busy (as many calls as may be are listened to already), failed, ended, or down
    (the recogniser does not run). ``phrases`` is ``None`` where nothing judges what is said.
    """

    call_id: str
    state: str
    lines: tuple[HeardLine, ...] = ()
    phrases: tuple[HeardPhrase, ...] | None = None
    missed_seconds: float = 0.0
    """Sound that was not listened to because the machine could not follow."""
    greeted: bool = False
    """The dialplan played the greeting (A2)."""


@dataclass(frozen=True, slots=True)
class Alarm:
    """A forbidden phrase that a supervisor is to see at once."""

    seat: str
    ticket_id: int | None
    rule: str
    heard: str
    at: float


class Hearing(Protocol):
    """Live transcription. Synchronous: read from memory."""

    def heard(self, extension: str) -> Heard | None:
        """Of the seat's last call that was to be listened to; ``None`` if there is none."""

    def alarms(self) -> Sequence[Alarm]:
        """Newest first; nothing where the site does not want it."""


class Deaf:
    """``Hearing`` where nobody listens."""

    def heard(self, extension: str) -> Heard | None:
        return None

    def alarms(self) -> Sequence[Alarm]:
        return ()


@dataclass(frozen=True, slots=True)
class Transcription:
    """What became of a call's recording. ``state``: off, soon (a moment after the call's end), waiting, working, done,
    failed, quarantined, missing or erased; ``reason``: why it failed, a sentence in English, without personal data;
    ``code``: the same as one of ``speech/reasons.CODES``, "" if nobody knows; ``sha256``: of the recording, over all
    tracks, as it was when the call had ended."""

    state: str
    reason: str = ""
    recording_id: int | None = None
    code: str = ""
    sha256: str = ""


class Recordings(Protocol):
    def root(self) -> Path | None:
        """The one folder that recordings are served from; ``None`` if there is none."""

    async def stored(self, server: str, call_id: str) -> Collection[str]:
        """The tracks of a call that lie in the store of recordings."""

    async def fetched(self, server: str, call_id: str, track: str) -> Path | None:
        """A local file of the store's copy. Raises ``BrokenWorld`` while the store cannot give it."""

    async def transcription(self, server: str, call_id: str) -> Transcription: ...


class Reviews(Protocol):
    """What there is to review and what was made of it. Each step raises ``ReviewError`` where it is not possible."""

    async def find(self, wanted: Wanted) -> RecordingPage:
        """Newest first."""

    async def recorded(self, recording_id: int) -> Recorded | None:
        """``None`` also for one that was erased."""

    async def review(self, review_id: int) -> Review | None: ...

    async def queues(self) -> Sequence[str]: ...

    async def phrases(self) -> Sequence[KnownPhrase]:
        """Those that there are findings of."""

    async def log(self, recording_id: int) -> Sequence[LogLine]:
        """Who did what with the reviews of a recording, the oldest first."""

    async def rates(self, since: float, weeks: int, seat: str | None = None) -> Sequence[Counted]:
        """Phrases by seat and week."""

    async def begin(
        self, recording_id: int, reviewer: str, at: float, card: Scorecard, proposed: Mapping[str, Verdict]
    ) -> int:
        """The reviewer's own review of the recording, made if there is none; returns its id."""

    async def answer(
        self, review_id: int, card: Scorecard, question: str, verdict: Verdict | None, by: str, at: float
    ) -> Review: ...

    async def write_note(self, review_id: int, text: str, by: str, at: float) -> Review: ...

    async def comment(self, review_id: int, key: str, moment: float, text: str, by: str, at: float) -> Review:
        """The same ``key`` again stores nothing new."""

    async def remove_comment(self, review_id: int, comment_id: int, by: str, at: float) -> Review: ...

    async def sign(self, review_id: int, card: Scorecard, by: str, at: float) -> Review:
        """From here on the review cannot be changed, and the card is kept with it."""

    async def choose(self, recording_id: int, by: str, at: float) -> None:
        """For calibration."""

    async def end_calibration(self, recording_id: int, by: str, at: float) -> None: ...

    async def dispute(self, review_id: int, text: str, by: str, at: float) -> Review: ...

    async def answer_dispute(self, review_id: int, outcome: Outcome, text: str, by: str, at: float) -> Review: ...
