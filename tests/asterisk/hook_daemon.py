"""The hooks alone, as a process of their own that a test can stop, kill and ask: ``hook_daemon.py SETTINGS FACTS``.

Prints its two ports as one JSON line; every event that a hook submits becomes one line of the file FACTS.
"""

import asyncio
import json
import sys
import time
from collections import Counter
from pathlib import Path

from aiohttp import web

from callcenter.ami.events import Event
from callcenter.clock import Clock
from callcenter.hooks.desk import Became, Hooks
from callcenter.settings import Queue, Settings, load
from callcenter.web.fastagi import FastAgi
from callcenter.web.hooks_in import add_routes

SEATS = {"1001": "15", "1002": "28"}


class Desk:
    def __init__(self, settings: Settings, facts: Path) -> None:
        self.settings = settings
        self.facts = facts

    def queue(self, name: str) -> Queue:
        return self.settings.queue(name)

    def seat(self, extension: str) -> str | None:
        return SEATS.get(extension)

    def pause_recording(self, linkedid: str, paused: bool) -> Became:
        with self.facts.with_suffix(".paused").open("a", encoding="utf-8") as file:
            file.write(json.dumps([linkedid, paused]) + "\n")
        return "asked" if paused else "no_call"

    def now(self) -> float:
        return time.time()

    def keeps_ladder(self) -> bool:
        return True

    def submit(self, event: Event) -> None:
        with self.facts.open("a", encoding="utf-8") as file:
            file.write(json.dumps([type(event).__name__, *event]) + "\n")


async def main(settings: Settings, facts: Path) -> None:
    results: Counter[str] = Counter()

    def observe(hook: str, result: str) -> None:
        results[f"{hook} {result}"] += 1
        facts.with_suffix(".results").write_text(json.dumps(results))

    hooks = Hooks(settings, Desk(settings, facts), observe, Clock())
    app = web.Application()
    add_routes(app, hooks)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    agi = FastAgi(hooks)
    await agi.start()
    print(json.dumps({"http": runner.addresses[0][1], "agi": agi.port}), flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(load(Path(sys.argv[1]), {}), Path(sys.argv[2])))
