"""Recordings: the file of a ticket's call, in byte ranges, to those who may hear it.

Promises: only files under the one recordings folder, no link is followed out of it, no name that came with a request
is ever a path (the path is the call's own). Never: lists a folder, tells a file's name or place.
"""

from collections.abc import Mapping
from pathlib import Path

from aiohttp import web

from callcenter.calls.model import Call
from callcenter.errors import BrokenWorld
from callcenter.web.access import EVERYBODY, Problem, Route
from callcenter.web.context import Web
from callcenter.web.sound import TYPES, send
from callcenter.web.words import N_

TRACKS = ("mix", "seat", "caller")
NONE = N_("There is no recording of this call, or it has been removed.")

AWAY = N_("The recording lies in the store, which does not answer now. Try again in a few minutes.")


def path_of(call: Call, track: str) -> str | None:
    """Where the dialplan says it wrote the track."""
    return {"mix": call.recording, "seat": call.recording_seat, "caller": call.recording_caller}[track]


def located(root: Path | None, name: str | None) -> Path | None:
    """The real file of a name, absolute or relative to the root; ``None`` if it is no sound file under the root."""
    if root is None or not name or "\0" in name:
        return None
    try:
        inside = root.resolve(strict=True)
        real = (inside / name).resolve(strict=True)
    except (OSError, RuntimeError):
        return None
    good = real.is_relative_to(inside) and real.is_file() and real.suffix.lower() in TYPES
    return real if good else None


async def tracks_there(web_: Web, server: str, call_id: str, paths: Mapping[str, str | None]) -> list[str]:
    """The tracks that can be played: local files, or copies in the store."""
    root = web_.ports.recordings.root()
    here = {track for track in TRACKS if located(root, paths.get(track)) is not None}
    if any(paths.get(track) for track in TRACKS if track not in here):
        here |= set(await web_.ports.recordings.stored(server, call_id))
    return [track for track in TRACKS if track in here]


async def file_of(web_: Web, server: str, call_id: str, track: str, name: str | None) -> Path | None:
    """The local file, or one that was fetched from the store. Raises ``Problem`` while that cannot be had."""
    local = located(web_.ports.recordings.root(), name)
    if local is not None or name is None:
        return local
    try:
        return await web_.ports.recordings.fetched(server, call_id, track)
    except BrokenWorld:
        raise Problem(503, AWAY) from None


async def tracks_of(web_: Web, call: Call | None) -> list[str]:
    """The tracks of a ticket's call that can be played."""
    if call is None or call.running:
        return []
    return await tracks_there(web_, call.server, call.call_id, {track: path_of(call, track) for track in TRACKS})


async def play(request: web.Request) -> web.StreamResponse:
    web_ = Web(request)
    row = await web_.row()
    if not web_.policy.may_hear(web_.user, row):
        raise Problem(403, N_("Only the seat of the call, supervisors and quality review may hear it."))
    call = await web_.ports.tickets.call(row.ticket.server, row.ticket.call_id)
    track = request.match_info["track"]
    file = await file_of(web_, call.server, call.call_id, track, path_of(call, track)) if call else None
    if file is None:
        raise Problem(404, NONE)
    return await send(request, file)


ROUTES = [
    Route("GET", r"/recordings/{ticket_id:\d{1,15}}/{track:mix|seat|caller}", play, EVERYBODY, page=True, file=True)
]
