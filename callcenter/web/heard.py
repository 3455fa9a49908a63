"""What is heard of a seat's call while it runs, as that seat's pages show it: the pane of the desk, and in the call bar
of every page the forbidden phrases (B8) that the seat has not looked at yet.

Place on the path of a call: beside ``web/desk``, told by ``web/live`` that something was said.
Promises: only the seat's own call; what was looked at is kept in memory with the words themselves, a call a seat.
Never: waits for the database; believes a page about what was said.
"""

from collections.abc import Collection, Mapping
from typing import Any

from aiohttp import web

from callcenter.web.access import SEATS, Problem, Route
from callcenter.web.context import Web
from callcenter.web.hearing_ports import Heard, HeardPhrase
from callcenter.web.words import N_

TICKED = (
    ("greeting", "A2", N_("Greeting with the work number")),
    ("ask_name", "A3", N_("Ask for the name")),
    ("wait_announcement", "B1", N_("Before a wait")),
    ("closing", "B7", N_("Closing")),
)


class Seen:
    """The forbidden phrases that seats have looked at: of their last call alone, like what is heard. What was doubtful
    when it was looked at is news again once it is certain."""

    def __init__(self) -> None:
        self._by_seat: dict[str, tuple[str, Mapping[str, bool]]] = {}

    def has(self, extension: str, call_id: str, one: HeardPhrase) -> bool:
        seen = self._of(extension, call_id)
        return one.phrase in seen and (one.doubtful or not seen[one.phrase])

    def add(self, extension: str, call_id: str, phrases: Mapping[str, bool]) -> None:
        """``phrases``: each with whether it was only doubtful."""
        seen = self._of(extension, call_id)
        told = {phrase: doubtful and seen.get(phrase, True) for phrase, doubtful in phrases.items()}
        self._by_seat[extension] = call_id, {**seen, **told}

    def _of(self, extension: str, call_id: str) -> Mapping[str, bool]:
        call, phrases = self._by_seat.get(extension, ("", {}))
        return phrases if call == call_id else {}


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
    seat, seen = web_.user.extension, web_.request.app[SEEN]
    return found.call_id, [one for one in forbidden_of(found) if not seen.has(seat, found.call_id, one)]


def heard_context(web_: Web, call_ids: Collection[str]) -> dict[str, Any]:
    """What was heard, and the phrases to tick off (A2, A3, B1, B7). Thanks after a wait announce none."""
    found = heard_of(web_, call_ids)
    if found is None:
        return {"heard": None}
    said = {one.phrase: one for one in found.phrases or () if one.kind == "required"}
    if found.greeted:
        said["greeting"] = HeardPhrase("greeting", "A2", "required", "", False)
    ticks = [(rule, label, said.get(phrase)) for phrase, rule, label in TICKED]
    return {"heard": found, "ticks": ticks, "forbidden": forbidden_of(found)}


async def look(request: web.Request) -> web.StreamResponse:
    """``{"call": "...", "phrases": ["refusal"], "perhaps": []}``: the seat has opened the pane in which these stand;
    ``perhaps``: those of them that stood there as doubtful. All its pages take their sign away; a call that is over, or
    a phrase that was not heard, changes nothing."""
    web_ = Web(request)
    body = await web_.json()
    call, phrases, perhaps = body.get("call"), body.get("phrases"), body.get("perhaps", [])
    if not isinstance(call, str) or not isinstance(phrases, list) or not isinstance(perhaps, list):
        raise Problem(400, N_("Looking at phrases needs call (text) and phrases (a list)."))
    found = forbidden_of(heard_of(web_, {call}))
    looked = {one.phrase: one.doubtful or one.phrase in perhaps for one in found if one.phrase in phrases}
    if looked and web_.user.extension is not None:
        request.app[SEEN].add(web_.user.extension, call, looked)
        web_.hub.heard(web_.user.extension)
    return web.json_response({"seen": sorted(looked)})


ROUTES = [Route("POST", "/api/seat/seen", look, SEATS)]
