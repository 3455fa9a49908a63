"""The whole daemon as a process beside a scripted Asterisk: for faults that a real Asterisk does not show on demand."""

import asyncio
import itertools
import json
import os
import signal
import threading
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from tests.asterisk.daemon import Daemon
from tests.fakes.asterisk import FakeAsterisk
from tests.fakes.ports import free_port

_SERIAL = itertools.count(1)


class Pbx(threading.Thread):
    """``FakeAsterisk`` in a loop of its own, for tests that wait for processes."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.fake = FakeAsterisk()
        self._listens = threading.Event()
        self._ends: asyncio.Event
        self.loop: asyncio.AbstractEventLoop
        self.start()
        assert self._listens.wait(10)

    def run(self) -> None:
        async def main() -> None:
            self.loop, self._ends = asyncio.get_running_loop(), asyncio.Event()
            async with self.fake:
                self._listens.set()
                await self._ends.wait()

        asyncio.run(main())

    def __enter__(self) -> "Pbx":
        return self

    def __exit__(self, *_: object) -> None:
        self.loop.call_soon_threadsafe(self._ends.set)
        self.join(10)

    def do(self, what: Callable[..., Any], *arguments: Any) -> Any:
        """Calls ``what`` in the server's own loop."""

        async def call() -> Any:
            return what(*arguments)

        return asyncio.run_coroutine_threadsafe(call(), self.loop).result(30)

    def calls(self, count: int, ended: bool = True) -> list[str]:
        """Sends calls that a seat answers; their ids."""
        told = [_call(self.fake, next(_SERIAL), ended) for _ in range(count)]
        self.do(self.fake.send, b"".join(data for _, data in told))
        return [call_id for call_id, _ in told]


def _call(pbx: FakeAsterisk, serial: int, ended: bool) -> tuple[str, bytes]:
    call_id, other = f"lab-1795000000.{serial * 10}", f"lab-1795000000.{serial * 10 + 1}"
    seat = f"10{serial % 20:02d}"
    number = ("CallerIDNum", f"138{serial:08d}")
    caller = [("Channel", f"PJSIP/trunk-{serial:08x}"), ("Uniqueid", call_id), ("Linkedid", call_id)]
    phone = [("Channel", f"PJSIP/{seat}-{serial:08x}"), ("Uniqueid", other), ("Linkedid", call_id)]
    dialled = [(f"Dest{name}", value) for name, value in phone]
    up, bridge = ("ChannelStateDesc", "Up"), ("BridgeUniqueid", f"b-{serial}")
    events = [
        pbx.event("Newchannel", *caller, ("ChannelStateDesc", "Ring"), number, ("Exten", "support")),
        pbx.event("Newchannel", *phone, ("ChannelStateDesc", "Down")),
        pbx.event("DialBegin", *caller, *dialled, ("DialString", seat)),
        pbx.event("Newstate", *phone, ("ChannelStateDesc", "Ringing")),
        pbx.event("Newstate", *phone, up),
        pbx.event("BridgeEnter", *caller, bridge),
        pbx.event("BridgeEnter", *phone, bridge),
    ]
    if ended:
        events += [pbx.event("HangupRequest", *caller), *(pbx.event("Hangup", *leg) for leg in (phone, caller))]
    return call_id, b"".join(events)


def daemon_of(folder: Path, pbx: Pbx, settings: str = "", store: str = "") -> Daemon:
    """The daemon, not started. ``store``: another ``store.url`` than a file in its folder."""
    folder.mkdir(exist_ok=True)
    (folder / "recordings").mkdir()
    server = SimpleNamespace(
        secret=pbx.fake.secret,
        ports={"AMI": pbx.fake.port},
        cdr_file=folder / "cdr.csv",
        recordings=folder / "recordings",
    )
    lab = SimpleNamespace(
        folder=folder, daemon_port=free_port(), agi_port=free_port(), hooks_token="token-0123456789", server=server
    )
    daemon = Daemon(lab, settings)  # type: ignore[arg-type]
    if store:
        own = f"sqlite:///{daemon.folder}/callcenter.db"
        daemon.config.write_text(daemon.config.read_text().replace(own, store))
    return daemon


def parts(daemon: Daemon) -> dict[str, dict[str, Any]]:
    """What /readyz says, by the name of the part."""
    try:
        with urllib.request.urlopen(daemon.address + "/readyz", timeout=10) as answer:
            told = answer.read()
    except urllib.error.HTTPError as refusal:
        told = refusal.read()
    return {part["name"]: part for part in json.loads(told)["parts"]}


def open_files(daemon: Daemon) -> int:
    assert daemon.process is not None
    return len(os.listdir(f"/proc/{daemon.process.pid}/fd"))


def memory_mb(daemon: Daemon) -> int:
    """Resident memory."""
    assert daemon.process is not None
    for line in Path(f"/proc/{daemon.process.pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) // 1024
    raise AssertionError("the daemon has ended")


@contextmanager
def started(daemon: Daemon, **how: Any) -> Iterator[Daemon]:
    """Until the block ends, whatever was done to it there."""
    try:
        daemon.start(**how)
        yield daemon
    finally:
        if daemon.process is not None:
            daemon.process.send_signal(signal.SIGCONT)
        daemon.stop()
