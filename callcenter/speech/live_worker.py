"""The child process that listens, watched: started, listened to, killed when it hangs, started again.

Place on the path of a call: beside it, in the daemon. ``speech/live`` gives orders and is told what was heard.
Promises: everything here is asynchronous and bounded, so that a child that hangs, dies or talks nonsense costs the
daemon nothing but the words; pauses between starts grow to a minute; no child is left behind.
Never: loads a model or touches sound in the daemon's own process.
"""

import asyncio
import json
import logging
import sys
from collections.abc import Callable, Sequence
from typing import Any

log = logging.getLogger(__name__)

SILENCE_SECONDS = 5.0
"""A child that has not given a sign for so long is killed; it gives two a second."""
START_SECONDS = 60.0
"""A large model takes long to load."""
BUSY_SECONDS = 10.0
"""A piece of a tenth of a second on which a recogniser works for so long: it hangs."""
FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 0.5, 60.0
MAX_LINE_BYTES = 1024 * 1024


class Worker:
    """``told`` takes each message of the child; ``up`` is called when it is ready, ``down`` when it is gone."""

    def __init__(
        self,
        arguments: Sequence[str],
        told: Callable[[dict[str, Any]], None],
        up: Callable[[], None],
        down: Callable[[], None],
    ) -> None:
        self._arguments, self._told, self._up, self._down = arguments, told, up, down
        self._process: asyncio.subprocess.Process | None = None
        self.port: int | None = None
        """Where it listens; ``None`` while it does not."""
        self.reason = "It is starting."
        """Why it does not listen: one sentence."""
        self.starts = 0
        self.streams = 0

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process else None

    def order(self, message: dict[str, Any]) -> None:
        """Tell the child; nothing happens while there is none, or while it does not read."""
        stdin = self._process.stdin if self._process is not None and self.port is not None else None
        if stdin is not None and stdin.transport.get_write_buffer_size() < MAX_LINE_BYTES:
            stdin.write(json.dumps(message, ensure_ascii=False).encode() + b"\n")

    async def run(self) -> None:
        """Until cancelled."""
        pause = FIRST_PAUSE_SECONDS
        while True:
            was_ready = await self._life()
            pause = FIRST_PAUSE_SECONDS if was_ready else min(pause * 2, LONGEST_PAUSE_SECONDS)
            log.warning("live transcription: %s (next start in %.1f s)", self.reason, pause)
            await asyncio.sleep(pause)

    async def _life(self) -> bool:
        """One child from start to end; whether it was ever ready."""
        self.starts += 1
        try:
            self._process = process = await self._start()
        except OSError as error:
            self.reason = f"The recogniser cannot be started ({error.strerror})."
            return False
        ready = False
        try:
            await self._listen_to(process)
        except (TimeoutError, ValueError, LookupError, TypeError, ConnectionError):
            self.reason = "The recogniser hung or talked nonsense and was ended."
        finally:
            ready = self.port is not None
            self.port, self._process, self.streams = None, None, 0
            if process.returncode is None:
                process.kill()
                await process.wait()
            self._down()
        return ready

    async def _start(self) -> asyncio.subprocess.Process:
        return await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "callcenter.speech.live_child", *self._arguments),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            limit=MAX_LINE_BYTES,
        )

    async def _listen_to(self, process: asyncio.subprocess.Process) -> None:
        assert process.stdout is not None
        self.reason = "The recogniser ended."
        while True:
            async with asyncio.timeout(SILENCE_SECONDS if self.port is not None else START_SECONDS):
                line = await process.stdout.readline()
            if not line:
                return
            self._take(json.loads(line))

    def _take(self, message: dict[str, Any]) -> None:
        match message["kind"]:
            case "ready":
                self.port = int(message["port"])
                self._up()
            case "refused":
                self.reason = str(message["reason"])
            case "beat":
                self.streams = int(message["streams"])
                if message["busy_seconds"] > BUSY_SECONDS:
                    raise TimeoutError
            case _:
                self._told(message)
