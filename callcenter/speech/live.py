"""Live transcription in the daemon: which calls are listened to, and what was heard of each until now.

Place on the path of a call: told by ``app`` after each commit that a seat talks, it asks Asterisk for two listening
channels (one for each direction), whose sound goes straight to the child process; ``web`` reads what was heard.
Promises: all of it is in memory and nothing waits; a call beyond ``live.calls`` is not listened to, and says so; when
the child dies, listening begins anew by itself. What was heard of a seat's call is forgotten with its next one, or when
its recording is erased (``keeping`` asks the store, for a command may have done it). Long
numbers are hidden as in what is stored, as soon as they are long.
Never: stores or logs a word; touches a call: the listening channels only copy its sound.
"""

import asyncio
import logging
import os
import uuid
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from callcenter.calls.model import Call, Direction, RingResult
from callcenter.clock import Clock
from callcenter.settings import Settings
from callcenter.speech.digits import masked, normalised
from callcenter.speech.live_worker import Worker
from callcenter.speech.transcript import SPEAKERS, Segment, Transcript, Word

log = logging.getLogger(__name__)

MAX_LINES = 400
RECENT_LINES = 6
"""Finished lines in which a number may have begun that goes on in what is being said."""
MAX_ALERTS = 50
ALERT_SECONDS = 900.0
"""A supervisor is shown a forbidden phrase for so long."""

Listen = Callable[[str, int, str], Awaitable[object]]
"""(id of the stream, port of the child, uniqueid of the channel): ask Asterisk for one listening channel."""


@dataclass(slots=True)
class Said:
    """Words of one speaker; ``at`` is seconds since the listening began."""

    speaker: str
    text: str
    at: float


@dataclass(slots=True)
class Talk:
    """A seat in a call, as it is heard. ``state``: starting, listening, busy (too many calls), failed or ended."""

    call_id: str
    seat: str
    key: str
    channels: Mapping[str, str]
    """Speaker to the uniqueid of the channel that the speaker's sound comes from."""
    seat_number: str
    company: str
    language: str
    begun_at: float
    state: str = "starting"
    reason: str = ""
    heard: list[Segment] = field(default_factory=list)
    """The words as they were said; nobody is shown them."""
    said: list[Said] = field(default_factory=list)
    guessed: list[Said] = field(default_factory=list)
    findings: list[dict[str, Any]] | None = None
    """``None``: nothing judges what is said."""
    missed_seconds: float = 0.0
    greeted: bool = False
    script: str = ""
    """The file of its queue's own phrase script."""
    muted: bool = False
    """The recording is paused."""
    """The dialplan plays the greeting to the caller (A2): it is on the wire, but not in the seat's own sound."""
    missed_before: float = 0.0
    """What earlier children of this talk missed."""
    base: float = 0.0
    """Where the present child's time begins, in seconds since ``begun_at``."""

    @property
    def running(self) -> bool:
        return self.state != "ended"


@dataclass(frozen=True, slots=True)
class Alert:
    """A forbidden phrase was said, ``at`` epoch seconds."""

    seat: str
    call_id: str
    phrase: str
    rule: str
    heard: str
    at: float


