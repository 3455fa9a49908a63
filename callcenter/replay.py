"""``callcenter replay``: captures of AMI folded offline, at full speed, into one JSON object per call.

It runs the same codec, fold and derivation as the daemon, without a clock, a database or a rule that acts. Several
files are pieces of one stream, in the order given; a piece may begin and end anywhere.

Promises: the same bytes give the same lines; a call of which something is missing says ``"complete": false`` and shows
``null`` for what was not observed.
Never: needs a configuration; without one, a seat is any queue member and any dialled endpoint, and the caller is the
channel that began the call.
"""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from callcenter.ami.codec import BANNER, Message, OversizeMessage
from callcenter.ami.codec import parse as headers_of
from callcenter.ami.events import Event, LinkLost, Newchannel
from callcenter.ami.glance import EventDecoder
from callcenter.ami.parse import WANTED, parse
from callcenter.calls.derive import Terms, derive
from callcenter.calls.evidence import Book
from callcenter.calls.fold import fold
from callcenter.calls.model import Call, EndedBy, Outcome, Phase
from callcenter.rules.cadence import BY_COUNTRY
from callcenter.settings import Settings

CHUNK_BYTES = 1 << 20
STEP_SECONDS = 0.03
"""Between events without a time: some that belong together stay within what the derivation takes for one moment."""
DEFAULT_TERMS = Terms("replay", BY_COUNTRY["cn"])
UNTOLD = -1
"""How long, how many: there were some, but nobody told the time. Printed as null."""
_STARTS = re.compile(
    rb"Event: [^\r\n]*\r\n(Privilege|ActionID): |Response: \w+\r\n(ActionID|Message): |" + BANNER + rb"[0-9.]+\r\n"
)
"""A message's first two lines; "Event: " alone may be the end of a "UserEvent: " that was cut in two."""


class CaptureError(Exception):
    """A capture cannot be read; the text is one sentence for the person who named it."""


def calls(files: Iterable[Path], terms: Terms = DEFAULT_TERMS) -> list[Call]:
    """The calls in the captures, in order of arrival. Raises ``CaptureError``."""
    book = Book()
    stamped = False
    now = 0.0
    for event in _events(files):
        if event.at:
            stamped = True
        elif not stamped:
            # A server without timestampevents: keep the order, and show no time that was not told.
            now = _guessed(book, event, now)
            event = event._replace(at=now)
        fold(book, event)
    found = [call for call in (derive(book, evidence, terms) for evidence in book.calls.values()) if call is not None]
    found.sort(key=lambda call: (_arrival(book, call), book.age(call.call_id)))
    return found if stamped else [_timeless(call) for call in found]


def terms_of(settings: Settings | None) -> Terms:
    """What a configuration says of lines and rings; without one, the defaults."""
    if settings is None:
        return DEFAULT_TERMS
    return Terms(
        settings.asterisk.name,
        settings.rings.cadence,
        settings.queue_defaults.rings,
        frozenset(settings.asterisk.trunks),
        rings_of_queue={name: queue.rings for name, queue in settings.queues.items()},
    )


def _guessed(book: Book, event: Event, now: float) -> float:
    """A time for an event that bears none: a little after the one before, and not before the second in which its
    channel was made, which Asterisk's ids tell."""
    made = book.age(event.uniqueid)[0] if isinstance(event, Newchannel) and event.uniqueid not in book.owner else 0.0
    return max(now + STEP_SECONDS, made)


def _arrival(book: Book, call: Call) -> float:
    return call.arrived_at if call.arrived_at is not None else book.age(call.call_id)[0]


def _timeless(call: Call) -> Call:
    return replace(
        call,
        arrived_at=None,
        answered_at=None,
        ended_at=None,
        wait_seconds=None,
        talk_seconds=None,
        hold_seconds=UNTOLD if call.holds else 0.0,
        rings_heard=UNTOLD if call.rings_heard else 0,
        breaches=(),
        complete=False,
    )


