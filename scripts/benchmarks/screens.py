"""Child: wallboards. Each holds the real /wallboard/live stream, opened by a link, and notes when each push was whole.

As cheap as can be, because it runs on the same cores as the daemon: a screen notes the moment and the push, in the
order of coming; all screens get the same bytes, so each push is read once, at the end. What a browser needs to draw it
is not in these figures.
"""

import asyncio
import json
import re
import sys
import time
import zlib
from urllib.parse import urlsplit

from benchmarks.measure import say, until_told

_CALLS = re.compile(r'<div class="mid num">([0-9]+)</div>')
GZIP_HEADER = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff"


class Screen(asyncio.Protocol):
    """One stream. ``told``: (when it was whole, which push) of each; pushes are chunks of the body."""

    def __init__(self, request: bytes, pushes: dict[bytes, int], greeted: asyncio.Semaphore) -> None:
        self._request, self._pushes, self._greeted = request, pushes, greeted
        self._rest = b""
        self._in_body = False
        self.told: list[tuple[float, int]] = []
        self.gone = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        transport.write(self._request)

    def data_received(self, data: bytes) -> None:
        received_at = time.monotonic()
        self._rest += data
        if not self._in_body:
            head, end, rest = self._rest.partition(b"\r\n\r\n")
            if not end:
                return
            assert head.startswith(b"HTTP/1.1 200 "), head.partition(b"\r\n")[0]
            self._in_body, self._rest = True, rest
            self._greeted.release()
        while (border := self._rest.find(b"\r\n")) >= 0:
            whole = border + 2 + int(self._rest[:border], 16)
            if len(self._rest) < whole + 2:
                return
            push, self._rest = self._rest[border + 2 : whole], self._rest[whole + 2 :]
            self.told.append((received_at, self._pushes.setdefault(push, len(self._pushes))))

    def connection_lost(self, error: Exception | None) -> None:
        self.gone.set_result(error)


async def watch(screen: Screen, host: str, port: int) -> None:
    await asyncio.get_running_loop().create_connection(lambda: screen, host, port)
    await screen.gone
    raise ConnectionError("the daemon closed a screen's stream")


def plain(push: bytes) -> bytes:
    """What was sent, inflated by itself: a push reads the same to a screen that has seen another past."""
    if push.startswith(b"event: "):
        return push
    return zlib.decompressobj(-zlib.MAX_WBITS).decompress(push.removeprefix(GZIP_HEADER))


def read(push: bytes) -> dict[str, object]:
    """What a push shows of the day: how many calls were counted, the last figure of its part."""
    text = plain(push)
    shown: dict[str, object] = {"bytes": len(push), "plain": len(text), "calls": None}
    for event in text.decode().split("\n\n"):
        kind, _, data = event.partition("\ndata: ")
        if kind == "event: parts":
            parts = json.loads(data)["parts"]
            found = _CALLS.findall(parts.get("lost", ""))
            shown["calls"] = int(found[-1]) if found else None
    return shown


def one_stream(pushes: list[bytes]) -> bool:
    """Whether a browser, which inflates one stream without end, reads the same."""
    if not pushes[0].startswith(GZIP_HEADER):
        return all(push.startswith(b"event: ") for push in pushes)
    stream = zlib.decompressobj(zlib.MAX_WBITS | 16)
    return all(stream.decompress(push) == plain(push) for push in pushes)


async def main(address: str, token: str, screens: int) -> None:
    where = urlsplit(address)
    request = (
        f"GET /wallboard/live HTTP/1.1\r\nHost: {where.netloc}\r\nAccept: text/event-stream\r\n"
        f"Accept-Encoding: gzip, deflate\r\nCookie: cc_wall={token}\r\n\r\n"
    ).encode()
    greeted, pushes = asyncio.Semaphore(0), dict[bytes, int]()
    opened = [Screen(request, pushes, greeted) for _ in range(screens)]
    tasks = [asyncio.create_task(watch(one, where.hostname or "", where.port or 80)) for one in opened]
    await until_told(tasks, greeted)
    known = list(pushes)
    say(
        told=[one.told for one in opened],
        shown=[read(push) for push in known],
        whole=all(one_stream([known[number] for _, number in one.told]) for one in opened[:3]),
    )


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2], int(sys.argv[3])))
