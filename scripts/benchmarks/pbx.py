"""A process that plays Asterisk on loopback: answers the log-in, then sends a file at once or calls as they live.

Commands on standard input: ``flood FILE`` (its bytes as fast as they are taken), ``calls MIX PER_SECOND SECONDS
GROUPS`` (each message at its moment, one write each), ``snapshot N`` (answer the next log-in with N channels),
``seats N`` (with N members of queues, all free).
"""

import asyncio
import json
import sys
import time
from pathlib import Path

from benchmarks import traffic
from benchmarks.measure import say
from benchmarks.traffic import END
from tests.fakes.asterisk import FakeAsterisk, channel, queue_status

CHUNK_BYTES = 65_536
FIRST_SEAT = 50_000


async def main() -> None:
    lines = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(lines), sys.stdin)
    async with FakeAsterisk() as pbx:
        say(port=pbx.port, secret=pbx.secret)
        while line := (await lines.readline()).decode().split():
            match line:
                case ["flood", file]:
                    await flood(pbx, Path(file).read_bytes())
                case ["calls", mix, per_second, seconds, groups]:
                    await live(pbx, json.loads(mix), float(per_second), float(seconds), int(groups))
                case ["snapshot", count]:
                    pbx.channels = [channel(n) for n in range(int(count))]
                    say(channels=len(pbx.channels))
                case ["seats", count]:
                    seats(pbx, int(count))


async def flood(pbx: FakeAsterisk, data: bytes) -> None:
    """Whole messages at a time: a pong that falls in between must not tear one, as it does not in Asterisk."""
    (connection,) = (c for c in pbx.connections if c.logged_in)
    begin = 0
    while begin < len(data):
        border = data.find(END, begin + CHUNK_BYTES)
        end = len(data) if border < 0 else border + len(END)
        connection.send(data[begin:end])
        await connection.writer.drain()
        begin = end


def seats(pbx: FakeAsterisk, count: int) -> None:
    params, member, _ = queue_status()
    items = [params]
    for number in range(count):
        seat = str(FIRST_SEAT + number)
        items.append(member | {"Queue": f"plain{number % 8:02}", "Name": seat, "Location": f"PJSIP/{seat}",
                               "StateInterface": f"PJSIP/{seat}"})  # fmt: skip
    pbx.answers["QueueStatus"] = lambda action: pbx.listing(action, "QueueParams", items, "QueueStatusComplete")


async def live(pbx: FakeAsterisk, mix: dict[str, int], per_second: float, seconds: float, groups: int) -> None:
    """Calls arrive for ``seconds``; what runs then is left as it is. Says when each seat began to ring and when it
    rang no more, and when each call's last channel went, as (what, Asterisk's time, when it was written)."""
    rang: list[tuple[str, float, float]] = []
    quiet: list[tuple[str, float]] = []
    ended: list[tuple[float, float]] = []
    late, events = 0.0, 0
    began = time.monotonic()
    for message in traffic.messages(mix, int(per_second * seconds), per_second, groups):
        if message.at > seconds:
            break
        wait = began + message.at - time.monotonic()
        if wait > 0:
            await asyncio.sleep(wait)
        late = max(late, -wait)
        at = time.time()
        data = message.render(at)
        pbx.send(data)
        events += 1
        written_at = time.monotonic()
        if (state := traffic.seat_state(data)) is not None:
            seat, rings = state
            if rings:
                rang.append((seat, round(at, 6), written_at))
            else:
                quiet.append((seat, written_at))
        if message.ends:
            ended.append((round(at, 6), written_at))
    say(rang=rang, quiet=quiet, ended=ended, late_seconds=late, events=events)


asyncio.run(main())
