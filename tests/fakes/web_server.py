"""The real web server over the in-memory stand-in, as a process of its own, so that a test can kill -9 it.

``python -m tests.fakes.web_server PORT CONTROL_PORT FOLDER [roster]``: pages on PORT, a control door on CONTROL_PORT
that plays the pipeline (POST /put with a story, /link, /seat, /scene, /screen, /actions). Both on loopback.
"""

import asyncio
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from aiohttp import web

from callcenter.rules.cadence import BY_COUNTRY
from callcenter.web.doors import serve
from callcenter.web.health_ports import Part, Unobserved
from callcenter.web.hearing_ports import Heard, HeardLine, HeardPhrase
from callcenter.web.live import Hub
from callcenter.web.ports import Link, LinkState, Phone
from callcenter.web.render import WebOptions
from callcenter.web.server import make_app
from callcenter.web.sessions import token_hash
from callcenter.web.wallboard import SCREENS, Screens
from tests.fakes import calls as story
from tests.fakes import morning, wallboard_scene
from tests.fakes.roster import Planned, turn
from tests.fakes.roster import stage as stage_roster
from tests.fakes.web import (
    FAST_HASHER,
    Doctor,
    Ear,
    Memory,
    Telephone,
    ports,
    until_ended,
)

OPTIONS = WebOptions(
    "远信服务",
    ZoneInfo("Asia/Shanghai"),
    BY_COUNTRY["cn"],
    categories=("打印", "网络", "账号", "应用系统"),
    hotline_number="4008001234",
    target_share=0.85,
)


