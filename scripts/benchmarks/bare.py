"""Child: the reference of the wallboards' push: bare aiohttp that writes as many bytes to as many streams, no more.

Says where it listens; told ``push BYTES EVERY_SECONDS TIMES`` it pushes, and says when each push began.
"""

import asyncio
import json
import sys
import time

from aiohttp import web

from benchmarks.measure import say

EVENT = b"event: parts\ndata: "


def numbered(number: int, size: int) -> bytes:
    """A push that the screens read as one of the daemon's."""
    parts = {"lost": f'<div class="mid num">{number}</div>', "rest": ""}
    empty = len(json.dumps({"parts": parts}))
    parts["rest"] = "x" * max(0, size - empty - len(EVENT) - 2)
    return EVENT + json.dumps({"parts": parts}).encode() + b"\n\n"


class Bare:
    def __init__(self) -> None:
        self._open: list[web.StreamResponse] = []

    async def live(self, request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream; charset=utf-8"})
        await response.prepare(request)
        await response.write(b"event: hello\ndata: {}\n\n")
        self._open.append(response)
        await asyncio.Event().wait()
        return response

    async def push(self, size: int, every_seconds: float, times: int) -> list[tuple[int, float]]:
        began: list[tuple[int, float]] = []
        for number in range(1, times + 1):
            data = numbered(number, size)
            began.append((number, time.monotonic()))
            for response in self._open:
                await response.write(data)
            await asyncio.sleep(every_seconds)
        return began


async def main() -> None:
    bare, app = Bare(), web.Application()
    app.router.add_get("/wallboard/live", bare.live)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    say(port=runner.addresses[0][1])
    told = (await asyncio.get_running_loop().run_in_executor(None, sys.stdin.readline)).split()
    say(pushed=await bare.push(int(told[1]), float(told[2]), int(told[3])))
    await asyncio.Event().wait()  # whoever started it ends it: its screens have not read all yet


if __name__ == "__main__":
    asyncio.run(main())
