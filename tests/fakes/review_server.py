"""The real web server over a real store with recorded calls, as a process of its own, for browser tests.

``python -m tests.fakes.review_server PORT FOLDER``: pages on PORT, on loopback. Says ``ready`` when it is.
"""

import asyncio
import sys
import time
from pathlib import Path

from callcenter.web.live import Hub
from callcenter.web.server import make_app, serve
from tests.fakes.review_site import fill, people, sound, stored_ports
from tests.fakes.web import FAST_HASHER, Memory
from tests.fakes.web_server import OPTIONS
from tests.store.places import sqlite_place


async def main(port: int, folder: Path) -> None:
    place = sqlite_place(folder)
    fresh = not place.file.exists()
    if fresh:
        await place.migrate()
        sound(folder / "rec")
    async with place.open() as store:
        if fresh:
            await people(store)
            await fill(store, time.time() - 3600)
        memory, hub = Memory(time.time), Hub()
        ports = stored_ports(store, memory, folder / "rec")
        runner = await serve(make_app(ports, OPTIONS, hub, time.time, hasher=FAST_HASHER), "127.0.0.1", port)
        print("ready", flush=True)
        try:
            await asyncio.Event().wait()
        finally:
            await runner.cleanup()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), Path(sys.argv[2])))
