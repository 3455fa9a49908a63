"""Bytes from Asterisk become messages: the first step on the path of a call.

AMI is a text protocol: ``Key: value`` lines ended by CR LF, messages ended by an empty line, one banner line at the
start of a connection. ``Decoder.feed`` takes whatever the network delivered and returns the whole messages in it
(``ami/glance`` has a twin that makes typed events at once).

Promises: the same messages whatever the packet borders; text is decoded only in whole messages, so a character is
never torn; names that nobody wants are dropped before their headers are parsed; memory is bounded.
Never: raises on hostile input (except ``OversizeMessage``, after which the link must be dropped), guesses a value, or
lets one message be read as two because of what a caller's name contains.

Source for the wire format: Asterisk's ``main/manager.c`` and measurements on 16.28 and 22.10.
"""

import re
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

Message = dict[str, str]
"""One AMI message: header name as sent -> value. It has one of the keys ``Event``, ``Response`` or ``Banner``.
``ChanVariable`` becomes ``ChanVariable:NAME`` (``DestChanVariable`` likewise), for it may come many times."""

BANNER = b"Asterisk Call Manager/"
_BANNER_LINE = re.compile(rb"Asterisk Call Manager/[0-9.]+\r\n")
_BANNER_INSIDE = re.compile(_BANNER_LINE.pattern + rb"(?=Response: |Event: )")
_EVENT, _RESPONSE = b"Event: ", b"Response: "
_PRIVILEGED = re.compile(rb"Event: [^\r\n]*\r\nPrivilege: ").match
_ACTION_ID = b"\r\nActionID: "
_END = b"\r\n\r\n"
# Entries of an answer that also come as events of their own.
_IN_ANSWERS = frozenset((b"QueueMember", b"FullyBooted"))
# A command's answer may repeat "Output", channel variables repeat by nature; anything else repeated is an injection.
_MAY_REPEAT = frozenset({"Output", "Variable", "Ring-Group"})
_ESCAPES = {
    "a": "\a",
    "b": "\b",
    "f": "\f",
    "n": "\n",
    "r": "\r",
    "t": "\t",
    "v": "\v",
    "\\": "\\",
    "'": "'",
    '"': '"',
    "?": "?",
}
# Asterisk C-escapes these values on AMI (ast_escape_c_alloc in manager_channels.c); numbers and channels are raw.
ESCAPED_HEADERS = ("CallerIDName", "ConnectedLineName", "DestCallerIDName", "DestConnectedLineName")


class OversizeMessage(Exception):
    """The peer sent more than the limit without ending a message: drop the link, nothing after it can be trusted."""


class Framer(ABC):
    """Frames one direction of one AMI connection and drops what nobody wants; ``_keep`` says what becomes of the rest.

    ``wanted``: event names to keep, each with the byte strings of which one must stand in it (none: any such event);
    ``None`` keeps all. Messages that answer an action (they carry an ``ActionID``) always
    pass. ``counts`` tells what was left out: ``unwanted``, ``hostile`` (a single-valued header came twice, or an event
    without its ``Privilege`` line in a stream that has them), ``garbage``; ``seen`` counts every event that was framed.
    """

    def __init__(self, wanted: Mapping[str, tuple[bytes, ...]] | None = None, max_message_bytes: int = 262_144) -> None:
        self._wanted = None if wanted is None else {name.encode() for name in wanted}
        self._of_use = _matcher(wanted)
        self._limit = max_message_bytes
        self._tail = b""
        self._searched = 0
        self._privileged = False
        self.counts: Counter[str] = Counter()
        self.seen = 0

    @property
    def pending_bytes(self) -> int:
        """Bytes of a message that has begun and not yet ended."""
        return len(self._tail)

    def drop_partial(self) -> None:
        """Forget an unfinished message: the connection ended, or the next piece of a capture starts afresh."""
        if self._tail:
            self.counts["garbage"] += 1
        self._tail = b""
        self._searched = 0

    def read(self, data: bytes) -> list[Any]:
        """What ``data`` completed, in order. Raises ``OversizeMessage`` beyond the limit."""
        buffer = self._tail + data if self._tail else data
        messages: list[Any] = []
        # A message in many small reads: look only at what is new (and at a terminator torn over two reads).
        if buffer.find(_END, max(0, self._searched - 3)) >= 0:
            banner_somewhere = BANNER in buffer
            frames = buffer.split(_END)
            buffer = frames.pop()
            if banner_somewhere:
                for frame in frames:
                    self._frame(self._after_banner(frame, messages), messages)
            else:
                self._frames(frames, messages)
        if buffer.startswith(BANNER):
            buffer = self._after_banner(buffer, messages)
        if len(buffer) > self._limit:
            raise OversizeMessage(f"more than {self._limit} bytes without the end of a message")
        self._tail = buffer
        self._searched = len(buffer)
        return messages

    def _after_banner(self, frame: bytes, messages: list[Any]) -> bytes:
        """The banner is one line with no empty line after it, so it stands in front of the first message. In the middle
        of a capture it also ends whatever the lost connection had begun; there it counts only where a message follows,
        for a caller may give himself that name."""
        found = _BANNER_LINE.match(frame)
        if not found:
            inside = list(_BANNER_INSIDE.finditer(frame))
            if not inside:
                return frame
            found = inside[-1]
            self.counts["garbage"] += 1
        self._privileged = False
        messages.append({"Banner": found[0][:-2].decode()})
        return frame[found.end() :]

    def _frames(self, frames: list[bytes], messages: list[Any]) -> None:
        """Sorts out at a glance what most frames are: events that nobody wants, and events of use."""
        of_use, unwanted = self._of_use, 0
        for frame in frames:
            if not _PRIVILEGED(frame):
                self._frame(frame, messages)
            elif of_use(frame) or _ACTION_ID in frame:
                self.seen += 1
                self._privileged = True
                self._keep(frame, messages)
            else:
                unwanted += 1
        self.seen += unwanted
        if unwanted:
            self._privileged = True
            self.counts["unwanted"] += unwanted

    def _frame(self, frame: bytes, messages: list[Any]) -> None:
        """Any frame, with care."""
        if frame[:2] == b"\r\n":
            frame = frame.lstrip(b"\r\n")  # Asterisk now and then ends a message with one empty line too many
        if frame.startswith(_EVENT):
            self.seen += 1
            # Asterisk writes Privilege as the second line of every event that is not part of an answer. Text injected
            # through an unescaped value (Newexten's AppData) that forgets it is thereby known to be forged.
            if _PRIVILEGED(frame):
                self._privileged = True
            elif self._privileged and not self._answers(frame):
                self.counts["hostile"] += 1
                return
            if not self._of_use(frame) and _ACTION_ID not in frame:
                self.counts["unwanted"] += 1
                return
        elif not frame.startswith(_RESPONSE):
            if frame.strip():
                self.counts["garbage"] += 1
            return
        self._keep(frame, messages)

    @abstractmethod
    def _keep(self, frame: bytes, messages: list[Any]) -> None:
        """Adds to ``messages`` what the frame tells."""

    def _answers(self, frame: bytes) -> bool:
        """Whether an event may lack Privilege: entries of an answer do, and what tells of calls never is one."""
        name = frame[len(_EVENT) :].partition(b"\r\n")[0]
        return _ACTION_ID in frame and (self._wanted is None or name not in self._wanted or name in _IN_ANSWERS)


