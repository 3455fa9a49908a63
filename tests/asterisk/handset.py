"""A telephone that a story plays by hand, step by step: what SIPp's scenarios do not do, as seat and as customer.

Refusals after ringing, redirection, two telephones of one seat, every way to hold, transfers. Sound if asked to speak.
"""

from __future__ import annotations

import re
import socket
import struct
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from callcenter.demo.server import HOST
from tests.asterisk.twoline import Dialog, TwoLinePhone, _header, _response


class Handset(TwoLinePhone):
    """``journal()`` is that of a Phone. A CANCEL is obeyed, and a BYE, whatever the story does meanwhile."""

    def __init__(self, name: str, port: int, server_port: int, host: str = HOST) -> None:
        super().__init__(name, port, server_port, host)

    def _obey(self, message: str) -> None:
        super()._obey(message)
        if message.startswith("CANCEL"):
            self._send(_response(message, "200 OK"))
            invite = message.replace("CANCEL sip", "INVITE sip", 1).replace(" CANCEL\r\n", " INVITE\r\n", 1)
            self._send(_response(invite, "487 Request Terminated", "gone"))

    # -- being called --------------------------------------------------------------------------------------------

    def ring(self, *status: str, seconds: float = 30) -> str:
        """Wait for a call and answer it with these provisional answers ("180 Ringing" if none); "" says none."""
        invite = self.expect("^INVITE", seconds)
        for line in status or ("180 Ringing",):
            if line:
                self._send(_response(invite, line, "hand", self._contact(), self._early(line)))
        return invite

    def again(self, invite: str, status: str) -> None:
        """One more provisional answer."""
        self._send(_response(invite, status, "hand", self._contact(), self._early(status)))

    def _early(self, status: str) -> str:
        return self._sdp("sendrecv") if status.startswith("183") else ""

    def lift(self, invite: str) -> Dialog:
        self._send(_response(invite, "200 OK", "hand", self._contact(), self._sdp("sendrecv")))
        self.expect("^ACK")
        contact = re.search(r"<(sip:[^>]+)>", _header(invite, "Contact"))
        assert contact is not None
        ours = f"{_header(invite, 'To')};tag=hand"
        return Dialog(_header(invite, "Call-ID"), ours, _header(invite, "From"), contact[1], media=_media(invite))

    def refuse(self, invite: str, status: str, contact: str = "") -> None:
        """A final refusal; with *contact* a redirection."""
        self._send(_response(invite, status, "hand", f"Contact: <{contact}>" if contact else self._contact()))
        self.expect("^ACK")

    # -- calling -------------------------------------------------------------------------------------------------

    def place(self, number: str) -> Dialog:
        """Send the INVITE, and do not wait."""
        target = f"sip:{number}@{HOST}:{self.server[1]}"
        dialog = Dialog(
            uuid.uuid4().hex, f"<sip:{self.name}@{self.host}>;tag=h-{uuid.uuid4().hex[:8]}", f"<{target}>", target
        )
        dialog.branch = f"z9hG4bK{uuid.uuid4().hex[:12]}"
        self._request(dialog, "INVITE", sdp=self._sdp("sendrecv"), branch=dialog.branch)
        return dialog

    def answered(self, dialog: Dialog, seconds: float = 40) -> Dialog:
        answer = self.expect(rf"^SIP/2.0 200[\s\S]*{dialog.call_id}[\s\S]*{dialog.cseq} INVITE", seconds)
        dialog.theirs, dialog.media = _header(answer, "To"), _media(answer)
        self._request(dialog, "ACK", same=True)
        return dialog

    def refused(self, dialog: Dialog, seconds: float = 40) -> str:
        answer = self.expect(rf"^SIP/2.0 [3-6][\s\S]*{dialog.call_id}", seconds)
        dialog.theirs = _header(answer, "To")
        self._request(dialog, "ACK", same=True, branch=dialog.branch)
        return answer.splitlines()[0]

    def give_up(self, dialog: Dialog) -> None:
        self._request(dialog, "CANCEL", same=True, branch=dialog.branch)
        self.refused(dialog)

    # -- in a call -----------------------------------------------------------------------------------------------

    def press_hold(self, dialog: Dialog, manner: str = "sendonly") -> None:
        """*manner*: sendonly, inactive, "zero" (an address of 0.0.0.0), or sendrecv to resume."""
        sdp = self._sdp("sendrecv" if manner == "zero" else manner)
        if manner == "zero":
            sdp = sdp.replace(f"c=IN IP4 {self.host}", "c=IN IP4 0.0.0.0")
        self._request(dialog, "INVITE", sdp=sdp)
        self.expect(rf"^SIP/2.0 200[\s\S]*{dialog.cseq} INVITE")
        self._request(dialog, "ACK", same=True)

    def resume(self, dialog: Dialog) -> None:
        self.press_hold(dialog, "sendrecv")

    def refer(self, dialog: Dialog, number: str) -> None:
        self._request(
            dialog,
            "REFER",
            f"Refer-To: <sip:{number}@{HOST}:{self.server[1]}>",
            f"Referred-By: <sip:{self.name}@{HOST}>",
        )
        self.expect(rf"^SIP/2.0 202[\s\S]*{dialog.cseq} REFER")
        time.sleep(0.3)  # whoever hangs up at once takes the transfer back

    def speak(self, line: Dialog, voice: Path, first: int) -> None:
        """Send *voice* (A-law), from its beginning to its end; the RTP is numbered from *first* on."""
        with self.speaking(line, voice, first) as thread:
            thread.join()

    @contextmanager
    def speaking(self, line: Dialog, voice: Path, first: int) -> Iterator[threading.Thread]:
        """The same meanwhile; nothing more is sent afterwards."""
        sound, silent = voice.read_bytes(), threading.Event()

        def send() -> None:
            begun = time.monotonic()
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as media:
                for number in range(len(sound) // 160):
                    head = struct.pack("!BBHII", 0x80, 8, (first + number) % 0x10000, 160 * number, first)
                    media.sendto(head + sound[160 * number : 160 * (number + 1)], (HOST, line.media))
                    if silent.wait(max(0.0, begun + 0.02 * (number + 1) - time.monotonic())):
                        return

        thread = threading.Thread(target=send, daemon=True)
        thread.start()
        try:
            yield thread
        finally:
            silent.set()
            thread.join()

    def press(self, dialog: Dialog, keys: str) -> None:
        for key in keys:
            self._request(dialog, "INFO", body=("application/dtmf-relay", f"Signal={key}\r\nDuration=160\r\n"))
            self.expect(rf"^SIP/2.0 200[\s\S]*{dialog.cseq} INFO")
            time.sleep(0.2)

    def parted(self, seconds: float = 60) -> None:
        """Until the other side has said BYE."""
        self.expect("^BYE", seconds)


def _media(message: str) -> int:
    """The port at which the sender of this offer or answer wants the sound."""
    found = re.search(r"m=audio (\d+)", message)
    return int(found[1]) if found else 0
