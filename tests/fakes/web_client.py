"""The web application in this process and a browser-like client that logs in and sends the token."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
from aiohttp.test_utils import TestClient, TestServer

from callcenter.web.live import Hub
from callcenter.web.render import WebOptions
from callcenter.web.server import make_app
from tests.fakes import morning
from tests.fakes.web import FAST_HASHER, PASSWORD, Ear, Memory, Shelf, Telephone, ports
from tests.fakes.web_server import OPTIONS, Control


@dataclass
class Site:
    """A running application and everything behind it."""

    memory: Memory
    hub: Hub
    telephone: Telephone
    control: Control
    server: TestServer
    ear: Ear
    clients: list[TestClient[Any, Any]] = field(default_factory=list)
    shelf: Shelf = field(default_factory=Shelf)

    async def visitor(self) -> TestClient[Any, Any]:
        client = TestClient(TestServer(self.server.app), cookie_jar=aiohttp.CookieJar(unsafe=True))
        client._server = self.server
        self.clients.append(client)
        return client

    async def signed_in(self, name: str = "li") -> "Person":
        client = await self.visitor()
        answer = await log_in(client, name, PASSWORD)
        assert answer.status == 303, answer.status
        page = await (await client.get("/tickets")).text()
        return Person(client, found(r'name="csrf-token" content="([^"]+)"', page))


@dataclass
class Person:
    """A signed-in browser."""

    client: TestClient[Any, Any]
    csrf: str

    async def get(self, path: str, **more: Any) -> aiohttp.ClientResponse:
        more.setdefault("headers", {"Accept": "text/html"})
        return await self.client.get(path, allow_redirects=False, **more)

    async def post(self, path: str, body: Any = None, **headers: str) -> aiohttp.ClientResponse:
        origin = str(self.client.make_url("")).rstrip("/")
        sent = {"X-CSRF-Token": self.csrf, "Origin": origin, "Accept": "application/json"} | headers
        return await self.client.post(path, json=body, headers=sent, allow_redirects=False)


def found(pattern: str, text: str) -> str:
    match = re.search(pattern, text)
    assert match is not None, f"{pattern} is not on the page"
    return match[1]


async def log_in(client: TestClient[Any, Any], name: str, password: str, **more: Any) -> aiohttp.ClientResponse:
    page = await (await client.get("/login")).text()
    data = {"key": found(r'name="key" value="([^"]+)"', page), "name": name, "password": password}
    return await client.post("/login", data=data, allow_redirects=False, **more)


@asynccontextmanager
async def site(
    folder: Path | None = None, options: WebOptions = OPTIONS, now: Any = morning.now, **more: Any
) -> AsyncIterator[Site]:
    memory, hub, telephone, ear, shelf = Memory(now), Hub(), Telephone(), Ear(), Shelf(folder)
    telephone.memory = memory
    app = make_app(ports(memory, telephone, None, ear, shelf), options, hub, now, hasher=FAST_HASHER, **more)
    server = TestServer(app)
    await server.start_server()
    here = Site(memory, hub, telephone, Control(memory, hub, telephone, ear), server, ear, shelf=shelf)
    try:
        yield here
    finally:
        for client in here.clients:
            await client.session.close()
        await server.close()
