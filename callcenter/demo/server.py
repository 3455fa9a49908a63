"""One real Asterisk in a folder of its own, with this project's dialplans.

Place on the path of a call: everything before the first AMI byte. It promises free ports on loopback, a start that
returns only when Asterisk is fully booted, and an end that leaves no process behind, whatever happened in between.
It never touches the system's Asterisk, its configuration or its ports.
"""

from __future__ import annotations

import os
import re
import secrets
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

SEATS = ("1001", "1002", "1003", "1004", "2001", "3001")
HOST = "127.0.0.1"
TRUNK_HOST = "127.0.0.2"
BOOT_SECONDS = 60.0


class AsteriskMissing(RuntimeError):
    """No Asterisk to run; the text says how to get one."""


@dataclass(frozen=True, slots=True)
class Program:
    """An Asterisk that can be run: its binary, and the folders which its configuration must name."""

    binary: Path
    modules: Path
    data: Path
    indications: Path


def find_program(environment: Mapping[str, str] = os.environ) -> Program:
    """The Asterisk named by CALLCENTER_ASTERISK (a binary) or CALLCENTER_ASTERISK_ROOT (made by scripts/asterisk)."""
    binary = environment.get("CALLCENTER_ASTERISK", "")
    root = environment.get("CALLCENTER_ASTERISK_ROOT", "")
    if binary:
        return _program(Path(binary), Path("/"))
    if root:
        return _program(Path(root) / "asterisk", Path(root))
    installed = shutil.which("asterisk")
    if installed:
        return _program(Path(installed), Path("/"))
    raise AsteriskMissing(
        "no Asterisk found: run scripts/asterisk TARGET and set CALLCENTER_ASTERISK_ROOT=TARGET, "
        "or set CALLCENTER_ASTERISK to the binary of an installed one"
    )


def _program(binary: Path, root: Path) -> Program:
    if not os.access(binary, os.X_OK):
        raise AsteriskMissing(f"{binary} is no Asterisk that can be run; scripts/asterisk makes one")
    modules = _first(
        root, ["usr/lib/*-linux-gnu/asterisk/modules", "usr/lib/asterisk/modules", "usr/lib64/asterisk/modules"]
    )
    data = _first(root, ["usr/share/asterisk", "var/lib/asterisk"])
    return Program(binary.absolute(), modules, data, root.absolute() / "etc/asterisk/indications.conf")


def _first(root: Path, patterns: Iterable[str]) -> Path:
    for pattern in patterns:
        for found in sorted(root.glob(pattern)):
            return found.absolute()
    raise AsteriskMissing(f"the Asterisk below {root} has none of {', '.join(patterns)}")


class Ports:
    """A block of neighbouring ports that no other lab on this machine uses, below the system's own ephemeral range.

    The first port of the block is held as long as the block is: that is what keeps two labs apart.
    """

    FIRST, SIZE, LAST = 10240, 1024, 31744

    def __init__(self) -> None:
        blocks = list(range(self.FIRST, self.LAST, self.SIZE))
        start = secrets.randbelow(len(blocks))
        for base in blocks[start:] + blocks[:start]:
            lock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            try:
                lock.bind((HOST, base))
            except OSError:
                lock.close()
                continue
            self.base, self.lock, self.next = base, lock, 0
            return
        raise RuntimeError(f"every block of ports between {self.FIRST} and {self.LAST} is taken")

    def take(self, count: int = 1, host: str = HOST, kinds: Sequence[int] = (socket.SOCK_DGRAM,)) -> int:
        """The first of *count* neighbouring ports, beginning at an even one, that nobody has at the moment."""
        for _ in range(self.SIZE):
            first = self.base + 2 + self.next
            self.next = (self.next + count + count % 2) % (self.SIZE - 128)
            if first + count <= self.base + self.SIZE and all(
                _free(host, port, kind) for port in range(first, first + count) for kind in kinds
            ):
                return first
        raise RuntimeError(f"no {count} neighbouring ports are free in the block at {self.base}")

    def close(self) -> None:
        self.lock.close()


def _free(host: str, port: int, kind: int) -> bool:
    with socket.socket(socket.AF_INET, kind) as sock:
        if kind == socket.SOCK_STREAM:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            sock.bind((host, port))
        except OSError:
            return False
        return True


def dialplans_folder() -> Path:
    """The dialplans of the checkout that this package is installed from, or the folder CALLCENTER_DIALPLANS names."""
    named = os.environ.get("CALLCENTER_DIALPLANS")
    folder = Path(named) if named else Path(__file__).resolve().parents[2] / "dialplans"
    if not (folder / "standalone" / "asterisk.conf").exists():
        raise AsteriskMissing(
            f"no dialplans in {folder}; point CALLCENTER_DIALPLANS to the dialplans folder of a checkout"
        )
    return folder


