"""The real web server over a real store with two months of calls, as a process of its own, for browser tests.

``python -m tests.fakes.report_server PORT FOLDER``: pages on PORT, on loopback. Says ``ready`` when it is. Its clock
stands at noon of 2026-11-26 in Shanghai.
"""

import asyncio
import sys
from dataclasses import replace
from datetime import date
from pathlib import Path

from callcenter.web.doors import serve
from callcenter.web.live import Hub
from callcenter.web.ports import History
from callcenter.web.server import make_app
from tests.fakes import morning
from tests.fakes.report_site import SITE, TARGETS, fill
from tests.fakes.review_site import people, stored_ports
from tests.fakes.web import FAST_HASHER, Memory, until_ended
from tests.fakes.web_server import OPTIONS
from tests.store.places import sqlite_place

NOON = 1_795_665_600.0


async def main(port: int, folder: Path) -> None:
    place = sqlite_place(folder)
    await place.migrate()
    async with place.open() as store:
        await people(store)
        await fill(store, date(2026, 11, 26))
        ports = replace(
            stored_ports(store, Memory(morning.now), None), history=History(SITE, store.reports("pbx", TARGETS))
        )
        app = make_app(ports, OPTIONS, Hub(), lambda: NOON, wall=morning.now, hasher=FAST_HASHER)
        runner = await serve(app, "127.0.0.1", port)
        await until_ended(runner)


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), Path(sys.argv[2])))
