"""At a glance or with care: the same event, whatever the frame looks like."""

from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callcenter.ami import codec
from callcenter.ami.events import Event
from callcenter.ami.glance import EventDecoder, glance, known
from callcenter.ami.parse import WANTED, parse

CAPTURES = Path(__file__).parents[1] / "captures"
FRAMES = [
    frame
    for path in sorted(CAPTURES.glob("*.least.ami"))
    for frame in path.read_bytes().split(b"\r\n\r\n")
    if frame.startswith(b"Event: ")
]


def with_care(frame: bytes) -> Event | None:
    message = codec.parse(frame)
    return None if message is None else parse(message)


def test_every_frame_of_the_captures_reads_the_same() -> None:
    seen: Counter[str] = Counter()
    for frame in FRAMES:
        event = glance(frame)
        if event is not None:
            seen[type(event).__name__] += 1
            assert event == with_care(frame)
    assert known() <= WANTED.keys()
    assert len(seen) == len(known()), "a shape that no capture shows is not proved"


ODD_LINES = (
    *(
        b"Uniqueid: lab-9.9",
        b"Linkedid: lab-9.9",
        b"Channel: PJSIP/evil-1",
        b"CallerIDName: a\\r\\nb",
        b"X:y",
        b"Queue: q",
    ),
    *(b"", b"Privilege: call,all", b"Event: Hangup", b"Timestamp: 1.0", b"CallerIDNum: \xd5\xc5", b"Cause: 1e9"),
)


@given(st.sampled_from(FRAMES), st.data())
def test_a_frame_that_was_tampered_with_is_read_as_it_is_with_care(frame: bytes, data: st.DataObject) -> None:
    parts = frame.split(b"\r\n")
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(1, len(parts)))
        how = data.draw(st.sampled_from(["insert", "drop", "repeat", "empty", "stretch"]))
        if how == "insert":
            parts.insert(at, data.draw(st.sampled_from(ODD_LINES)))
        elif how == "repeat":
            parts.insert(at, parts[at - 1])
        elif how == "stretch" and at < len(parts):
            parts[at] += b"x" * data.draw(st.sampled_from([70, 80, 250, 256, 300, 5_000]))
        elif at < len(parts):
            parts[at : at + 1] = [parts[at].partition(b": ")[0] + b": "] if how == "empty" else []
    tampered = b"\r\n".join(parts)
    event = glance(tampered)
    assert event is None or event == with_care(tampered)


@pytest.mark.parametrize("stamp", [b"nan", b"-1.0", b"inf", b"99999999999999.0", b"0.0", b""])
def test_a_time_that_cannot_be_is_looked_at_with_care(stamp: bytes) -> None:
    frame = next(frame for frame in FRAMES if frame.startswith(b"Event: Newstate\r\n"))
    told = frame.split(b"\r\nTimestamp: ")[1].split(b"\r\n")[0]
    assert glance(frame) is not None
    assert glance(frame.replace(told, stamp, 1)) is None


def test_a_header_that_came_twice_is_dropped_and_counted() -> None:
    frame = next(frame for frame in FRAMES if frame.startswith(b"Event: Hangup\r\n"))
    decoder = EventDecoder(WANTED)
    assert decoder.read(frame + b"\r\nUniqueid: lab-0.0\r\n\r\n") == []
    assert decoder.counts["hostile"] == 1
