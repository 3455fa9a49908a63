"""Where a log-in leads: back to the page that was asked for.

Beside the path of a call. Promises: an address that came with a request is followed only if it is the plain path of a
page of ours, with a query in ASCII at most; whether the role may see that page is the page's to say. Never: leads to
another site, whatever the writing (``//host``, ``/\\host``, ``http:``, encoded, line ends), to a file or to a change of
state.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, unquote

LONGEST = 1_000
_PLAIN = re.compile(r"(?P<path>/[A-Za-z0-9_-]+(?:/[A-Za-z0-9_-]+)*)(?:\?(?P<query>[A-Za-z0-9_.~!$'()*+,;:@/?=&%-]*))?")


@dataclass(frozen=True, slots=True)
class Landings:
    """The pages that a log-in may lead to, as aiohttp's resources tell of themselves (``get_info``)."""

    paths: frozenset[str]
    patterns: tuple[re.Pattern[str], ...]

    @classmethod
    def of(cls, told: Iterable[Mapping[str, Any]]) -> "Landings":
        known = tuple(told)
        paths = frozenset(one["path"] for one in known if "path" in one)
        return cls(paths, tuple(one["pattern"] for one in known if "pattern" in one))

    def page(self, asked: str) -> str:
        """``asked``, if it is the address of one of them; else nothing."""
        found = _PLAIN.fullmatch(asked) if len(asked) <= LONGEST else None
        if found is None or any(ord(one) < 32 or ord(one) == 127 for one in unquote(found["query"] or "")):
            return ""
        path = found["path"]
        known = path in self.paths or any(pattern.fullmatch(path) for pattern in self.patterns)
        return asked if known else ""


def login_address(page: str, **more: str) -> str:
    """The log-in that leads to ``page``, or to the start page where there is none."""
    wanted = {name: value for name, value in {"next": page, **more}.items() if value}
    query = "&".join(f"{name}={quote(value, safe='/?')}" for name, value in wanted.items())
    return f"/login?{query}" if query else "/login"
