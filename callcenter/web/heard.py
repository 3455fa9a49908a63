"""What is heard of a seat's call while it runs, as that seat's pages show it: the pane of the desk, and in the call bar
of every page the forbidden phrases (B8) that the seat has not looked at yet.

Place on the path of a call: beside ``web/desk``, told by ``web/live`` that something was said.
Promises: only the seat's own call; what was looked at is kept in memory with the words themselves, a call a seat.
Never: waits for the database; believes a page about what was said.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from aiohttp import web

from callcenter.web.access import SEATS, Problem, Route
from callcenter.web.context import Web
from callcenter.web.hearing_ports import Heard, HeardPhrase
from callcenter.web.words import N_

TICKED = (
    (("greeting",), "A2", N_("Greeting with the work number")),
    (("ask_name",), "A3", N_("Ask for the name")),
    (("wait_announcement", "wait_thanks"), "B1", N_("Before a wait")),
    (("closing",), "B7", N_("Closing")),
)


class Seen:
    """The forbidden phrases that seats have looked at: of their last call alone, like what is heard."""

    def __init__(self) -> None:
        self._by_seat: dict[str, tuple[str, frozenset[str]]] = {}

    def of(self, extension: str, call_id: str) -> frozenset[str]:
        call, phrases = self._by_seat.get(extension, ("", frozenset[str]()))
        return phrases if call == call_id else frozenset()

    def add(self, extension: str, call_id: str, phrases: Collection[str]) -> None:
        self._by_seat[extension] = call_id, self.of(extension, call_id) | frozenset(phrases)


SEEN: web.AppKey[Seen] = web.AppKey("seen", Seen)


def heard_of(web_: Web, call_ids: Collection[str]) -> Heard | None:
    """What was heard, if it belongs to a call that the window shows."""
    if web_.user.extension is None or web_.user.role not in SEATS:
        return None
    found = web_.ports.hearing.heard(web_.user.extension)
    return found if found is not None and found.call_id in call_ids else None


def forbidden_of(found: Heard | None) -> list[HeardPhrase]:
    """What is certain comes before what only may have been said."""
    said = [one for one in (found.phrases or () if found is not None else ()) if one.kind == "forbidden"]
    return sorted(said, key=lambda one: one.doubtful)


def unseen(web_: Web, call_ids: Collection[str]) -> tuple[str, list[HeardPhrase]]:
    """The call, and its forbidden phrases that the seat has not looked at yet."""
    found = heard_of(web_, call_ids)
    if found is None or web_.user.extension is None:
        return "", []
    seen = web_.request.app[SEEN].of(web_.user.extension, found.call_id)
    return found.call_id, [one for one in forbidden_of(found) if one.phrase not in seen]


def heard_context(web_: Web, call_ids: Collection[str]) -> dict[str, Any]:
    """What was heard, and the phrases to tick off (A2, A3, B1, B7)."""
    found = heard_of(web_, call_ids)
    if found is None:
        return {"heard": None}
    said = {one.phrase: one for one in found.phrases or () if one.kind == "required"}
    if found.greeted:
        said["greeting"] = HeardPhrase("greeting", "A2", "required", "", False)
    ticks = [(rule, label, _best(said, phrases)) for phrases, rule, label in TICKED]
    return {"heard": found, "ticks": ticks, "forbidden": forbidden_of(found)}


def _best(said: Mapping[str, HeardPhrase], phrases: Sequence[str]) -> HeardPhrase | None:
    found = [said[phrase] for phrase in phrases if phrase in said]
    return min(found, key=lambda one: one.doubtful, default=None)


async def look(request: web.Request) -> web.StreamResponse:
    """``{"call": "...", "phrases": ["refusal"]}``: the seat has opened the pane in which these stand. All its pages
    take their sign away; a call that is over, or a phrase that was not heard, changes nothing."""
    web_ = Web(request)
    body = await web_.json()
    call, phrases = body.get("call"), body.get("phrases")
    if not isinstance(call, str) or not isinstance(phrases, list):
        raise Problem(400, N_("Looking at phrases needs call (text) and phrases (a list)."))
    found = heard_of(web_, {call})
    looked = {one.phrase for one in forbidden_of(found) if one.phrase in phrases}
    if looked and web_.user.extension is not None:
        request.app[SEEN].add(web_.user.extension, call, looked)
        web_.hub.heard(web_.user.extension)
    return web.json_response({"seen": sorted(looked)})


ROUTES = [Route("POST", "/api/seat/seen", look, SEATS)]
