"""The settings that stand in the environment: ``CALLCENTER_ASTERISK__PORT=5039`` is ``port`` in ``[asterisk]``.

Promises: pure; a variable that is one slip away from a setting is told, instead of being ignored without a word.
Never: complains of a variable that only shares the prefix (the scripts of the project have some).
"""

from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass
from difflib import get_close_matches
from typing import Any, get_type_hints

PREFIX = "CALLCENTER_"
ALIKE = 0.9
"""From which likeness on (difflib's) a name is taken for a slip: two swapped letters are, ASTERISK_ROOT is not."""


def merge(table: dict[str, Any], environment: Mapping[str, str], kind: type[Any], problems: list[str]) -> None:
    """Puts what the environment says above ``table``; ``kind`` is what will be built of it."""
    for name in sorted(environment):
        if not name.startswith(PREFIX):
            continue
        if "__" not in name:
            problems += _slip(name, environment[name], kind)
            continue
        *parents, last = name.removeprefix(PREFIX).lower().split("__")
        level = table
        for parent in parents:
            below = level.setdefault(parent, {})
            if not isinstance(below, dict):
                problems.append(f"{name}: {parent} is no table; check the name of the variable.")
                break
            level = below
        else:
            level[last] = environment[name]


def _slip(name: str, value: str, kind: type[Any]) -> Iterator[str]:
    """A variable with one underscore where a setting has two."""
    if value.startswith("tcp://"):
        return  # Docker and Kubernetes name the address of a service "callcenter-metrics" so
    known = {"_".join(keys).upper(): PREFIX + "__".join(keys).upper() for keys in _keys(kind)}
    if meant := get_close_matches(name.removeprefix(PREFIX), known, 1, ALIKE):
        yield f"{name}: is no setting and would be ignored; perhaps {known[meant[0]]} is meant, else rename it."


def _keys(kind: type[Any]) -> Iterator[tuple[str, ...]]:
    hints = get_type_hints(kind)
    for one in fields(kind):
        if is_dataclass(below := hints[one.name]):
            yield from ((one.name, *keys) for keys in _keys(below))  # type: ignore[arg-type]
        else:
            yield (one.name,)
