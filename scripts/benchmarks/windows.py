"""Child: seats' windows. Each holds the real /live stream of a signed-in seat and notes when it is told to pop."""

import asyncio
import json
import sys
import time
from pathlib import Path

import aiohttp

from benchmarks.measure import say, until_told

Pop = tuple[str, float, float]
"""(seat, ringing since by Asterisk's clock, received at by the machine's monotonic clock)."""


async def watch(
    session: aiohttp.ClientSession, address: str, seat: str, token: str, pops: list[Pop], greeted: asyncio.Semaphore
) -> None:
    async with session.get(f"{address}/live", headers={"Cookie": f"cc_session={token}"}) as stream:
        stream.raise_for_status()
        kind, shown = b"", None
        async for line in stream.content:
            if line.startswith(b"event: "):
                kind = line[7:].strip()
            elif kind in (b"desk", b"hello") and line.startswith(b"data: "):
                received_at = time.monotonic()
                pop = json.loads(line[6:])["pop"]
                if pop and pop != shown:
                    pops.append((seat, float(pop.rpartition("/")[2]), received_at))
                shown = pop
                if kind == b"hello":
                    greeted.release()


async def main(address: str, tokens: dict[str, str]) -> None:
    pops: list[Pop] = []
    timeout = aiohttp.ClientTimeout(total=None)
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0), timeout=timeout) as session:
        greeted = asyncio.Semaphore(0)
        tasks = [asyncio.create_task(watch(session, address, *seat, pops, greeted)) for seat in tokens.items()]
        await until_told(tasks, greeted)
    say(pops=pops)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], json.loads(Path(sys.argv[2]).read_text())))