class Decoder(Framer):
    """Every message becomes a dictionary."""

    def feed(self, data: bytes) -> list[Message]:
        """The messages completed by ``data``, in order. Raises ``OversizeMessage`` beyond the limit."""
        return self.read(data)

    def _keep(self, frame: bytes, messages: list[Any]) -> None:
        message = parse(frame)
        if message is None:
            self.counts["hostile"] += 1
        else:
            messages.append(message)


def _matcher(wanted: Mapping[str, tuple[bytes, ...]] | None) -> Callable[[bytes], object]:
    """Says of a frame whether it is an event of use: one regular expression, for most frames end here."""
    if wanted is None:
        return re.compile(_EVENT).match
    plain = "|".join(re.escape(name) for name in sorted(wanted, reverse=True) if not wanted[name])
    kinds = [f"(?:{plain})\r\n".encode()] if plain else []
    for name, needles in wanted.items():
        if needles:
            kinds.append(re.escape(name.encode()) + b"(?s:(?=\r\n.*(?:%b)))" % b"|".join(map(re.escape, needles)))
    return re.compile(_EVENT + b"(?:" + b"|".join(kinds) + b")").match


def parse(frame: bytes) -> Message | None:
    """One message's bytes (without the empty line) to a dict, or ``None`` if a single-valued header came twice."""
    try:
        text = frame.decode()
    except UnicodeDecodeError:
        text = _legacy(frame)
    lines = text.split("\r\n")
    try:
        message: Message = dict([line.split(": ", 1) for line in lines])
    except ValueError:  # a line without ": "
        return _parse_repeated(lines)
    if len(message) != len(lines) or "ChanVariable" in message:
        return _parse_repeated(lines)
    if "\\" in text:
        _unescape(message)
    return message


def _parse_repeated(lines: list[str]) -> Message | None:
    """With care: headers that come more than once, or without a space after the colon."""
    message: Message = {}
    for line in lines:
        key, colon, value = line.partition(":")
        value = value.removeprefix(" ")
        if not colon:
            # Old releases end some answers with raw lines; they carry nothing that anybody reads.
            continue
        if key.endswith("ChanVariable"):
            name, _, value = value.partition("=")
            message[f"{key}:{name}"] = value
        elif key not in message:
            message[key] = value
        elif key in _MAY_REPEAT:
            message[key] += "\n" + value
        elif key == "Event" or message[key] != value:
            return None
    _unescape(message)
    return message


def _legacy(frame: bytes) -> str:
    """Line by line: UTF-8 where it is, GB18030 where a phone or trunk sent a Chinese name in it, else U+FFFD."""
    lines = []
    for line in frame.split(b"\r\n"):
        try:
            lines.append(line.decode())
        except UnicodeDecodeError:
            lines.append(_gb18030(line))
    return "\r\n".join(lines)


def _gb18030(line: bytes) -> str:
    try:
        return line.decode("gb18030")
    except UnicodeDecodeError:
        return line.decode("utf-8", "replace")


def _unescape(message: Message) -> None:
    for header in ESCAPED_HEADERS:
        value = message.get(header)
        if value and "\\" in value:
            message[header] = unescape(value)


def unescape(text: str) -> str:
    r"""Undo Asterisk's C escapes. A name that a phone sent as ``"a\"b"`` arrives as ``a\\\"b``: SIP's own backslash is
    kept by Asterisk, so after one round ``\"`` is left, and it is undone too."""
    once = _unescape_once(text)
    return once.replace('\\"', '"').replace("\\\\", "\\")


def _unescape_once(text: str) -> str:
    out: list[str] = []
    position = 0
    while (at := text.find("\\", position)) >= 0 and at + 1 < len(text):
        out.append(text[position:at])
        follower = text[at + 1]
        out.append(_ESCAPES.get(follower, "\\" + follower))
        position = at + 2
    out.append(text[position:])
    return "".join(out)