def _events(files: Iterable[Path]) -> Iterator[Event]:
    decoder, files = _Introducing(WANTED), list(files)
    began = spoken = False
    for path in files:
        for data in _chunks(path, decoder):
            try:
                messages = decoder.read(data)
            except OversizeMessage as error:
                raise CaptureError(f"{path}: is no AMI capture ({error}).") from None
            spoken = spoken or bool(messages) or decoder.seen > 0
            for message in messages:
                if isinstance(message, dict) and "Banner" in message:
                    if began:
                        yield LinkLost(0.0, "a new connection")
                    continue
                event = parse(message) if isinstance(message, dict) else message
                if event is not None:
                    began = True
                    yield event
    if not spoken:  # of several pieces one alone may be too short to tell
        names = ", ".join(map(str, files))
        raise CaptureError(
            f"{names}: is no AMI capture (no message of Asterisk in it); name what 'callcenter capture' wrote."
        )


class _Introducing(EventDecoder):
    """Says who is at a channel where the capture begins after its Newchannel: every event of it tells."""

    def __init__(self, wanted: Mapping[str, tuple[bytes, ...]]) -> None:
        super().__init__(wanted)
        self._met: set[str] = set()

    def _keep(self, frame: bytes, messages: list[Any]) -> None:
        kept = len(messages)
        super()._keep(frame, messages)
        if len(messages) == kept:
            return
        found = messages[kept]
        if isinstance(found, dict) and parse(found) is None:
            return
        uniqueid = found.get("Uniqueid", "") if isinstance(found, dict) else getattr(found, "uniqueid", "")
        if uniqueid and uniqueid not in self._met:
            self._met.add(uniqueid)
            if not isinstance(found, Newchannel):
                messages.insert(kept, _introduction(headers_of(frame) or {}))


def _introduction(message: Message) -> Message:
    return {**message, "Event": "NewCallerid"}


def _chunks(path: Path, decoder: EventDecoder) -> Iterator[bytes]:
    """A file's bytes. If it begins with a message of its own, what the piece before it left unfinished is dropped. A
    file whose line ends some tool has changed (LF alone) is read as if it had not."""
    try:
        with path.open("rb") as file:
            first = file.read(CHUNK_BYTES)
            if first.count(b"\n") > 1 and b"\r" not in first:  # a piece may well begin with the second half of a CR LF
                first = (first + file.read()).replace(b"\n", b"\r\n")
            if _STARTS.match(first):
                decoder.drop_partial()
            yield first
            while data := file.read(CHUNK_BYTES):
                yield data
    except OSError as error:
        raise CaptureError(f"{path}: cannot be read ({error.strerror}).") from None


def to_json(call: Call) -> str:
    """One line for one call; the keys and their meanings are part of the command's promise (README)."""
    return json.dumps(as_dict(call), ensure_ascii=False)


def as_dict(call: Call) -> dict[str, Any]:
    ended = call.phase is Phase.ENDED
    outcome = call.outcome or Outcome.UNKNOWN
    ended_by = call.ended_by or EndedBy.UNKNOWN
    return {
        "call_id": call.call_id,
        "direction": call.direction.value,
        "caller_number": call.caller_number,
        "caller_name": call.caller_name,
        "dialled": call.dialled,
        "queue": call.queue,
        "arrived_at": _instant(call.arrived_at),
        "answered_at": _instant(call.answered_at),
        "ended_at": _instant(call.ended_at),
        "rings_heard": None if call.rings_heard == UNTOLD else call.rings_heard,
        "wait_seconds": _seconds(call.wait_seconds),
        "outcome": outcome.value,
        "answered_by": call.answered_by,
        "seats_missed": list(call.seats_missed),
        "talk_seconds": _seconds(call.talk_seconds),
        "hold_seconds": _seconds(call.hold_seconds),
        "holds": len(call.holds),
        "transfers": [{"kind": t.kind.value, "from": t.seat_from, "to": t.to} for t in call.transfers],
        "ended_by": ended_by.value if ended else EndedBy.UNKNOWN.value,
        "recording": call.recording,
        "breaches": sorted({breach.rule for breach in call.breaches}),
        "complete": call.complete and ended,
    }


def _instant(at: float | None) -> float | None:
    return None if at is None else round(at, 6)


def _seconds(seconds: float | None) -> float | None:
    return None if seconds is None or seconds == UNTOLD else round(seconds, 3)
