"""The lab of the tests: a real Asterisk, its phones, and raw AMI recorders, in one temporary folder.

Everything stops with the lab, also when a test fails. See callcenter/demo for the parts.
"""

from __future__ import annotations

import re
import secrets
import shutil
import socket
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path

from callcenter.demo import voices
from callcenter.demo.phones import Phones
from callcenter.demo.server import AsteriskServer, Program, find_program

ETC = Path(__file__).parent / "etc"
ELSEWHERE = Path(__file__).parent / "elsewhere"
"""A PBX that somebody else set up: other names, other dialplan, none of the product's."""


class Recorder:
    """Keeps every byte that Asterisk sends on one AMI session."""

    def __init__(self, server: AsteriskServer, user: str) -> None:
        self.data = bytearray()
        self.socket = socket.create_connection(server.ami, 5)
        self.socket.sendall(
            f"Action: Login\r\nActionID: login\r\nUsername: {user}\r\nSecret: {server.secret}\r\n\r\n".encode()
        )
        self.thread = threading.Thread(target=self._read, daemon=True)
        self.thread.start()
        self.wait_for(b"Message: Authentication accepted")

    def _read(self) -> None:
        self.socket.settimeout(None)
        try:
            while chunk := self.socket.recv(65536):
                self.data += chunk
        except OSError:
            return

    def wait_for(self, text: bytes, seconds: float = 10, start: int = 0) -> None:
        wait_until(lambda: text in self.data[start:], seconds, f"{text!r} on AMI")

    def action(self, name: str, **fields: str) -> None:
        """Send one action. Its answer is in the stream."""
        lines = [f"Action: {name}", *(f"{key}: {value}" for key, value in fields.items())]
        self.socket.sendall(("\r\n".join(lines) + "\r\n\r\n").encode())

    def close(self) -> bytes:
        try:
            self.socket.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self.thread.join(5)
        self.socket.close()
        return bytes(self.data)


def wait_until(true: Callable[[], object], seconds: float, what: str) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        if time.monotonic() > deadline:
            raise AssertionError(f"waited {seconds} s in vain for {what}")
        time.sleep(0.02)


class Lab:
    """Asterisk with the project's dialplans plus tests/asterisk/etc, and phones."""

    def __init__(
        self,
        keep: bool = False,
        name: str = "pbx",
        hooks: str = "",
        program: Program | None = None,
        elsewhere: bool = False,
    ) -> None:
        """*hooks*: "curl" or "agi" includes the dialplan's examples, which ask a daemon at ``daemon_port``.
        *elsewhere*: with the configuration of ``ELSEWHERE`` in the place of the product's own."""
        self.folder = Path(tempfile.mkdtemp(prefix="callcenter-lab-"))
        self.keep = keep
        self.hooks_token = secrets.token_hex(16)
        self.server = AsteriskServer(
            self.folder / "asterisk",
            program or find_program(),
            name=name,
            extra=[*sorted(ETC.glob("*.conf")), *(sorted(ELSEWHERE.glob("*.conf")) if elsewhere else [])],
            hooks=hooks,
        )
        tcp = (socket.SOCK_STREAM,)
        self.daemon_port, self.agi_port = self.server.block.take(kinds=tcp), self.server.block.take(kinds=tcp)
        self.server.variables = {
            "HOOKSURL": f"http://127.0.0.1:{self.daemon_port}/hooks",
            "HOOKSAGI": f"127.0.0.1:{self.agi_port}",
            "HOOKSTOKEN": self.hooks_token,
        }
        self.phones = Phones(self.server, self.folder / "phones")
        self.recorders: list[Recorder] = []

    def __enter__(self) -> Lab:
        try:
            self.start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        self.server.configure()
        self._prompts()
        self.phones.voices = {
            "customer": voices.speak(voices.CUSTOMER, self.folder / "customer.al", pitch=30),
            "seat": voices.speak(voices.SEAT, self.folder / "seat.al", pitch=70),
        }
        self.server.spawn()

    def _prompts(self) -> None:
        """Beeps stand for the greetings: what is said in them is the business of prompts.py."""
        for name, seconds in [
            *((f"greeting-zh-{seat}", "1.5") for seat in ("1001", "1002", "1003", "1004", "2001", "3001")),
            ("announcement-zh", "2"),
            ("sorry-zh", "1"),
        ]:
            subprocess.run(
                [
                    "sox",
                    "-q",
                    "-n",
                    "-r",
                    "8000",
                    "-c",
                    "1",
                    "-b",
                    "16",
                    self.server.prompts / f"{name}.wav",
                    "synth",
                    seconds,
                    "sine",
                    "700",
                    "gain",
                    "-12",
                ],
                check=True,
            )

    def recorder(self, user: str = "noisy") -> Recorder:
        recorder = Recorder(self.server, user)
        self.recorders.append(recorder)
        return recorder

    def quiet(self, seconds: float = 30) -> None:
        """Until no channel is left, and the last events have been written."""
        wait_until(
            lambda: re.search(r"\b0 active channels", self.server.cli("core show channels count")),
            seconds,
            "the end of all channels",
        )
        time.sleep(0.3)

    def stop(self) -> None:
        self.phones.stop()
        for recorder in self.recorders:
            recorder.close()
        self.server.stop()
        self.server.block.close()
        if not self.keep:
            shutil.rmtree(self.folder, ignore_errors=True)
