"""A sound file as an answer, in byte ranges; a WAV whose header is wrong goes out with the header it should have.

Place on the path of a call: after its end, behind ``web/recordings`` and ``web/review``, which look who may hear it.
Promises: length and ranges are those of what is sent; a wrong header is replaced in the answer only.
Never: writes a file; takes a path from a request; holds the event loop while it reads.
"""

import asyncio
from pathlib import Path
from typing import BinaryIO

from aiohttp import hdrs, web

from callcenter import riff

TYPES = {".wav": "audio/wav", ".mp3": "audio/mpeg", ".ogg": "audio/ogg", ".opus": "audio/ogg", ".flac": "audio/flac"}
_BLOCK_BYTES = 1 << 18


def part_of(wanted: slice, size: int) -> tuple[int, int] | None:
    """First byte and number of bytes of a range of the request (``http_range``), or ``None`` if it has none of them."""
    first, end = wanted.start or 0, size if wanted.stop is None else min(wanted.stop, size)
    if first < 0:  # the last so many
        first = max(0, size + first)
    return (first, end - first) if first < end else None


async def send(request: web.Request, file: Path) -> web.StreamResponse:
    """The file; of a WAV that nobody finished, was cut off or tells of too little: what is there, rightly told."""
    kind = TYPES[file.suffix.lower()]
    opened = await asyncio.to_thread(_misled, file) if kind == "audio/wav" else None
    if opened is None:
        return web.FileResponse(file, headers={hdrs.CONTENT_TYPE: kind})
    source, head = opened
    try:
        return await _mended(request, source, head, kind)
    finally:
        source.close()


def _misled(file: Path) -> tuple[BinaryIO, riff.Head] | None:
    """The open file if its header is wrong; ``None`` if it is right, or the file is none that is understood here."""
    try:
        source = file.open("rb")
    except OSError:
        return None
    try:
        head = riff.read_head(source, "", "")
        if head.flaw and head.length:
            return source, head
    except (OSError, riff.BadSound):
        pass
    source.close()
    return None


async def _mended(request: web.Request, source: BinaryIO, head: riff.Head, kind: str) -> web.StreamResponse:
    front = riff.header(head.form, head.length)
    size = len(front) + head.length
    answer = web.StreamResponse(headers={hdrs.CONTENT_TYPE: kind, hdrs.ACCEPT_RANGES: "bytes"})
    first, count = 0, size
    # This answer has no validator that "If-Range" could name: whoever asks so gets the whole.
    if hdrs.RANGE in request.headers and hdrs.IF_RANGE not in request.headers:
        try:
            part = part_of(request.http_range, size)
        except ValueError:
            part = None
        if part is None:
            return web.Response(status=416, headers={hdrs.CONTENT_RANGE: f"bytes */{size}"})
        first, count = part
        answer.set_status(206)
        answer.headers[hdrs.CONTENT_RANGE] = f"bytes {first}-{first + count - 1}/{size}"
    answer.content_length = count
    await answer.prepare(request)
    if request.method == hdrs.METH_HEAD:
        return answer
    begin = front[first : first + count]
    if begin:
        await answer.write(begin)
    position, left = head.offset + max(0, first - len(front)), count - len(begin)
    while left:
        block = await asyncio.to_thread(_read, source, position, min(left, _BLOCK_BYTES))
        if not block:  # the file was cut meanwhile: the answer ends short, and the browser sees that
            if request.transport is not None:
                request.transport.abort()
            break
        await answer.write(block)
        position, left = position + len(block), left - len(block)
    return answer


def _read(source: BinaryIO, position: int, count: int) -> bytes:
    source.seek(position)
    return source.read(count)
