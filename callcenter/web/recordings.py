"""Recordings: the file of a ticket's call, in byte ranges, to those who may hear it.

Promises: only files under the one recordings folder, no link is followed out of it, no name that came with a request
is ever a path (the path is the call's own). Never: lists a folder, tells a file's name or place.
"""

from pathlib import Path

from aiohttp import web

from callcenter.calls.model import Call
from callcenter.web.access import EVERYBODY, Problem, Route
from callcenter.web.context import Web
from callcenter.web.words import N_

TYPES = {".wav": "audio/wav", ".mp3": "audio/mpeg", ".ogg": "audio/ogg", ".opus": "audio/ogg", ".flac": "audio/flac"}
TRACKS = ("mix", "seat", "caller")
NONE = N_("There is no recording of this call, or it has been removed.")


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


def tracks_of(web_: Web, call: Call | None) -> list[str]:
    """The tracks that can be played."""
    root = web_.ports.recordings.root()
    if call is None or call.running:
        return []
    return [track for track in TRACKS if located(root, path_of(call, track)) is not None]


async def play(request: web.Request) -> web.StreamResponse:
    web_ = Web(request)
    row = await web_.row()
    if not web_.policy.may_hear(web_.user, row):
        raise Problem(403, N_("Only the seat of the call, supervisors and quality review may hear it."))
    call = await web_.ports.tickets.call(row.ticket.server, row.ticket.call_id)
    file = located(web_.ports.recordings.root(), path_of(call, request.match_info["track"])) if call else None
    if file is None:
        raise Problem(404, NONE)
    return web.FileResponse(file, headers={"Content-Type": TYPES[file.suffix.lower()]})


ROUTES = [Route("GET", r"/recordings/{ticket_id:\d{1,15}}/{track:mix|seat|caller}", play, EVERYBODY, page=True)]
