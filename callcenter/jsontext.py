"""JSON as text, quickly: what the event log and the tables keep.

Promises: ``json.loads`` reads it back; a character that is no UTF-8 (half a surrogate pair) is escaped, never refused:
one call with a hostile name must not stop the commit of all others.
Never: indents, or sorts.
"""

import json
from typing import Any

import orjson


def to_bytes(value: Any) -> bytes:
    """Compact JSON in UTF-8. Named tuples become arrays. Raises ``TypeError`` for what JSON does not know."""
    try:
        return orjson.dumps(value, default=_tuple)
    except TypeError:
        return json.dumps(value, separators=(",", ":")).encode()


def to_text(value: Any) -> str:
    """The same as a string."""
    return to_bytes(value).decode()


def _tuple(value: Any) -> list[Any]:
    if isinstance(value, tuple):
        return list(value)
    raise TypeError(type(value).__name__)