class Live:
    """One for the daemon. ``greeted(call, seat)``: whether the dialplan plays this seat's greeting. ``told(seat)`` and
    ``alerted()`` say that a window has something new to fetch; ``observe(what, amount)`` counts."""

    def __init__(
        self,
        settings: Settings,
        listen: Listen,
        work_number: Callable[[str], str | None],
        greeted: Callable[[str, str], bool],
        told: Callable[[str], None],
        alerted: Callable[[], None],
        observe: Callable[[str, float], None],
        clock: Clock,
    ) -> None:
        self.settings = settings.live
        self._all, self._listen, self._work_number = settings, listen, work_number
        self._greeted = greeted
        self._told, self._alerted, self._observe, self._clock = told, alerted, observe, clock
        self._by_seat: dict[str, Talk] = {}
        self._by_key: dict[str, Talk] = {}
        self._alerts: dict[tuple[str, str], Alert] = {}
        self._asked: list[tuple[Talk, str, str]] = []
        self.worker: Worker | None = None
        if self.settings.model is not None:
            threads = self.settings.threads or max(1, (os.cpu_count() or 2) - 1)
            self.worker = Worker(
                [
                    *(str(self.settings.model), self.settings.host, str(self.settings.port)),
                    *("--threads", str(threads), "--memory-mb", str(self.settings.memory_mb)),
                ],
                self.take,
                self._up,
                self._down,
            )

    # --- read by the web -----------------------------------------------------------------------------------------

    def talk(self, seat: str) -> Talk | None:
        return self._by_seat.get(seat)

    def alerts(self) -> list[Alert]:
        """What supervisors are shown, newest first; nothing where the site does not want it."""
        since = self._clock.wall() - ALERT_SECONDS
        return [alert for alert in reversed(self._alerts.values()) if alert.at >= since]

    def held(self) -> frozenset[str]:
        """Ended calls of which words are still in memory."""
        ended = {talk.call_id for talk in self._by_seat.values() if not talk.running}
        running = {talk.call_id for talk in self._by_key.values()}
        return frozenset((ended | {alert.call_id for alert in self._alerts.values()}) - running)

    def forget(self, call_ids: Collection[str]) -> None:
        """Nothing of these calls is to be known any more; the windows that show it are told."""
        seats = [seat for seat, talk in self._by_seat.items() if talk.call_id in call_ids]
        for seat in seats:
            self._end(self._by_seat.pop(seat))
            self._told(seat)
        alerts = [key for key, alert in self._alerts.items() if alert.call_id in call_ids]
        for key in alerts:
            del self._alerts[key]
        if alerts:
            self._alerted()

    @property
    def running(self) -> int:
        """Calls that are listened to now."""
        return sum(talk.state in ("starting", "listening") for talk in self._by_key.values())

    # --- told by the pipeline ------------------------------------------------------------------------------------

    def changed(self, calls: Iterable[Call]) -> None:
        """After each commit."""
        if self.worker is None:
            return
        for call in calls:
            talking = set(call.talking_to) if call.running else set()
            for talk in [t for t in self._by_key.values() if t.call_id == call.call_id and t.seat not in talking]:
                self._end(talk)
            for seat in talking:
                self._begin(call, seat)
            self._mute(call)

    def _mute(self, call: Call) -> None:
        """What is said while the recording is paused is not listened to either."""
        for talk in self._by_key.values():
            if talk.call_id == call.call_id and talk.muted != call.recording_paused and self.worker is not None:
                talk.muted = call.recording_paused
                self.worker.order({"mute": talk.key, "on": talk.muted})

    def wanted(self, call: Call, seat: str) -> bool:
        queue = self._all.queue(call.queue)
        return call.direction is Direction.INBOUND and queue.live and seat not in self.settings.not_seats

    def _begin(self, call: Call, seat: str) -> None:
        known = self._by_seat.get(seat)
        if not self.wanted(call, seat) or (known is not None and known.running and known.call_id == call.call_id):
            return
        leg = next((r.leg for r in reversed(call.rings) if r.seat == seat and r.result is RingResult.ANSWERED), None)
        if leg is None:
            return
        if known is not None:
            self._end(known)
        queue = self._all.queue(call.queue)
        talk = Talk(
            call.call_id,
            seat,
            str(uuid.uuid4()),
            {"seat": leg, "caller": call.call_id},
            self._work_number(seat) or "",
            call.variables.get("company") or queue.company or self._all.site.company,
            call.variables.get("language") or queue.language or self._all.site.language,
            self._clock.wall(),
            greeted=self._greeted(call.call_id, seat),
            script=str(queue.script.resolve()) if queue.script else "",
        )
        self._by_seat[seat] = talk
        if self.running >= self.settings.calls:
            talk.state = "busy"
            self._observe("busy", 1)
        self._by_key[talk.key] = talk
        self._ask(talk)
        self._told(seat)

    def _end(self, talk: Talk) -> None:
        self._by_key.pop(talk.key, None)
        if talk.state == "ended":
            return
        if self.worker is not None:
            self.worker.order({"forget": talk.key})
        talk.state = "ended"
        self._told(talk.seat)

    # --- the child -----------------------------------------------------------------------------------------------

    def _ask(self, talk: Talk) -> None:
        """Announce both directions to the child, and note what Asterisk is to be asked for."""
        if self.worker is None or self.worker.port is None or talk.state == "busy":
            return
        talk.base = self._clock.wall() - talk.begun_at
        for speaker in SPEAKERS:
            stream = str(uuid.uuid4())
            self.worker.order(
                {
                    "listen": stream,
                    "call": talk.key,
                    "speaker": speaker,
                    "seat": talk.seat_number,
                    "company": talk.company,
                    "language": talk.language,
                    "script": talk.script,
                }
            )
            self._asked.append((talk, stream, speaker))
        if talk.muted:
            self.worker.order({"mute": talk.key, "on": True})
        self._wake()

    def _wake(self) -> None:
        """Replaced by ``run``: until then nobody asks Asterisk."""

    async def run(self) -> None:
        """Runs the child, and asks Asterisk for listening channels; until cancelled."""
        if self.worker is None:
            await asyncio.Event().wait()
            return
        woken = asyncio.Event()
        woken.set()
        self._wake = woken.set  # type: ignore[method-assign]
        async with asyncio.TaskGroup() as group:
            group.create_task(self.worker.run())
            while True:
                await woken.wait()
                woken.clear()
                while self._asked:
                    group.create_task(self._ask_asterisk(*self._asked.pop(0)))

    async def _ask_asterisk(self, talk: Talk, stream: str, speaker: str) -> None:
        port = self.worker.port if self.worker is not None else None
        if port is None or not talk.running:
            return
        try:
            await self._listen(stream, port, talk.channels[speaker])
        except Exception as error:
            talk.state, talk.reason = "failed", type(error).__name__
            self._observe("failed", 1)
            what = "live transcription: Asterisk was not asked for a listening channel (%s)"
            log.warning(what, talk.reason, extra={"call_id": talk.call_id})
            self._told(talk.seat)

    def _up(self) -> None:
        for talk in list(self._by_key.values()):
            self._ask(talk)

    def _down(self) -> None:
        for talk in self._by_key.values():
            if talk.state == "listening":
                talk.state = "starting"
                talk.missed_before = talk.missed_seconds
                talk.guessed = []
                self._told(talk.seat)

    def take(self, message: dict[str, Any]) -> None:
        """One message of the child. Those of a talk that has ended tell only its last words."""
        talk = self._by_key.get(message["call"]) or self._ended(message["call"])
        if talk is None:
            return
        match message["kind"]:
            case "begin":
                talk.state = "listening"
            case "heard":
                self._heard(talk, message)
            case "findings":
                self._found(talk, message["findings"])
            case "missed":
                self._missed(talk, message["missed"])
        self._told(talk.seat)

    def _ended(self, key: str) -> Talk | None:
        return next((talk for talk in self._by_seat.values() if talk.key == key), None)

    def _heard(self, talk: Talk, message: dict[str, Any]) -> None:
        if message["final"]:
            words = (
                Word(word, talk.base + start, talk.base + end, conf) for word, start, end, conf in message["final"]
            )
            talk.heard.append(Segment(message["speaker"], tuple(words)))
            talk.heard.sort(key=lambda one: one.words[0].start)
            del talk.heard[:-MAX_LINES]
            talk.said = self._shown(talk.heard)
        guesses = [
            Segment(speaker, tuple(Word(word, talk.base + at, talk.base + at) for word in words))
            for speaker, words, at in message["partial"]
            if words
        ]
        recent = talk.heard[-RECENT_LINES:]
        shown = self._shown([*recent, *guesses])
        talk.said[len(talk.said) - len(recent) :] = shown[: len(recent)]
        talk.guessed = shown[len(recent) :]
        self._missed(talk, message["missed"])
        self._observe("lag", message["lag"])

    def _shown(self, segments: Iterable[Segment]) -> list[Said]:
        """What the window shows: digits as digits, and numbers that are as long as a telephone's hidden."""
        told = masked(normalised(Transcript("", segments=tuple(segments))), self._all.speech.mask_from_digits)
        return [Said(one.speaker, one.text, one.words[0].start) for one in told.segments]

    def _missed(self, talk: Talk, seconds: float) -> None:
        total = talk.missed_before + seconds
        if total > talk.missed_seconds:
            self._observe("missed", total - talk.missed_seconds)
            talk.missed_seconds = total

    def _found(self, talk: Talk, findings: list[dict[str, Any]] | None) -> None:
        talk.findings = findings
        for found in findings or ():
            key = talk.key, found["phrase"]
            forbidden = found["kind"] == "forbidden" and found["found"] and found["band"] == "sure"
            if forbidden and self.settings.tell_supervisors and key not in self._alerts:
                self._alert(key, talk, found)

    def _alert(self, key: tuple[str, str], talk: Talk, found: dict[str, Any]) -> None:
        while len(self._alerts) >= MAX_ALERTS:
            del self._alerts[next(iter(self._alerts))]
        self._alerts[key] = Alert(
            talk.seat, talk.call_id, found["phrase"], found["rule"], found["heard"], self._clock.wall()
        )
        self._alerted()