@dataclass
class AsteriskServer:
    """A real Asterisk in *folder*. Use it as a context manager, or call start() and stop()."""

    folder: Path
    program: Program
    name: str = "pbx"
    extra: Sequence[Path] = ()
    hooks: str = ""
    """"curl" or "agi": include the examples that ask a daemon at HOOKSURL or HOOKSAGI."""
    variables: Mapping[str, str] = field(default_factory=dict)
    secret: str = field(default_factory=lambda: secrets.token_hex(16))
    ports: dict[str, int] = field(default_factory=dict)
    process: subprocess.Popen[bytes] | None = None
    block: Ports = field(default_factory=Ports)

    @property
    def ami(self) -> tuple[str, int]:
        return HOST, self.ports["AMI"]

    @property
    def cdr_file(self) -> Path:
        return self.folder / "log" / "cdr-custom" / "callcenter.csv"

    @property
    def queue_log_file(self) -> Path:
        return self.folder / "log" / "queue_log"

    @property
    def recordings(self) -> Path:
        return self.folder / "spool" / "monitor"

    @property
    def prompts(self) -> Path:
        return self.folder / "sounds"

    @property
    def log_file(self) -> Path:
        return self.folder / "log" / "full"

    def __enter__(self) -> AsteriskServer:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def version(self) -> tuple[int, int]:
        """Major and minor number of the program."""
        done = subprocess.run([self.program.binary, "-V"], capture_output=True, text=True, timeout=30, check=True)
        found = re.search(r"(\d+)\.(\d+)", done.stdout)
        if found is None:
            raise AsteriskMissing(f"{self.program.binary} does not tell its version")
        return int(found[1]), int(found[2])

    def start(self) -> None:
        """Fill the configuration, start Asterisk, and return when it is fully booted."""
        self.configure()
        self.spawn()

    def configure(self) -> None:
        self._choose_ports()
        for name in (
            "etc",
            "lib/keys",
            "run",
            "log/cdr-csv",
            "log/cdr-custom",
            "log/cel-custom",
            "spool/monitor",
            "spool/tmp",
            "spool/outgoing",
            "agi-bin",
            "sounds",
        ):
            (self.folder / name).mkdir(parents=True, exist_ok=True)
        dialplans = dialplans_folder()
        values = self._values()
        asked = [dialplans / "examples" / f"extensions-{name}.conf" for name in ("hooks", self.hooks) if self.hooks]
        for source in [*dialplans.glob("*.conf"), *dialplans.glob("standalone/*.conf"), *asked, *self.extra]:
            self._fill(source, values)
        shutil.copy(self.program.indications, self.folder / "etc" / "indications.conf")
        self._certificate()

    def _choose_ports(self) -> None:
        if self.ports:
            return
        block = self.block
        tcp = (socket.SOCK_STREAM,)
        self.ports = {
            "SIP": block.take(),
            "TRUNK": block.take(host=TRUNK_HOST),
            **{f"SEAT{seat}": block.take() for seat in SEATS},
            "AMI": block.take(kinds=tcp),
            "AMITLS": block.take(kinds=tcp),
            "HTTP": block.take(kinds=tcp),
        }
        first = block.take(300)
        self.ports |= {"RTPFIRST": first, "RTPLAST": first + 299}

    def _values(self) -> dict[str, str]:
        values = {
            "RUN": str(self.folder),
            "MODULES": str(self.program.modules),
            "DATA": str(self.program.data),
            "MOH": str(self.program.data / "moh"),
            "NAME": self.name,
            "SECRET": self.secret,
            "MANAGER": "manager-callcenter.conf" if self.version() >= (20, 11) else "manager-callcenter-legacy.conf",
            "HOOKSURL": "",
            "HOOKSAGI": "",
            "HOOKSTOKEN": "",
        }
        return values | {key: str(port) for key, port in self.ports.items()} | dict(self.variables)

    def _fill(self, source: Path, values: Mapping[str, str]) -> None:
        text = source.read_text(encoding="utf-8")
        for key, value in values.items():
            text = text.replace(f"@{key}@", value)
        target = self.folder / "etc" / source.name
        target.touch(mode=0o600)
        target.write_text(text, encoding="utf-8")

    def _certificate(self) -> None:
        etc = self.folder / "etc"
        if (etc / "ami.pem").exists():
            return
        subprocess.run(
            [
                "openssl",
                "req",
                "-x509",
                "-newkey",
                "rsa:2048",
                "-nodes",
                "-days",
                "3650",
                "-subj",
                f"/CN={HOST}",
                "-addext",
                f"subjectAltName=IP:{HOST},DNS:localhost",
                "-keyout",
                etc / "ami.key",
                "-out",
                etc / "ami.pem",
            ],
            check=True,
            capture_output=True,
        )

    def spawn(self) -> None:
        """Start the process with the configuration as it is, and wait until it is fully booted."""
        with (self.folder / "log" / "console").open("ab") as console:
            self.process = subprocess.Popen(
                [self.program.binary, "-C", self.folder / "etc" / "asterisk.conf", "-f"],
                stdin=subprocess.DEVNULL,
                stdout=console,
                stderr=console,
                start_new_session=True,
            )
        try:
            self.wait_booted()
        except BaseException:
            self.stop()
            raise

    def wait_booted(self) -> None:
        """Return when Asterisk is fully booted; RuntimeError when it ended or took longer than BOOT_SECONDS."""
        deadline = time.monotonic() + BOOT_SECONDS
        while time.monotonic() < deadline:
            if self.process is not None and self.process.poll() is not None:
                break
            if "fully booted" in self.cli("core waitfullybooted", check=False):
                return
            time.sleep(0.1)
        raise RuntimeError(f"Asterisk did not start; its last words are in {self.folder}/log")

    def cli(self, command: str, check: bool = True) -> str:
        """The output of one command of Asterisk's own console."""
        done = subprocess.run(
            [self.program.binary, "-C", self.folder / "etc" / "asterisk.conf", "-rx", command],
            capture_output=True,
            timeout=30,
            check=False,
        )
        if check and done.returncode:
            raise RuntimeError(f"the console refused {command!r}: {done.stdout.decode(errors='replace')}")
        return done.stdout.decode(errors="replace")

    def kill(self) -> None:
        """kill -9, as a power cut would."""
        if self.process is not None:
            self.process.kill()
            self.process.wait(10)
            self.process = None

    def stop(self) -> None:
        """End the process: politely at first, after ten seconds not."""
        process, self.process = self.process, None
        if process is None or process.poll() is not None:
            return
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(10)
