"""The real web server over a real store with recorded calls, as a process of its own, for browser tests.

``python -m tests.fakes.review_server PORT FOLDER [reviewed]``: pages on PORT, on loopback; with ``reviewed`` after
weeks of work. Says ``ready`` when it is.
"""

import asyncio
import sys
from pathlib import Path

from callcenter.web.doors import serve
from callcenter.web.live import Hub
from callcenter.web.server import make_app
from tests.fakes import morning
from tests.fakes.review_site import fill, people, reviewed, sound, stored_ports
from tests.fakes.web import FAST_HASHER, Memory, until_ended
from tests.fakes.web_server import OPTIONS
from tests.store.places import sqlite_place


async def main(port: int, folder: Path, done: bool) -> None:
    place = sqlite_place(folder)
    fresh = not place.file.exists()
    if fresh:
        await place.migrate()
        sound(folder / "rec")
    async with place.open() as store:
        if fresh:
            await people(store)
            if done:
                await reviewed(store, morning.now())
            else:
                await fill(store, morning.now() - 3600)
        memory, hub = Memory(morning.now), Hub()
        ports = stored_ports(store, memory, folder / "rec")
        runner = await serve(make_app(ports, OPTIONS, hub, morning.now, hasher=FAST_HASHER), "127.0.0.1", port)
        await until_ended(runner)


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), Path(sys.argv[2]), sys.argv[3:] == ["reviewed"]))
