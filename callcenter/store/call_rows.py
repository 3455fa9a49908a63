"""A call as a row and back: columns for what lists, reports and metrics ask for, JSON for the rest.

Promises: ``call(row(call, ...)) == call`` apart from characters that no database stores. Never: interprets a call.
"""

from collections.abc import Mapping
from dataclasses import fields
from types import MappingProxyType
from typing import Any

from callcenter.calls.model import (
    Breach,
    Call,
    Direction,
    EndedBy,
    Gate,
    Hold,
    Outcome,
    Phase,
    Ring,
    RingResult,
    Transfer,
    TransferKind,
)
from callcenter.store.schema import calls
from callcenter.tickets.model import CallFacts, storable

_COLUMNS = tuple(f.name for f in fields(Call) if f.name in calls.c and f.name != "breaches")
_TUPLES = ("ringing", "talking_to", "seats_missed")
_LISTS: Mapping[str, type[Any]] = MappingProxyType({"rings": Ring, "holds": Hold, "transfers": Transfer, "gates": Gate})
_ITEM_FIELDS = {kind: tuple(f.name for f in fields(kind)) for kind in (*_LISTS.values(), Breach)}
_PLAIN = tuple(f.name for f in fields(Call) if f.name not in (*_COLUMNS, *_LISTS, *_TUPLES, "breaches", "variables"))
_ENUMS: Mapping[str, type[Any]] = MappingProxyType(
    {"direction": Direction, "phase": Phase, "outcome": Outcome, "ended_by": EndedBy}
)
_ITEM_ENUMS: Mapping[type[Any], tuple[str, type[Any]]] = MappingProxyType(
    {Ring: ("result", RingResult), Transfer: ("kind", TransferKind)}
)


def to_row(call: Call, first_position: int | None, at: float) -> dict[str, Any]:
    row: dict[str, Any] = {name: cell(getattr(call, name)) for name in _COLUMNS}
    detail = {name: value for name in _PLAIN if (value := getattr(call, name)) is not None}
    detail |= {name: value for name in _TUPLES if (value := getattr(call, name))}
    detail |= {name: [_item(i) for i in items] for name in _LISTS if (items := getattr(call, name))}
    if call.variables:
        detail["variables"] = dict(call.variables)
    row["breaches"] = [_item(breach) for breach in call.breaches]
    row["detail"] = detail
    row["first_position"] = first_position
    row["updated_at"] = at
    return row


def to_call(row: Mapping[str, Any]) -> Call:
    detail = row["detail"]
    values: dict[str, Any] = {name: _enum(name, row[name]) for name in _COLUMNS}
    values |= {name: detail[name] for name in _PLAIN if name in detail}
    values |= {name: tuple(detail[name]) for name in _TUPLES if name in detail}
    values |= {name: tuple(_build(kind, i) for i in detail[name]) for name, kind in _LISTS.items() if name in detail}
    if "variables" in detail:
        values["variables"] = MappingProxyType(detail["variables"])
    return Call(**values, breaches=tuple(_build(Breach, breach) for breach in row["breaches"]))


FACTS = tuple(f.name for f in fields(CallFacts))


def to_facts(row: Mapping[str, Any]) -> CallFacts:
    """The facts for lists, from a row with the columns named in ``FACTS``."""
    values = {name: _enum(name, row[name]) for name in FACTS}
    values["breaches"] = tuple(_build(Breach, breach) for breach in row["breaches"])
    return CallFacts(**values)


def cell(value: Any) -> Any:
    """The value as a column takes it."""
    # A caller's name or number may hold what a database refuses; one such call must not stop all others.
    if type(value) is str and not (value.isascii() and value.isprintable()):
        return storable(value, multiline=True)
    return value


def _item(item: Any) -> dict[str, Any]:
    return {name: getattr(item, name) for name in _ITEM_FIELDS[type(item)]}


def _build(kind: type[Any], item: Mapping[str, Any]) -> Any:
    values = dict(item)
    if kind in _ITEM_ENUMS:
        name, enum = _ITEM_ENUMS[kind]
        values[name] = enum(values[name])
    return kind(**values)


def _enum(name: str, value: Any) -> Any:
    return _ENUMS[name](value) if name in _ENUMS and value is not None else value
