"""Actions: whatever is put in, either a refusal or exactly one AMI message that reads back as the same fields."""

import dataclasses
import inspect
import typing

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callcenter.ami import actions, queries
from callcenter.ami.actions import Action, Hangup, MixMonitorMute, Originate, QueuePause, Redirect, encode
from callcenter.ami.queries import Getvar, Login
from callcenter.errors import BadInput
from tests.fakes.asterisk import read_actions

ALL = sorted(
    {
        kind
        for module in (actions, queries)
        for _, kind in inspect.getmembers(module, inspect.isclass)
        if issubclass(kind, Action) and kind is not Action and not kind.__name__.startswith("_")
    },
    key=lambda kind: kind.__name__,
)

GOOD: dict[str, list[typing.Any]] = {
    "channel": ["PJSIP/trunk-0000002a", "Local/1001@cc-seat-00000001;2", "lab-1795000000.7", "click-1-a"],
    "caller": ["PJSIP/trunk-0000002a", "lab-1795000000.7"],
    "context": sorted(actions.CONTEXTS),
    "exten": ["1001", "support", "*8", "+8613900000000"],
    "variable": sorted(queries.READABLE_VARIABLES | queries.READABLE_GLOBALS),
    "endpoint": ["PJSIP/1001"],
    "number": ["13900000000", "+8613900000000", "*8#"],
    "channel_id": ["click-1-a"],
    "interface": ["PJSIP/1001", "Local/1001@cc-seat/n"],
    "reason": ["", "午餐", "break (short), back: 13:00"],
    "queue": ["support", "售后"],
    "info": ["", "announce"],
    "direction": ["read", "write", "both"],
    "user": ["callcenter"],
    "secret": ["s3cret", "a: b", "密码"],
    "cause": [16, 17],
    "ring_seconds": [30],
    "paused": [True, False],
    "on": [True, False],
    "stream": ["8c5d7b1e-0000-4000-8000-0123456789ab"],
    "host": ["127.0.0.1", "pbx.example.org"],
    "port": [9092],
    "uniqueid": ["lab-1795000000.7"],
}
HOSTILE = st.one_of(
    st.text(max_size=60),
    st.text(alphabet="\r\n\0 :&|,/;${}1a*\u2028\u0085张", max_size=30),
    st.builds("{}{}{}".format, st.text(max_size=8), st.sampled_from(["\r\n", "\n", "\r", "\0"]), st.text(max_size=30)),
    st.text(alphabet="a1", min_size=900, max_size=1100),
)


@st.composite
def attempts(draw: st.DrawFn) -> tuple[type[Action], dict[str, typing.Any]]:
    """An action type with good values in all fields, and hostile text in some of the text fields."""
    kind = draw(st.sampled_from(ALL))
    values = {}
    for field in dataclasses.fields(kind):
        good = st.sampled_from(GOOD[field.name])
        is_text = isinstance(GOOD[field.name][0], str)
        values[field.name] = draw(st.one_of(good, HOSTILE) if is_text else good)
    return kind, values


@given(attempts())
def test_any_text_gives_a_refusal_or_exactly_one_message_with_equal_fields(
    attempt: tuple[type[Action], dict[str, typing.Any]],
) -> None:
    kind, values = attempt
    try:
        action = kind(**values)
        wire = encode(action, "cc/1")
    except ValueError:
        return
    assert wire.endswith(b"\r\n\r\n")
    read = read_actions(wire)
    assert read == [[("Action", kind.NAME), ("ActionID", "cc/1"), *action.headers()]]
    assert all(len(line) <= 1024 for line in wire.split(b"\n"))


@pytest.mark.parametrize("kind", ALL, ids=lambda kind: kind.__name__)
def test_good_values_are_accepted_and_each_text_field_refuses_line_ends(kind: type[Action]) -> None:
    values = {field.name: GOOD[field.name][0] for field in dataclasses.fields(kind)}
    if kind is queries.GetGlobal:
        values["variable"] = queries.UTC_OFFSET
    elif kind is Getvar:
        values["variable"] = "CC_CALL"
    assert encode(kind(**values), "cc/1").startswith(b"Action: " + kind.NAME.encode() + b"\r\n")
    for name, value in values.items():
        if isinstance(value, str):
            for end in ("\r\n", "\n", "\r", "\0"):
                with pytest.raises(ValueError, match=name):
                    kind(**values | {name: f"x{end}Action: Command{end}Command: core stop now"})


