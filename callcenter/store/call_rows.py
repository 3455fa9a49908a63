"""A call as a row and back: columns for what lists, reports and metrics ask for, JSON for the rest.

Promises: ``call(row(call, ...)) == call`` apart from characters that no database stores. Never: interprets a call.
"""

from collections.abc import Mapping
from dataclasses import fields
from operator import attrgetter
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
    Pause,
    Phase,
    Ring,
    RingResult,
    Stay,
    Transfer,
    TransferKind,
)
from callcenter.jsontext import to_text
from callcenter.metrics.survey import answer_of
from callcenter.store.schema import calls
from callcenter.tickets.model import CallFacts, storable

_COLUMNS = tuple(f.name for f in fields(Call) if f.name in calls.c and f.name != "breaches")
_TEXTS = (
    "server",
    "call_id",
    "caller_number",
    "caller_name",
    "dialled",
    "queue",
    "answered_by",
    "recording",
    "merged_into",
)
_TUPLES = ("ringing", "talking_to", "seats_missed")
_LISTS: Mapping[str, type[Any]] = MappingProxyType(
    {"rings": Ring, "holds": Hold, "transfers": Transfer, "pauses": Pause, "stays": Stay, "gates": Gate}
)
_ITEM_FIELDS = {kind: tuple(f.name for f in fields(kind)) for kind in (*_LISTS.values(), Breach)}
_PLAIN = tuple(f.name for f in fields(Call) if f.name not in (*_COLUMNS, *_LISTS, *_TUPLES, "breaches", "variables"))
_ENUMS: Mapping[str, type[Any]] = MappingProxyType(
    {"direction": Direction, "phase": Phase, "outcome": Outcome, "ended_by": EndedBy}
)
_ITEM_ENUMS: Mapping[type[Any], tuple[str, type[Any]]] = MappingProxyType(
    {Ring: ("result", RingResult), Transfer: ("kind", TransferKind)}
)
_columns_of = attrgetter(*_COLUMNS)
_plain_of = attrgetter(*_PLAIN)
_tuples_of = attrgetter(*_TUPLES)
_lists_of = attrgetter(*_LISTS)


def to_row(call: Call, first_position: int | None, at: float) -> dict[str, Any]:
    """The row of a call for a ``Prepared`` statement: JSON as text, names as plain strings."""
    row: dict[str, Any] = dict(zip(_COLUMNS, _columns_of(call), strict=True))
    for name in _TEXTS:
        row[name] = row[name] and clean(row[name])
    for name in _ENUMS:
        row[name] = row[name] and row[name].value
    row["breaches"] = to_text([_item(breach) for breach in call.breaches]) if call.breaches else "[]"
    row["detail"] = to_text(_detail(call))
    row["survey"] = answer_of(call)
    row["transferred"] = bool(call.transfers)
    row["first_position"] = first_position
    row["updated_at"] = at
    return row


def _detail(call: Call) -> dict[str, Any]:
    detail = {name: value for name, value in zip(_PLAIN, _plain_of(call), strict=True) if value is not None}
    detail |= {name: value for name, value in zip(_TUPLES, _tuples_of(call), strict=True) if value}
    for name, items in zip(_LISTS, _lists_of(call), strict=True):
        if items:
            detail[name] = [_item(item) for item in items]
    if call.variables:
        detail["variables"] = dict(call.variables)
    return detail


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


def clean(text: str) -> str:
    """The text as a column takes it: one call with a hostile name must not stop all others."""
    return text if text.isascii() and text.isprintable() else storable(text, multiline=True)


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