class Control:
    """Plays stories of calls into the memory and tells the hub, as the pipeline does after its commit."""

    def __init__(
        self, memory: Memory, hub: Hub, telephone: Telephone, ear: Ear | None = None, doctor: Doctor | None = None
    ) -> None:
        self.doctor = doctor or Doctor()
        self.planned: Planned | None = None
        self.screens: Screens | None = None
        self.memory, self.hub, self.telephone, self.ear = memory, hub, telephone, ear or Ear()

    def say(self, seat: str, call_id: str, *lines: tuple[str, str], **more: Any) -> None:
        """Live transcription: (speaker, text) each; the last is a guess. ``said``, ``forbidden``: phrases."""
        now = self.memory.now()
        heard = [HeardLine(who, text, now, n == len(lines)) for n, (who, text) in enumerate(lines, 1)]
        phrases = [HeardPhrase(name, "B7", "required", "", False) for name in more.pop("said", ())]
        phrases += [HeardPhrase("refusal", "B8", "forbidden", text, False) for text in more.pop("forbidden", ())]
        self.ear.by_seat[seat] = Heard(call_id, more.pop("state", "listening"), tuple(heard), tuple(phrases), **more)
        self.hub.heard(seat)

    async def on_say(self, request: web.Request) -> web.Response:
        body = await request.json()
        self.say(body.pop("seat"), body.pop("call_id"), *body.pop("lines"), **body)
        return web.json_response({})

    def put(self, step: str, call_id: str, **facts: Any) -> int:
        now = self.memory.now() - facts.pop("ago", 0.0)
        known = self.memory.calls_by_id.get(("pbx", call_id))
        made = {
            "ringing": lambda: story.ringing(now, call_id=call_id, **facts),
            "talking": lambda: story.talking(known, now),  # type: ignore[arg-type]
            "held": lambda: story.held(known, now),  # type: ignore[arg-type]
            "retrieved": lambda: story.retrieved(known, now),  # type: ignore[arg-type]
            "ended": lambda: story.ended(known, now),  # type: ignore[arg-type]
            "abandoned": lambda: story.abandoned(known, now),  # type: ignore[arg-type]
        }[step]()
        before = self.memory.put(made)
        self.hub.call_changed(before, made)
        return next(one.ticket_id for one in self.memory.tickets.values() if one.call_id == call_id)

    async def on_put(self, request: web.Request) -> web.Response:
        body = await request.json()
        return web.json_response({"ticket": self.put(body.pop("step"), body.pop("call_id"), **body)})

    async def on_link(self, request: web.Request) -> web.Response:
        body = await request.json()
        self.memory.link_state = Link(LinkState(body["state"]), self.memory.now(), "", "")
        self.hub.board_changed()
        return web.json_response({})

    async def on_seat(self, request: web.Request) -> web.Response:
        body = await request.json()
        seat = self.memory.seat_states[body["extension"]]
        changes = {"phone": Phone(body["phone"])} if "phone" in body else {"paused": body["paused"]}
        self.memory.seat_states[seat.extension] = replace(seat, **changes, since=self.memory.now())
        self.hub.seat_changed(seat.extension)
        return web.json_response({})

    async def on_health(self, request: web.Request) -> web.Response:
        """{"parts": [Part's fields...], "gaps": [Unobserved's fields...]}: what /readyz and the status page tell."""
        body = await request.json()
        self.doctor.found = [Part(**fields) for fields in body["parts"]]
        self.doctor.gaps = [Unobserved(**fields) for fields in body.get("gaps", ())]
        return web.json_response({})

    async def on_scene(self, request: web.Request) -> web.Response:
        """A whole hotline, for the wallboard. ``tiles``: as a site has it that chooses these;
        ``variant``: as one whose contract counts the service level so."""
        body = await request.json()
        wallboard_scene.stage(body["name"], self.memory)
        if "tiles" in body and self.screens is not None:
            wallboard_scene.choose(self.screens, *body["tiles"])
        if "variant" in body and self.screens is not None:
            wallboard_scene.count(self.screens, body["variant"])
        if self.planned is not None:
            stage_roster(self.planned)
        self.hub.board_changed()
        return web.json_response({})

    async def on_late(self, request: web.Request) -> web.Response:
        """``{"seats": 3}``: so many more, whom nobody has seen, in a shift that has just begun."""
        assert self.planned is not None
        now = self.memory.now()
        seats = [f"29{n:02}" for n in range((await request.json())["seats"])]
        self.planned.turns.append(turn("加班", now - 5, now + 3600, *seats))
        self.hub.board_changed()
        return web.json_response({})

    async def on_screen(self, request: web.Request) -> web.Response:
        """``{"token": ..., "name": ...}``: a wallboard link; without a name it is revoked."""
        body = await request.json()
        self.memory.links.pop(token_hash(body["token"]), None)
        if "name" in body:
            self.memory.links[token_hash(body["token"])] = body["name"]
        return web.json_response({})

    async def on_forget(self, request: web.Request) -> web.Response:
        """Every session ran out."""
        self.memory.sessions.clear()
        return web.json_response({})

    async def on_actions(self, request: web.Request) -> web.Response:
        self.telephone.actions = frozenset(await request.json())
        return web.json_response(self.telephone.asked)

    async def on_ticket(self, request: web.Request) -> web.Response:
        ticket = self.memory.tickets[int(request.match_info["ticket"])]
        promises = [one.text for one in ticket.promises]
        facts = {
            "fields": dict(ticket.fields),
            "version": ticket.version,
            "status": ticket.status,
            "promises": promises,
        }
        return web.json_response(facts)

    async def on_save(self, request: web.Request) -> web.Response:
        body = await request.json()
        saved = await self.memory.save_fields(body["ticket"], body["fields"], body["by"], 10**9, "elsewhere")
        self.hub.ticket_changed(saved.ticket.ticket_id, saved.ticket.seat)
        return web.json_response({})


async def main(port: int, control_port: int, folder: Path, roster: bool = False) -> None:
    memory, hub = Memory(morning.now, folder / "journal"), Hub()
    telephone = Telephone(memory=memory)
    ear = Ear()
    house = ports(memory, telephone, folder, ear)
    assert isinstance(house.health, Doctor)
    planned = Planned(memory) if roster else None
    house = replace(house, roster=planned)
    app = make_app(house, OPTIONS, hub, morning.now, hasher=FAST_HASHER)
    control, door = Control(memory, hub, telephone, ear, house.health), web.Application()
    control.planned, control.screens = planned, app[SCREENS]
    door.router.add_post("/health", control.on_health)
    door.router.add_post("/say", control.on_say)
    door.router.add_post("/put", control.on_put)
    door.router.add_post("/link", control.on_link)
    door.router.add_post("/scene", control.on_scene)
    door.router.add_post("/late", control.on_late)
    door.router.add_post("/screen", control.on_screen)
    door.router.add_post("/seat", control.on_seat)
    door.router.add_post("/forget", control.on_forget)
    door.router.add_post("/actions", control.on_actions)
    door.router.add_post("/save", control.on_save)
    door.router.add_get("/ticket/{ticket}", control.on_ticket)
    runners = [await serve(app, "127.0.0.1", port), await serve(door, "127.0.0.1", control_port)]
    await until_ended(*runners)


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3]), "roster" in sys.argv[4:]))
