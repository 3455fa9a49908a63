"""A desk phone with two lines: for the attended transfer by SIP REFER with Replaces, which one SIPp cannot do.

Only what that story needs: it is called, lifts, holds, calls somebody else, and joins both (RFC 3515, 3891). No sound.
"""

from __future__ import annotations

import re
import socket
import threading
import time
import uuid
from contextlib import suppress
from dataclasses import dataclass
from urllib.parse import quote

from callcenter.demo.phones import Moment
from callcenter.demo.server import HOST


@dataclass
class Dialog:
    """One line: both ends as From/To values with tags, and whom to send requests to."""

    call_id: str
    ours: str
    theirs: str
    target: str
    cseq: int = 100
    branch: str = ""
    media: int = 0
    """Asterisk's port for the sound of this line."""

    def tag(self, whose: str) -> str:
        found = re.search(r";tag=([^;>\s]+)", whose)
        return found[1] if found else ""


class TwoLinePhone:
    """Listens on *port*; talks to the Asterisk at 127.0.0.1:*server_port*. journal() is that of a Phone."""

    def __init__(self, name: str, port: int, server_port: int, host: str = HOST) -> None:
        self.name, self.port, self.host = name, port, host
        self.server = (HOST, server_port)
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind((host, port))
        self.moments: list[Moment] = []
        self.inbox: list[str] = []
        self.arrived = threading.Condition()
        self.version = 0
        self.thread = threading.Thread(target=self._listen, daemon=True)
        self.thread.start()

    def journal(self) -> list[Moment]:
        return list(self.moments)

    def errors(self) -> str:
        return ""

    def stop(self) -> None:
        """The port is free at once: a socket that is still read from would keep it, so an empty packet ends that."""
        with suppress(OSError):
            self.socket.sendto(b"", (self.host, self.port))
        self.thread.join(5)
        self.socket.close()

    # -- wire ---------------------------------------------------------------------------------------------------

    def _listen(self) -> None:
        while True:
            try:
                message = self.socket.recv(65536).decode("utf-8", "replace")
            except OSError:
                return
            if not message:
                return
            self._note("received", message)
            self._obey(message)
            with self.arrived:
                self.inbox.append(message)
                self.arrived.notify_all()

    def _obey(self, message: str) -> None:
        if message.startswith(("NOTIFY", "BYE", "OPTIONS", "INFO", "UPDATE")):
            self._send(_response(message, "200 OK"))

    def _send(self, text: str) -> None:
        self._note("sent", text)
        self.socket.sendto(text.encode(), self.server)

    def _note(self, way: str, message: str) -> None:
        line = f"{message.splitlines()[0]} ({_header(message, 'CSeq')})"
        self.moments.append(Moment(time.time(), way, line, _header(message, "Call-ID")))

    def expect(self, pattern: str, seconds: float = 20) -> str:
        """The next message, not handed out before, whose text matches."""
        deadline = time.monotonic() + seconds
        with self.arrived:
            while True:
                for message in self.inbox:
                    if re.search(pattern, message):
                        self.inbox.remove(message)
                        return message
                if not self.arrived.wait(deadline - time.monotonic()):
                    raise AssertionError(f"phone {self.name} waited in vain for {pattern!r}")

    # -- what a person does --------------------------------------------------------------------------------------

    def answer(self, after: float) -> Dialog:
        """Wait for a call, ring *after* seconds, lift."""
        invite = self.expect("^INVITE")
        tag = f"two-{uuid.uuid4().hex[:8]}"
        self._send(_response(invite, "180 Ringing", tag, self._contact()))
        time.sleep(after)
        self._send(_response(invite, "200 OK", tag, self._contact(), self._sdp("sendrecv")))
        self.expect("^ACK")
        contact = re.search(r"<(sip:[^>]+)>", _header(invite, "Contact"))
        assert contact is not None
        return Dialog(
            _header(invite, "Call-ID"), f"{_header(invite, 'To')};tag={tag}", _header(invite, "From"), contact[1]
        )

    def hold(self, dialog: Dialog) -> None:
        self._request(dialog, "INVITE", sdp=self._sdp("sendonly"))
        self.expect(rf"^SIP/2.0 200[\s\S]*{dialog.cseq} INVITE")
        self._request(dialog, "ACK", same=True)

    def call(self, number: str) -> Dialog:
        """Call *number* on the other line; returns when it is answered."""
        target = f"sip:{number}@{HOST}:{self.server[1]}"
        dialog = Dialog(
            uuid.uuid4().hex, f"<sip:{self.name}@{HOST}>;tag=two-{uuid.uuid4().hex[:8]}", f"<{target}>", target
        )
        self._request(dialog, "INVITE", sdp=self._sdp("sendrecv"))
        answer = self.expect(rf"^SIP/2.0 200[\s\S]*{dialog.cseq} INVITE")
        dialog.theirs = _header(answer, "To")
        self._request(dialog, "ACK", same=True)
        return dialog

    def join(self, first: Dialog, second: Dialog) -> None:
        """REFER on the first line: the other side is to take the place of this phone in the second."""
        replaces = quote(
            f"{second.call_id};to-tag={second.tag(second.theirs)};from-tag={second.tag(second.ours)}", safe=""
        )
        self._request(
            first, "REFER", f"Refer-To: <{second.target}?Replaces={replaces}>", f"Referred-By: <sip:{self.name}@{HOST}>"
        )
        self.expect(rf"^SIP/2.0 202[\s\S]*{first.cseq} REFER")

    def hang_up(self, dialog: Dialog) -> None:
        self._request(dialog, "BYE")
        self.expect(rf"^SIP/2.0 200[\s\S]*{dialog.cseq} BYE")

    def _request(
        self,
        dialog: Dialog,
        method: str,
        *headers: str,
        sdp: str = "",
        same: bool = False,
        branch: str = "",
        body: tuple[str, str] = ("", ""),
    ) -> None:
        dialog.cseq += 0 if same else 1
        branch = branch or f"z9hG4bK{uuid.uuid4().hex[:12]}"
        lines = [
            f"{method} {dialog.target} SIP/2.0",
            f"Via: SIP/2.0/UDP {self.host}:{self.port};branch={branch};rport",
            f"From: {dialog.ours}",
            f"To: {dialog.theirs}",
            f"Call-ID: {dialog.call_id}",
            f"CSeq: {dialog.cseq} {method}",
            self._contact(),
            "Max-Forwards: 70",
            *headers,
        ]
        self._send(_text(lines, sdp) if not body[0] else _text(lines, body[1], body[0]))

    def _contact(self) -> str:
        return f"Contact: <sip:{self.name}@{self.host}:{self.port}>"

    def _sdp(self, direction: str) -> str:
        self.version += 1
        return (
            f"v=0\r\no=- 1 {self.version} IN IP4 {self.host}\r\ns=-\r\nc=IN IP4 {self.host}\r\nt=0 0\r\n"
            f"m=audio {self.port + 1} RTP/AVP 8\r\n"
            f"a=rtpmap:8 PCMA/8000\r\na={direction}\r\n"
        )


def _header(message: str, name: str) -> str:
    found = re.search(rf"^{name}: *(.*?)\r?$", message, re.MULTILINE | re.IGNORECASE)
    return found[1] if found else ""


def _text(lines: list[str], sdp: str, kind: str = "application/sdp") -> str:
    if sdp:
        lines = [*lines, f"Content-Type: {kind}"]
    return "\r\n".join([*lines, f"Content-Length: {len(sdp)}", "", sdp])


def _response(request: str, status: str, tag: str = "", contact: str = "", sdp: str = "") -> str:
    kept = [
        line
        for line in request.split("\r\n\r\n")[0].split("\r\n")
        if re.match(r"(Via|From|Call-ID|CSeq):", line, re.IGNORECASE)
    ]
    to = f"To: {_header(request, 'To')}" + (f";tag={tag}" if tag else "")
    return _text([f"SIP/2.0 {status}", *kept, to, *([contact] if contact else [])], sdp)
