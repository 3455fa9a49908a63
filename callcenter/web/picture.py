"""The picture that all screens of one language share, and the bytes that bring each of them up to date.

On the path of a call: between drawing and sending; ``web/wallboard`` draws the parts and sends the bytes.
Promises: a part that did not change is not sent again; what brings screens from one drawing to the next is encoded
and compressed once, whoever and however many they are; compressed pushes can be read whatever was sent before, so one
serves streams that began at different times. Never: knows a screen, or what a part means.
"""

import zlib
from dataclasses import dataclass, field

from callcenter.web.live import encode

GZIP_HEADER = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff"
"""RFC 1952, 2.3. A stream has it once, at its beginning; it ends by being cut, so there is no trailer."""


def packed(data: bytes) -> bytes:
    """A piece of a gzip stream that needs nothing of what went before, and that is read whole when it has come."""
    packing = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return packing.compress(data) + packing.flush(zlib.Z_FULL_FLUSH)


@dataclass
class Picture:
    """The screen in one language: each part with the number of the drawing that changed it."""

    number: int = 0
    parts: dict[str, tuple[int, str]] = field(default_factory=dict)
    _sent: dict[tuple[int, bool], bytes] = field(default_factory=dict)
    """What a screen is sent that has seen so much, and takes it packed or not."""

    def replace(self, parts: dict[str, str]) -> bool:
        """Whether anything is another now."""
        changed = [name for name, html in parts.items() if name not in self.parts or self.parts[name][1] != html]
        if changed:
            self.number += 1
            self.parts |= {name: (self.number, parts[name]) for name in changed}
            self._sent.clear()
        return bool(changed)

    def news(self, seen: int, now: float, pack: bool = False) -> bytes:
        """The parts that are newer than drawing ``seen``; nothing if there are none."""
        if seen >= self.number:
            return b""
        if (seen, pack) not in self._sent:
            self._sent[seen, pack] = packed(self.news(seen, now)) if pack else self._encoded(seen, now)
        return self._sent[seen, pack]

    def _encoded(self, seen: int, now: float) -> bytes:
        newer = {name: html for name, (number, html) in self.parts.items() if number > seen}
        return encode("parts", {"now": now, "parts": newer})
