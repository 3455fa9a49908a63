"""HTTP hooks: the dialplan's CURL() comes in here.

On the path of a call: Asterisk waits for the answer while the caller waits for Asterisk.
Promises: one POST, one answer within ``deadline_ms``, as plain lines that end with ``end``; every refusal is one
sentence without an ``=`` in it, which no dialplan can take for a value; token and numbers travel in the body, never in
an address.
Never: waits for the store or the pipeline, keeps a slow sender's connection, or answers a refusal with a stack trace.
"""

import asyncio

from aiohttp import web

from callcenter.errors import BadInput
from callcenter.hooks.desk import UNKNOWN, Hooks
from callcenter.hooks.requests import Hook, hook_named
from callcenter.hooks.text import form, lines

PATH = "/hooks/{hook}"
FORM = "application/x-www-form-urlencoded"

LATE = "the request did not arrive in time: send it at once and whole"
BUSY = "too many hooks at once: go on without an answer, or raise hooks.max_sessions"
NOT_POST = "hooks take POST alone: CURL() posts when it has a second argument"
QUERY = "the address has a '?': send fields and token in the body, for addresses are logged"
KIND = f"the body is of another kind: send it as {FORM}, as CURL() does by itself"
UNREADABLE = "the body could not be read: send a plain form with its length"
TOKEN = "the token is missing or wrong: send the one in the file that hooks.token_file names"  # noqa: S105


class Refused(Exception):
    """The request is not answered: HTTP status, result for the metric, one sentence."""

    def __init__(self, status: int, result: str, sentence: str, headers: dict[str, str] | None = None) -> None:
        super().__init__(sentence)
        self.status, self.result, self.sentence, self.headers = status, result, sentence, headers


class HttpHooks:
    """The handler. Give ``handle`` to the router for ``PATH`` and every method."""

    def __init__(self, hooks: Hooks) -> None:
        self._hooks = hooks

    async def handle(self, request: web.Request) -> web.StreamResponse:
        name = request.match_info.get("hook", UNKNOWN)
        try:
            async with asyncio.timeout(self._hooks.settings.deadline_ms / 1000):
                answer = await self._admit(request, name)
        except Refused as refused:
            return await self._refuse(request, name, refused)
        except BadInput as error:
            return await self._refuse(request, name, Refused(400, "bad_request", str(error)))
        except TimeoutError:
            return await self._refuse(request, name, Refused(408, "late", LATE))
        except (web.RequestPayloadError, ConnectionError):
            return await self._refuse(request, name, Refused(400, "broken", UNREADABLE))
        self._hooks.count(name, "ok")
        return web.Response(text=answer, content_type="text/plain", charset="utf-8")

    async def _admit(self, request: web.Request, name: str) -> str:
        if not self._hooks.enter():
            raise Refused(503, "busy", BUSY)
        try:
            hook = _hook(request, name)
            fields = form(await self._body(request))
            self._authorise(request, fields)
            return lines(self._hooks.answer(hook, fields).values)
        finally:
            self._hooks.leave()

    async def _body(self, request: web.Request) -> bytes:
        limit = self._hooks.settings.max_body_bytes
        body = bytearray()
        if (request.content_length or 0) <= limit:
            async for chunk in request.content.iter_any():
                body += chunk
                if len(body) > limit:
                    break
            else:
                return bytes(body)
        sentence = f"the form is longer than {limit} bytes: send less, or raise hooks.max_body_bytes"
        raise Refused(413, "too_large", sentence)

    def _authorise(self, request: web.Request, fields: dict[str, str]) -> None:
        in_body = fields.pop("token", "")
        scheme, _, in_header = request.headers.get("Authorization", "").partition(" ")
        if not self._hooks.token.admits(in_header.strip() if scheme.lower() == "bearer" else in_body):
            raise Refused(401, "unauthorised", TOKEN)

    async def _refuse(self, request: web.Request, name: str, refused: Refused) -> web.StreamResponse:
        self._hooks.count(name, refused.result, refused.sentence)
        response = web.Response(
            status=refused.status,
            text=refused.sentence.replace("=", " ") + "\n",
            content_type="text/plain",
            charset="utf-8",
            headers=refused.headers,
        )
        response.force_close()
        if not request.content.is_eof():
            await _cut(request, response)
        return response


def add_routes(app: web.Application, hooks: Hooks) -> None:
    """Put the hooks on an application. They need no log-in of a person: the token is theirs."""
    app.router.add_route("*", PATH, HttpHooks(hooks).handle)


def _hook(request: web.Request, name: str) -> Hook:
    """The hook that is asked, if method, address and kind of body are right."""
    try:
        hook = hook_named(name)
    except BadInput as error:
        raise Refused(404, "unknown_hook", str(error)) from None
    if request.method != "POST":
        raise Refused(405, "wrong_method", NOT_POST, {"Allow": "POST"})
    if request.query_string:
        raise Refused(400, "bad_request", QUERY)
    if request.content_type != FORM:
        raise Refused(400, "bad_request", KIND)
    return hook


async def _cut(request: web.Request, response: web.Response) -> None:
    """Answer and hang up: aiohttp would read on for seconds, in case the rest of the body still came."""
    await response.prepare(request)
    await response.write_eof()
    if request.transport is not None:
        request.transport.close()