@pytest.mark.parametrize(
    "number", ["", "1&2", "1|2", "1,2", "1001@evil", "${SHELL(id)}", "1 2", "1" * 33, "１２３", "1\n"]
)
def test_numbers_are_digits_plus_star_and_hash_only(number: str) -> None:
    with pytest.raises(BadInput, match="number") as refusal:
        Originate("PJSIP/1001", number, "click-1-a")
    assert number not in str(refusal.value) or not number


@pytest.mark.parametrize("channel", ["/^PJSIP/", "", "PJSIP/a&PJSIP/b", "PJSIP/a,30", "PJSIP/a|b", "all calls"])
def test_a_channel_is_never_a_pattern_or_a_list(channel: str) -> None:
    with pytest.raises(BadInput, match="channel"):
        Hangup(channel)


def test_contexts_and_variables_are_closed_lists() -> None:
    with pytest.raises(BadInput, match="context must be one of"):
        Redirect("PJSIP/a-1", "from-internal", "1001")
    with pytest.raises(BadInput, match="variable must be one of"):
        Getvar("PJSIP/a-1", "SHELL(id)")


def test_an_originate_is_asynchronous_and_keeps_its_id() -> None:
    (headers,) = read_actions(encode(Originate("PJSIP/1001", "13900000000", "click-1-a"), "cc/9"))
    assert dict(headers) == {
        "Action": "Originate",
        "ActionID": "cc/9",
        "Channel": "PJSIP/1001",
        "Context": "cc-click",
        "Exten": "13900000000",
        "Priority": "1",
        "Timeout": "30000",
        "ChannelId": "click-1-a",
        "Async": "true",
    }


def test_encode_looks_again_even_if_a_field_slipped_through() -> None:
    action = QueuePause("PJSIP/1001", True)
    object.__setattr__(action, "reason", "x\nAction: Command")
    with pytest.raises(BadInput, match="line end"):
        encode(action, "cc/1")
    object.__setattr__(action, "reason", "x" * 1020)
    with pytest.raises(BadInput, match="1024 bytes"):
        encode(action, "cc/1")


def test_whole_numbers_keep_their_range() -> None:
    with pytest.raises(BadInput, match="cause must be a whole number from 0 to 127"):
        Hangup("PJSIP/a-1", 128)
    with pytest.raises(BadInput, match="ring_seconds"):
        Originate("PJSIP/1001", "1", "x", ring_seconds=True)
    with pytest.raises(BadInput, match="direction"):
        MixMonitorMute("PJSIP/a-1", typing.cast(typing.Literal["both"], "all"), True)


def test_a_login_never_shows_its_secret() -> None:
    assert "s3cret" not in repr(Login("callcenter", "s3cret"))
    with pytest.raises(BadInput) as refusal:
        Login("callcenter", "two\nlines")
    assert "two" not in str(refusal.value)


def test_a_listening_channel_leads_nowhere_but_to_listening() -> None:
    stream = "8c5d7b1e-0000-4000-8000-0123456789ab"
    (headers,) = read_actions(encode(actions.Listen(stream, "127.0.0.1", 9092, "pbx-1795000000.7"), "cc/1"))
    sent = dict(headers)
    assert sent["Channel"] == f"AudioSocket/127.0.0.1:9092/{stream}"
    assert (sent["Context"], sent["Variable"]) == ("cc-listen", "CC_LISTEN_TO=pbx-1795000000.7")
    assert sent["ChannelId"] == f"listen-{stream}"
    for wrong in ("PJSIP/1001", "a,b", "x\nAction: Command", "${EXTEN}"):
        with pytest.raises(BadInput):
            actions.Listen(stream, "127.0.0.1", 9092, wrong)
