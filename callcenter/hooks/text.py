"""The words on the wire of a hook: forms in, plain lines out.

On the path of a call: ``web/hooks_in`` reads the form and writes the lines; ``web/fastagi`` writes the same values as
channel variables.
Promises: what goes into a dialplan holds nothing that a dialplan, AMI or SIP could read as code (no line ends, commas,
quotes, ``$``, braces, backslashes, semicolons); a form that cannot be read is refused with one sentence.
Never: holds a value of the form in an error.
"""

from collections.abc import Iterable
from urllib.parse import parse_qsl

from callcenter.errors import BadInput

END = "end"
"""Last line of every answer: CURL() hands out what has arrived when its time is over, so half an answer must show."""
MAX_FIELDS = 20
MAX_VALUE_CHARS = 80
_HARMLESS = frozenset(" _-.:/@+#*")


def harmless(value: str, limit: int = MAX_VALUE_CHARS) -> str:
    """``value`` without any character but letters, digits, spaces and ``_-.:/@+#*``, cut to ``limit`` characters."""
    kept = "".join(c for c in value if c.isalnum() or c in _HARMLESS)
    return kept[:limit].strip()


def one_line(value: str, limit: int) -> str:
    """``value`` as one line of printable text for a ticket, cut to ``limit`` characters."""
    return "".join(c if c.isprintable() else " " for c in value)[:limit].strip()


def lines(values: Iterable[tuple[str, str]]) -> str:
    """The answer's body: ``name=value`` lines, or the bare value where the name is empty, and the line ``end``."""
    told = [f"{name}={harmless(value)}" if name else harmless(value) for name, value in values]
    return "\n".join([*told, END, ""])


def form(body: bytes) -> dict[str, str]:
    """The fields of an ``application/x-www-form-urlencoded`` body. Raises ``BadInput``."""
    try:
        text = body.decode("ascii")
        pairs = parse_qsl(text, keep_blank_values=True, strict_parsing=bool(text), max_num_fields=MAX_FIELDS)
    except ValueError:
        raise BadInput(
            f"the body is no form: send up to {MAX_FIELDS} pairs name=value joined by '&', values through URIENCODE()"
        ) from None
    fields = dict(pairs)
    if len(fields) != len(pairs):
        raise BadInput("the form names a field twice: send each field once")
    return fields
