"""Builds a frozen tree of dataclasses from a TOML table: what ``settings`` is read with.

Promises: every mistake is collected, each with its key and the remedy; a key that no field has is one of them. Fields
carry their limits as metadata (``limited``, ``one_of``).
Never: knows what a setting means, opens a file, reads the environment.
"""

from collections.abc import Callable, Iterable
from dataclasses import MISSING, Field, field, fields, is_dataclass
from datetime import date, datetime, time
from difflib import get_close_matches
from pathlib import Path
from types import MappingProxyType, NoneType, UnionType
from typing import Any, get_args, get_origin, get_type_hints


def limited(default: Any, low: float, high: float) -> Any:
    """A field whose number lies within limits."""
    return field(default=default, metadata={"low": low, "high": high})


def one_of(default: str, *values: str) -> Any:
    """A field with a closed list of values."""
    return field(default=default, metadata={"values": values})


LONGEST_TEXT = 1_000
"""Characters of any text of a site: names are drawn, spoken and put into every figure."""
MOST_SHOWN = 80
"""Of a value that is wrong, how much its message shows."""
YEARS = range(2000, 2200)
"""Of days that a site writes: at the ends of the calendar the day after cannot be worked out."""


def day_of(text: str, key: str, problems: list[str]) -> date | None:
    """A day as a site writes it; what is none is one of the problems."""
    try:
        found = date.fromisoformat(text)
    except ValueError:
        problems.append(f"{key}: {text[:40]!r} is no day; write it as 2026-11-30.")
        return None
    if found.year in YEARS:
        return found
    problems.append(f"{key}: {found} is outside {YEARS[0]} to {YEARS[-1]}; correct its year.")
    return None


def as_texts(value: Any) -> Any:
    """TOML's own dates and times of day as texts: a site may write them with quotes or without."""
    if isinstance(value, dict):
        return {key: as_texts(one) for key, one in value.items()}
    if isinstance(value, list):
        return [as_texts(one) for one in value]
    if isinstance(value, time):
        return value.strftime("%H:%M")
    return value.isoformat() if isinstance(value, date) and not isinstance(value, datetime) else value


class Reader:
    """Builds the dataclasses from a TOML table, collecting problems instead of stopping at the first."""

    def __init__(self, problems: list[str], base: Path) -> None:
        self.problems = problems
        self.base = base
        """Relative paths begin here."""

    def build(self, kind: type[Any], table: Any, key: str) -> Any:
        if not isinstance(table, dict):
            self.problems.append(f"{key}: must be a table; write [{key}] above its settings.")
            return kind()
        hints = get_type_hints(kind)
        known: dict[str, Field[Any]] = {f.name: f for f in fields(kind)}
        for name in sorted(table.keys() - known.keys()):
            self.problems.append(f"{_join(key, name)}: is not known; {_meant(str(name), known)}.")
        values = {}
        for name, spec in known.items():
            if name in table:
                value = self.value(hints[name], table[name], _join(key, name), spec)
                if value is not MISSING:
                    values[name] = value
        return kind(**values)

    def value(self, hint: Any, raw: Any, key: str, spec: Field[Any] | None) -> Any:
        if is_dataclass(hint):
            return self.build(hint, raw, key)  # type: ignore[arg-type]
        if get_origin(hint) is UnionType:
            (hint,) = (arg for arg in get_args(hint) if arg is not NoneType)
        if get_origin(hint) is tuple:
            return self.items(get_args(hint)[0], raw, key)
        if get_origin(hint) is not None:
            return self.table_of(get_args(hint)[1], raw, key)
        convert, wanted, _ = _CONVERTERS[hint]
        value = convert(raw)
        if value is None:
            self.problems.append(f"{key}: {repr(raw)[:MOST_SHOWN]} is not {wanted}; {_written(hint, spec)}.")
            return MISSING
        if isinstance(value, str) and len(value) > LONGEST_TEXT:
            self.problems.append(f"{key}: has {len(value)} characters; shorten it to {LONGEST_TEXT} at most.")
            return MISSING
        if isinstance(value, Path):
            value = self.base / value
        return value if self.in_limits(value, key, spec) else MISSING

    def items(self, hint: Any, raw: Any, key: str) -> Any:
        if isinstance(raw, str):
            raw = [part.strip() for part in raw.split(",") if part.strip()]
        if not isinstance(raw, list):
            self.problems.append(f"{key}: must be a list; put what it holds into square brackets.")
            return MISSING
        values = (self.value(hint, item, f"{key}[{n}]", None) for n, item in enumerate(raw, 1))
        return tuple(value for value in values if value is not MISSING)

    def table_of(self, hint: Any, raw: Any, key: str) -> Any:
        if not isinstance(raw, dict):
            self.problems.append(f"{key}: must be a table of tables; write [{key}.NAME].")
            return MISSING
        return MappingProxyType({name: self.value(hint, item, f"{key}.{name}", None) for name, item in raw.items()})

    def in_limits(self, value: Any, key: str, spec: Field[Any] | None) -> bool:
        limits = spec.metadata if spec is not None else {}
        if "values" in limits and value not in limits["values"]:
            known = ", ".join(filter(None, limits["values"]))
            self.problems.append(f"{key}: {repr(value)[:MOST_SHOWN]} is not one of {known}; write one of these.")
            return False
        if "low" in limits and not limits["low"] <= value <= limits["high"]:
            self.problems.append(
                f"{key}: {value} is outside {limits['low']} to {limits['high']}; choose a number within these limits."
            )
            return False
        return True


def _written(hint: Any, spec: Field[Any] | None) -> str:
    """How a value of this kind is written: the default shows it where there is one."""
    usual = spec.default if spec is not None else MISSING
    shown = usual if isinstance(usual, int | float | str) and usual != "" else _CONVERTERS[hint][2]
    return f"write it as {str(shown).lower() if isinstance(shown, bool) else repr(shown)}"


def _meant(name: str, known: Iterable[str]) -> str:
    close = get_close_matches(name, known, 2)
    return f"perhaps {' or '.join(close)} is meant" if close else f"known here are {', '.join(sorted(known))}"


def _join(key: str, name: str) -> str:
    return f"{key}.{name}" if key else name


def _bool(raw: Any) -> bool | None:
    if isinstance(raw, bool):
        return raw
    return {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}.get(str(raw).lower())


def _number_of(kind: Callable[[Any], Any]) -> Callable[[Any], Any]:
    def convert(raw: Any) -> Any:
        if isinstance(raw, bool) or (kind is int and isinstance(raw, float)):
            return None
        try:
            value = kind(raw)
        except (ValueError, TypeError, OverflowError):
            return None
        return value if value == value and abs(value) != float("inf") else None

    return convert


def _str(raw: Any) -> str | None:
    return raw if isinstance(raw, str) and raw.isprintable() else None


def _path(raw: Any) -> Path | None:
    return Path(raw) if isinstance(raw, str) and raw and raw.isprintable() else None


_CONVERTERS: dict[Any, tuple[Callable[[Any], Any], str, Any]] = {
    bool: (_bool, "true or false", True),
    int: (_number_of(int), "a whole number", 5),
    float: (_number_of(float), "a number", 2.5),
    str: (_str, "a text in quotes, on one line and without control characters", "text"),
    Path: (_path, "a path in quotes", "folder/file"),
}
"""How each kind is read, what it is called, an example."""
