"""The daemon's part in hearing: finds the recordings of ended calls, and works through the jobs with its workers.

Place on the path of a call: after its end. ``app`` runs it; ``callcenter transcribe --since`` runs the same beside it.
Promises: nothing is lost by a crash, for what is to be done is asked from the store each time; a broken recording,
engine or model, and a fault of this program met on a recording, ends in a status on the job and a figure, and never
ends the daemon; the event loop is never held.
Never: writes an unmasked personal number anywhere.
"""

import asyncio
import logging
import os
import socket
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from callcenter.calls.model import Call
from callcenter.calls.recorded import on_our_side
from callcenter.clock import Clock
from callcenter.errors import BadInput, BrokenWorld, places
from callcenter.quality.han import simplified
from callcenter.settings import Settings
from callcenter.speech.archive import Damaged, StoreAway
from callcenter.speech.digits import masked, normalised
from callcenter.speech.models import Model, look
from callcenter.speech.reading import Reading
from callcenter.speech.reasons import AttemptFailed, Unhearable
from callcenter.speech.recordings import FolderAway, at_hand, looked_at, tracks
from callcenter.speech.transcript import (
    SPEAKERS,
    Transcript,
    Turn,
    to_dict,
)
from callcenter.speech.workers import Heard, Limits, ModelRefused, NotStarted, Worker, at_most
from callcenter.store.jobs import STATES, Job, Written
from callcenter.store.speech import Missing
from callcenter.store.store import Store

log = logging.getLogger(__name__)

EVERY_SECONDS = 3.0
LOOK_BACK_SECONDS = 2 * 86_400.0
SETTLED_SECONDS = 2.0
"""Asterisk finishes a recording just after the call's end."""
MISSING_SECONDS = 60.0
"""A file that is not there so long after the end counts as missing: it may still come, with a folder that was away."""
MISSING_EVERY_SECONDS, MISSING_PAGE = 60.0, 100
"""So often so many of those that are missing are looked for again."""
BEAT_SECONDS = 10.0
LOST_SECONDS = 60.0
"""Without a beat for so long a job goes to another worker."""
AGAIN_SECONDS = 30.0

Levels = Mapping[str, Mapping[str, float]]
Judge = Callable[[Transcript, Call | None, Levels, float | None], tuple[Sequence[Mapping[str, Any]], Mapping[str, Any]]]
"""Of a transcript, its call, the levels of its tracks and the recording's seconds: what is found of the standard's
phrases, as rows of ``findings``; and what the sound tells, as plain data."""


class Told(Protocol):
    """Who counts what happens: the daemon's figures."""

    def transcribed(self, queue: str | None, heard: Heard, findings: Sequence[Mapping[str, Any]]) -> None: ...

    def not_transcribed(self, reason: str, became: str) -> None: ...


@dataclass(frozen=True, slots=True)
class Site:
    """``work_number`` of a seat's extension, for the slots of phrases."""

    settings: Settings
    work_number: Callable[[str], str | None]
    judge: Judge = lambda _transcript, _call, _levels, _seconds: ((), {})
    transcribed: Callable[[str, float, Sequence[Mapping[str, Any]]], None] = lambda call_id, seconds, findings: None
    """A transcript is stored: of which call, how long it took, what was found of the standard's phrases."""


class Recordings:
    """Gives each ended call's recording its row, and its job if calls are to be heard. What is missing is looked for
    again as long as calls are looked back at."""

    def __init__(
        self,
        store: Store,
        settings: Settings,
        clock: Clock,
        registered: Callable[[Call, str], None] = lambda call, state: None,
    ) -> None:
        """``registered`` is told of each call whose recording was found, or is missing."""
        self._store = store
        self._settings = settings
        self._clock = clock
        self._registered = registered
        self._jobs = store.jobs(settings.asterisk.name)
        self.states: Mapping[str, int] = dict.fromkeys(STATES, 0)
        """Jobs by state, as of a moment ago; ``backlog_seconds`` of sound wait."""
        self.backlog_seconds = 0.0
        self._missing_before: Missing | None = None
        """Where looking for what is missing goes on; ``None``: at the newest."""
        self._missing_at = clock.monotonic()

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            try:
                await self.step(self._clock.wall() - LOOK_BACK_SECONDS)
                await self._now_and_then(self._clock.wall() - LOOK_BACK_SECONDS)
                self.states = await self._jobs.states()
                self.backlog_seconds = await self._jobs.backlog_seconds()
            except BrokenWorld:
                pass  # the store is away for now, and says so itself
            await asyncio.sleep(EVERY_SECONDS)

    async def step(self, since: float) -> int:
        """Register what calls since then left; how many."""
        root, done = self._settings.asterisk.recordings_dir, 0
        if root is None:
            return 0
        hear = self._settings.speech.enabled
        for call in await self._store.speech.unregistered(self._settings.asterisk.name, since):
            now = self._clock.wall()
            if call.ended_at is None or now - call.ended_at < SETTLED_SECONDS:
                continue
            found = await asyncio.to_thread(looked_at, root, call)
            if found.state == "found" or now - call.ended_at > MISSING_SECONDS:
                await self._store.speech.register(found, now, hear)
                self._registered(call, found.state)
                done += 1
        return done

    async def _now_and_then(self, since: float) -> None:
        """A page a minute; at once on where one is whole, for then it is the folder that came back."""
        if self._clock.monotonic() >= self._missing_at:
            came, _ = await self.look_again(since)
            self._missing_at = self._clock.monotonic() + (0.0 if came else MISSING_EVERY_SECONDS)

    async def look_again(self, since: float) -> tuple[int, bool]:
        """A page of the calls since then whose files were missing, the newest first: how many are there now, and
        whether older calls are left to look at."""
        root = self._settings.asterisk.recordings_dir
        if root is None or not await asyncio.to_thread(at_hand, root):
            return 0, False
        server, came = self._settings.asterisk.name, 0
        page = await self._store.speech.missing(server, since, self._missing_before, MISSING_PAGE)
        self._missing_before = page[-1] if len(page) == MISSING_PAGE else None
        hear = self._settings.speech.enabled
        for one in page:
            found = await asyncio.to_thread(looked_at, root, one.call)
            if found.state != "found":
                continue
            if await self._store.speech.found_late(one.recording_id, found, self._clock.wall(), hear):
                self._registered(one.call, found.state)
                came += 1
        if came:
            log.info("recordings: %d that were missing are there now", came)
        return came, self._missing_before is not None


