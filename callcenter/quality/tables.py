"""Reading the tables that a site writes itself: phrase scripts and scorecards.

Place on the path of a call: beside it, before anything is judged.
Promises: every mistake is noted with its key and the remedy, and reading goes on; a value that was wrong is replaced by
a harmless one, which nobody sees because the file is refused.
Never: knows what a phrase or a question is.
"""

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from callcenter.errors import BadInput

MAX_FILE_BYTES = 1_000_000


def read_utf8(path: Path, what: str) -> str:
    """The text of a site's file. Raises ``BadInput``; ``what`` says what was expected there."""
    try:
        if path.stat().st_size > MAX_FILE_BYTES:
            raise BadInput(f"{path} is larger than 1 MB, which no {what} is: name another file.")
        return path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise BadInput(f"{path} cannot be read ({error.strerror}): name the {what}.") from None
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        raise BadInput(f"{path} is not UTF-8 (line {line}): save it in that encoding.") from None


def toml_of(text: str, path: Path, manual: str) -> dict[str, Any]:
    """What the TOML says. Raises ``BadInput``; ``manual`` has an example."""
    try:
        return tomllib.loads(text)
    except (ValueError, RecursionError) as error:  # a ValueError is also a number of more digits than Python reads
        what = "too deep" if isinstance(error, RecursionError) else str(error).partition(";")[0]
        raise BadInput(f"{path} is not TOML: {what}; compare it with {manual}.") from None


class Tables:
    """Takes values out of tables; ``problems`` holds a sentence for each that was wrong."""

    def __init__(self) -> None:
        self.problems: list[str] = []

    def table(self, value: Any, key: str, known: tuple[str, ...] = ()) -> Mapping[str, Any]:
        if not isinstance(value, Mapping):
            self.problems.append(f"{key}: must be a table of keys and values.")
            return {}
        for name in value:
            if known and name not in known:
                self.problems.append(f"{key}: does not know {name}; it takes {', '.join(known)}.")
        return value

    def text(self, told: Mapping[str, Any], name: str, key: str, usual: str | None) -> str:
        value = told.get(name, usual)
        if not isinstance(value, str):
            self.problems.append(f"{key}: must be a text in quotes.")
            return ""
        return value

    def one_of(self, told: Mapping[str, Any], name: str, known: tuple[str, ...], key: str, usual: str | None) -> Any:
        value = told.get(name, usual)
        if value in known and isinstance(value, str):
            return value
        self.problems.append(f"{key}: must be one of {', '.join(filter(None, known))}.")
        return ""

    def number(
        self, told: Mapping[str, Any], name: str, key: str, usual: float, low: float, high: float, whole: bool = False
    ) -> float:
        value = told.get(name, usual)
        right = isinstance(value, int if whole else int | float) and not isinstance(value, bool)
        if not right or not low <= value <= high:
            self.problems.append(f"{key}: must be a {'whole ' if whole else ''}number from {low:g} to {high:g}.")
            return usual
        return float(value)
