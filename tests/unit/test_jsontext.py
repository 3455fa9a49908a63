"""JSON of the log and the tables: read back as it was, whatever stands in it."""

import json
from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callcenter.jsontext import to_bytes, to_text

plain = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@given(plain)
def test_it_is_read_back(value: object) -> None:
    assert json.loads(to_bytes(value)) == value
    assert to_text(value).encode() == to_bytes(value)


class Pair(NamedTuple):
    one: str
    two: float


def test_named_tuples_become_arrays_also_inside() -> None:
    assert json.loads(to_bytes([Pair("a", 1.5), (Pair("b", 2.0),)])) == [["a", 1.5], [["b", 2.0]]]


def test_half_a_character_is_escaped() -> None:
    assert to_bytes({"name": "\ud83d"}) == b'{"name":"\\ud83d"}'
    assert to_bytes([Pair("\udc80", 1.0)]) == b'[["\\udc80",1.0]]'


def test_what_is_no_json_is_refused() -> None:
    with pytest.raises(TypeError):
        to_bytes({"when": object()})
