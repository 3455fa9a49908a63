"""AudioSocket, Asterisk's way to hand a channel's sound to a program: one TCP connection is one direction of a call.

Place on the path of a call: Asterisk's listening channel connects here while the call is talked; ``live_child`` reads.
Promises: an asker without a known id gets nothing and is let go within ``HELLO_SECONDS``; no frame is larger than
``MAX_PAYLOAD``. Never: sends sound back, so that nothing here can be heard in a call.

Source: docs.asterisk.org "AudioSocket": kind (one byte), length (two bytes, big endian), payload. 0x01 is the UUID,
0x10 signed linear 16 bit little endian at 8 kHz, 0x00 the end; measured on 22.10: 20 ms each, at the end often EOF.
"""

import asyncio
import uuid
from collections.abc import AsyncIterator

HANGUP, IDENTITY, SOUND = 0x00, 0x01, 0x10
RATE = 8000
BYTES_PER_SECOND = RATE * 2
MAX_PAYLOAD = 8_000
HELLO_SECONDS = 5.0


class NotAudioSocket(Exception):
    """The other side does not speak AudioSocket, or not as agreed."""


async def _frame(reader: asyncio.StreamReader) -> tuple[int, bytes]:
    head = await reader.readexactly(3)
    length = int.from_bytes(head[1:], "big")
    if length > MAX_PAYLOAD:
        raise NotAudioSocket(f"a frame of {length} bytes")
    return head[0], await reader.readexactly(length)


async def identity(reader: asyncio.StreamReader) -> str:
    """Who connects: the UUID that the channel was begun with. Raises ``NotAudioSocket``."""
    try:
        async with asyncio.timeout(HELLO_SECONDS):
            kind, payload = await _frame(reader)
    except (TimeoutError, asyncio.IncompleteReadError, ConnectionError) as error:
        raise NotAudioSocket("it told no id") from error
    if kind != IDENTITY or len(payload) != 16:
        raise NotAudioSocket("it told no id")
    return str(uuid.UUID(bytes=payload))


async def sound(reader: asyncio.StreamReader) -> AsyncIterator[bytes]:
    """Pieces of sound until the channel hangs up. Other kinds (keys pressed, errors) are passed over."""
    while True:
        try:
            kind, payload = await _frame(reader)
        except (asyncio.IncompleteReadError, ConnectionError):
            return
        if kind == HANGUP:
            return
        if kind == SOUND:
            yield payload