class Hearing:
    """One worker's loop: claim, hear, write down."""

    def __init__(
        self, store: Store, site: Site, model: Model | None, clock: Clock, told: Told, number: int = 0
    ) -> None:
        """``model``: ``None`` if there is no whole one yet; ``speech.model`` is looked at again for each job."""
        self._jobs = store.jobs(site.settings.asterisk.name)  # its folder holds no other server's recordings
        self._reading = Reading(site.settings, store)
        self._store = store
        self._site = site
        self._model = model
        self._clock = clock
        self._told = told
        self._worker: Worker | None = None
        self.name = f"{socket.gethostname()}/{os.getpid()}/{number}"
        self.state = "idle"
        self.pause = 0.0
        """Seconds to wait before the next job: where no worker can be started, each would spend an attempt."""

    @property
    def pid(self) -> int | None:
        """Of the child at work."""
        return self._worker.pid if self._worker is not None else None

    async def run(self) -> None:
        """Until cancelled."""
        try:
            while True:
                await self._attempt()
        finally:
            await self.close()

    async def close(self) -> None:
        """No child is left."""
        if self._worker is not None:
            await self._worker.close()

    async def _attempt(self) -> None:
        try:
            if await self.step():
                await asyncio.sleep(self.pause)
                return
        except BrokenWorld:
            pass  # the store is away for now
        except ModelRefused as error:
            self.state = str(error)
            log.error("transcription: %s", error)
            await asyncio.sleep(AGAIN_SECONDS)
        await asyncio.sleep(EVERY_SECONDS)

    async def step(self, progress: Callable[[float], None] = lambda _: None) -> bool:
        """One job; whether there was one. Raises ``ModelRefused``; the job then waits on."""
        job = await self._jobs.claim(self.name, self._clock.wall(), LOST_SECONDS, self._given_up)
        if job is None:
            return False
        self.state, self.pause = "hearing", 0.0
        try:
            await self._with_beat(job, self._hear(job, progress))
        except (StoreAway, FolderAway) as error:
            code = "store" if isinstance(error, StoreAway) else "folder"
            await self._jobs.later(job, self.name, self._clock.wall(), str(error), AGAIN_SECONDS, code)
            self._told.not_transcribed(code, "waiting")
            log.warning("transcription: job %d waits: %s", job.id, error, extra={"call_id": job.call_id})
        except ModelRefused as error:
            await self._jobs.later(job, self.name, self._clock.wall(), str(error), AGAIN_SECONDS, error.code)
            self._told.not_transcribed(error.code, "waiting")
            raise
        except Unhearable as error:
            await self._jobs.failed(job, self.name, self._clock.wall(), str(error), error.code)
            self._told.not_transcribed(error.code, "failed")
            log.warning("transcription: job %d failed: %s", job.id, error, extra={"call_id": job.call_id})
        except BrokenWorld as error:
            code = error.code if isinstance(error, AttemptFailed) else "other"
            code = "store_damaged" if isinstance(error, Damaged) else code
            self.pause = AGAIN_SECONDS if isinstance(error, NotStarted) else 0.0
            state = await self._jobs.again(job, self.name, self._clock.wall(), str(error), AGAIN_SECONDS, code)
            self._told.not_transcribed(code, state)
            of, tried = {"call_id": job.call_id}, job.attempts
            log.warning("transcription: job %d is %s after attempt %d: %s", job.id, state, tried, error, extra=of)
        except Exception as error:  # whatever it is, it is this recording's: the others are heard
            await self._set_aside(job, error)
        self.state = "idle"
        return True

    async def _set_aside(self, job: Job, error: Exception) -> None:
        """A broken program: another attempt would end the same way."""
        await self.close()  # the child may be in the middle of anything
        kind, at = type(error).__name__, " < ".join(reversed(places(error)))
        await self._jobs.failed(job, self.name, self._clock.wall(), f"a fault of the program ({kind})", "fault")
        self._told.not_transcribed("fault", "failed")
        of = {"call_id": job.call_id}
        log.error("transcription: job %d failed by a fault of the program: %s at %s", job.id, kind, at, extra=of)

    def _given_up(self, jobs: int) -> None:
        for _ in range(jobs):
            self._told.not_transcribed("lost", "quarantined")
        log.warning("transcription: %d jobs are quarantined: the programs that heard them died three times", jobs)

    async def _started(self) -> tuple[Model, Worker]:
        """Raises ``ModelRefused``."""
        speech = self._site.settings.speech
        if self._model is None and speech.model is not None:
            try:
                self._model = await asyncio.to_thread(look, speech.model)
            except (BadInput, OSError) as error:
                raise ModelRefused(str(error)) from None
        if self._model is None:
            raise ModelRefused("speech.model: is not set; name the folder of a model.")
        if self._worker is None:
            self._worker = Worker(self._model, Limits(speech.memory_mb, speech.silent_seconds, speech.priority))
        return self._model, self._worker

    async def _with_beat(self, job: Job, work: Awaitable[None]) -> None:
        async def beats() -> None:
            while True:
                await asyncio.sleep(BEAT_SECONDS)
                try:
                    await self._jobs.beat(job, self.name, self._clock.wall())
                except BrokenWorld:
                    continue

        beating = asyncio.ensure_future(beats())
        try:
            await work
        finally:
            beating.cancel()

    async def _hear(self, job: Job, progress: Callable[[float], None]) -> None:
        root = self._site.settings.asterisk.recordings_dir
        found = tracks(root, job.seat_path, job.caller_path) if root is not None else {}
        for speaker in SPEAKERS:
            if speaker not in found and (copy := await self._fetched(job, speaker)):
                found[speaker] = copy
        if not found and not await asyncio.to_thread(at_hand, root):
            raise FolderAway
        if not found:
            raise Unhearable("The recording's two tracks are not there: they were removed, or never made.", "gone")
        began = self._clock.monotonic()
        model, worker = await self._started()
        call = await self._store.calls.get(job.server, job.call_id)
        ours = on_our_side(call, job.seconds) if call is not None else ()
        heard = await worker.hear(found, progress, [(one.start, one.end) for one in ours])
        written = await asyncio.to_thread(self._written, job, call, heard, model)
        if await self._jobs.done(job, self.name, self._clock.wall(), written):
            self._told.transcribed(call.queue if call else None, heard, written.findings)
            self._site.transcribed(job.call_id, self._clock.monotonic() - began, written.findings)

    async def _fetched(self, job: Job, speaker: str) -> Path | None:
        try:
            return await self._reading.fetched(job.server, job.call_id, speaker)
        except OSError as error:  # the disk is full, or the folder away
            raise AttemptFailed(f"the copy cannot be fetched: {error.strerror}", "read_error") from None

    def _written(self, job: Job, call: Call | None, heard: Heard, model: Model) -> Written:
        """Some milliseconds a minute of talk, and a second for the first one: never on the loop."""
        transcript = self._transcript(job, call, heard)
        findings, measures = self._site.judge(transcript, call, heard.levels, job.seconds)
        text = simplified("\n".join(segment.text for segment in transcript.segments))  # what is searched in
        queue = self._site.settings.queue(call.queue if call else None)
        language = queue.language or model.language or self._site.settings.site.language
        told = {**measures, "seconds": heard.seconds}
        return Written(language, model.name, to_dict(transcript), text, told, findings)

    def _number(self, seat: str) -> str:
        return self._site.work_number(seat) or ""

    def _transcript(self, job: Job, call: Call | None, heard: Heard) -> Transcript:
        settings = self._site.settings
        company = settings.queue(call.queue if call else None).company or settings.site.company
        seat = self._number(job.seat) if job.seat else ""
        turns = on_our_side(call, job.seconds) if call is not None else ()
        seats = tuple(Turn(self._number(one.seat), round(one.start, 2), round(one.end, 2), one.seat) for one in turns)
        said = Transcript(f"{job.server}:{job.call_id}", seat, company, tuple(heard.segments), seats)
        return masked(normalised(said), settings.speech.mask_from_digits)


def hearings(store: Store, site: Site, clock: Clock, told: Told) -> list[Hearing]:
    """The workers' loops that the settings ask for. Without a whole model they wait for one; calls go on without them.

    Raises ``BadInput`` if no model is named."""
    speech = site.settings.speech
    if speech.model is None:
        raise BadInput("speech.model: is not set; name the folder of a model, or set speech.enabled = false.")
    try:
        model, state = look(speech.model), "idle"
    except (BadInput, OSError) as error:
        model, state = None, str(error)
        log.error("transcription: %s", error)
    made = [Hearing(store, site, model, clock, told, number) for number in range(at_most(speech.workers))]
    for hearing in made:
        hearing.state = state
    return made
