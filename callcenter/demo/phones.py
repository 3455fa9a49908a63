"""Phones: SIPp processes that call, ring, answer, hold, transfer and hang up like people.

Place on the path of a call: both its ends. It promises that every process it started is gone after stop(), also after a
failure or Ctrl-C, and that journal() tells what a phone sent and received, and when, without asking Asterisk.
It never judges a call.
"""

from __future__ import annotations

import contextlib
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from callcenter.demo import scenario
from callcenter.demo.scenario import Act, Hangup, Manner, Talk
from callcenter.demo.server import HOST, TRUNK_HOST, AsteriskServer


class PhoneFailed(AssertionError):
    """A phone did not live through what it was told to do; the text has its own words."""


@dataclass(frozen=True, slots=True)
class Moment:
    """One SIP message at a phone: epoch seconds, "sent" or "received", its first line and CSeq, its Call-ID."""

    at: float
    way: str
    line: str
    call: str


@dataclass
class Phone:
    """One running SIPp."""

    name: str
    folder: Path
    process: subprocess.Popen[bytes]
    calling: bool

    def wait(self, seconds: float = 60) -> None:
        """Until the phone's call is over. A phone that failed raises PhoneFailed."""
        try:
            code = self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.stop()
            raise PhoneFailed(f"phone {self.name} was not done after {seconds} s") from None
        if code:
            raise PhoneFailed(f"phone {self.name} failed ({code}): {self.errors()}")

    def errors(self) -> str:
        path = self.folder / f"{self.name}.err"
        return path.read_text(errors="replace")[:2000] if path.exists() else ""

    def stop(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(5)

    def journal(self) -> list[Moment]:
        path = self.folder / f"{self.name}.msg"
        return (
            [_moment(line) for line in path.read_text(errors="replace").splitlines() if line] if path.exists() else []
        )


def _moment(line: str) -> Moment:
    """A line of SIPp's -trace_shortmsg: date, time, epoch, S or R, Call-ID, CSeq, first line."""
    _, _, epoch, way, call, cseq, text = (line.split("\t") + [""] * 7)[:7]
    return Moment(float(epoch), "sent" if way == "S" else "received", f"{text} ({cseq.removeprefix('CSeq:')})", call)


@dataclass
class Phones:
    """All phones of one Asterisk. A seat's phone stays until it is replaced or stopped."""

    server: AsteriskServer
    folder: Path
    voices: dict[str, Path] = field(default_factory=dict)
    running: list[Phone] = field(default_factory=list)
    seats: dict[str, Phone] = field(default_factory=dict)
    count: int = 0

    def customer(
        self,
        number: str,
        dial: str,
        *acts: Act,
        name: str = "",
        give_up: float | None = None,
        provisional: Sequence[int] = (100, 180),
        headers: Sequence[str] = (),
    ) -> Phone:
        """A customer calls in. Without *acts* the customer talks until the other side hangs up."""
        shown = f'"{name}" ' if name else ""
        text = scenario.customer(
            dial, f"{shown}<sip:{number}@[local_ip]>", self._voice("customer"), acts, give_up, provisional, headers
        )
        return self._call(f"customer-{number}", text, TRUNK_HOST, self.server.block.take(host=TRUNK_HOST))

    def customers(self, count: int, prefix: str, dial: str, give_up: float) -> Phone:
        """Many silent customers, ten more each second, numbered from *prefix*1 on, who give up after so long."""
        text = scenario.customer(dial, f"<sip:{prefix}[call_number]@[local_ip]>", "", (), give_up, (100, 180))
        more = ["-m", str(count), "-l", str(count), "-r", "10"]
        return self._start(f"customers-{prefix}", text, TRUNK_HOST, self.server.block.take(host=TRUNK_HOST), more, True)

    def dial(
        self,
        seat: str,
        number: str,
        *acts: Act,
        give_up: float | None = None,
        provisional: Sequence[int] = (100, 180),
        name: str = "",
    ) -> Phone:
        """A seat calls out, from a second line of its phone."""
        text = scenario.customer(number, f"<sip:{seat}@[local_ip]>", self._voice("seat"), acts, give_up, provisional)
        return self._call(name or f"dial-{seat}", text, HOST, self.server.block.take())

    def _call(self, name: str, text: str, host: str, port: int) -> Phone:
        return self._start(name, text, host, port, ["-m", "1"], True)

    def seat(
        self, seat: str, after: float | None = None, *acts: Act, manner: Manner = "answer", early_media: bool = False
    ) -> Phone:
        """The phone of a seat: answers after *after* seconds and does *acts*; None: rings until cancelled."""
        if seat in self.seats:
            self.seats.pop(seat).stop()
        text = scenario.seat(self._voice("seat"), manner, after, acts or (Talk(3600),), early_media)
        phone = self._start(f"seat-{seat}", text, HOST, self.server.ports[f"SEAT{seat}"], [], False)
        self.seats[seat] = phone
        return phone

    def line(
        self, after: float | None = None, *acts: Act, manner: Manner = "answer", early_media: bool = False
    ) -> Phone:
        """The far end of the trunk: whoever is called from here."""
        text = scenario.seat(self._voice("customer"), manner, after, acts or (Talk(3600),), early_media)
        return self._start("line", text, TRUNK_HOST, self.server.ports["TRUNK"], [], False)

    def _voice(self, who: str) -> str:
        return str(self.voices.get(who, ""))

    def _start(self, name: str, text: str, host: str, port: int, more: Sequence[str], calling: bool) -> Phone:
        self.count += 1
        name = f"{self.count:02}-{name}"
        self.folder.mkdir(parents=True, exist_ok=True)
        path = self.folder / f"{name}.xml"
        path.write_bytes(text.encode("utf-8", "surrogateescape"))
        media = self.server.block.take(8, host)
        command = [
            "sipp",
            f"{HOST}:{self.server.ports['SIP']}",
            "-sf",
            str(path),
            "-i",
            host,
            "-p",
            str(port),
            "-mi",
            host,
            "-mp",
            str(media),
            "-nostdin",
            "-aa",
            "-trace_shortmsg",
            "-shortmessage_file",
            str(self.folder / f"{name}.msg"),
            "-trace_err",
            "-error_file",
            str(self.folder / f"{name}.err"),
            *more,
        ]
        self.reap()
        with (self.folder / f"{name}.out").open("wb") as out:
            process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=out, stderr=out, cwd=self.folder, start_new_session=True
            )
        phone = Phone(name, self.folder, process, calling)
        self.running.append(phone)
        if not calling:
            self._wait_listening(phone, host, port)
        return phone

    def _wait_listening(self, phone: Phone, host: str, port: int) -> None:
        wanted = f"{_hex(host)}:{port:04X}"
        deadline = time.monotonic() + 5
        while time.monotonic() < deadline and phone.process.poll() is None:
            if wanted in Path("/proc/net/udp").read_text():
                return
            time.sleep(0.02)
        raise PhoneFailed(f"phone {phone.name} does not listen: {phone.errors()}")

    def reap(self) -> None:
        """Takes leave of the phones whose call is over: else each stays in the process table until the end."""
        self.running = [phone for phone in self.running if phone.process.poll() is None]

    def stop(self) -> None:
        for phone in self.running:
            phone.stop()
        self.running.clear()
        self.seats.clear()


def _hex(host: str) -> str:
    return "".join(f"{int(part):02X}" for part in reversed(host.split(".")))


__all__ = ["Act", "Hangup", "Moment", "Phone", "PhoneFailed", "Phones", "Talk"]
