"""The fold's promises, on captures of the real Asterisk: packet borders, repeats, small reorderings change nothing."""

import random
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from callcenter.ami import journal
from callcenter.ami.codec import Decoder
from callcenter.ami.events import Event
from callcenter.ami.parse import WANTED, parse
from callcenter.calls.derive import derive
from callcenter.calls.evidence import Book
from callcenter.calls.fold import fold
from callcenter.calls.model import Call
from callcenter.replay import DEFAULT_TERMS

CAPTURES = Path(__file__).parents[1] / "captures"
STREAMS = sorted(CAPTURES.glob("*.least.ami"))
WINDOW_SECONDS = 0.05
"""Asterisk orders events of different topics within about so long (measured: 53 ms at most)."""


def decoded(data: bytes, pieces: list[int] | None = None) -> list[dict[str, str]]:
    decoder = Decoder(WANTED)
    if pieces is None:
        return decoder.feed(data)
    messages, at = [], 0
    for size in pieces:
        messages += decoder.feed(data[at : at + size])
        at += size
    return messages + decoder.feed(data[at:])


def events_of(path: Path) -> list[Event]:
    return [event for message in decoded(path.read_bytes()) if (event := parse(message)) is not None]


def folded(events: list[Event], slim: bool = False) -> list[Call]:
    book = Book()
    for event in events:
        fold(book, event)
        for call_id, evidence in list(book.calls.items()) if slim else ():
            call = derive(book, evidence, DEFAULT_TERMS)
            if call is None or call.running:
                book.slim(call_id)
    found = [derive(book, evidence, DEFAULT_TERMS) for evidence in book.calls.values()]
    return sorted((call for call in found if call is not None), key=lambda call: call.call_id)


def shuffled(events: list[Event], seed: int) -> list[Event]:
    """Each event may move by up to the window; its Timestamp moves with it."""
    rng = random.Random(seed)
    keyed = [((event.at or 0.0) + rng.uniform(0, WINDOW_SECONDS), number, event) for number, event in enumerate(events)]
    return [event for _, _, event in sorted(keyed, key=lambda item: item[:2])]


@pytest.mark.parametrize("path", STREAMS, ids=lambda path: path.name.split(".")[0])
def test_reordered_and_repeated(path: Path) -> None:
    events = events_of(path)
    truth = folded(events)
    assert truth
    for seed in range(6):
        rng = random.Random(seed)
        twice = [copy for event in shuffled(events, seed) for copy in [event] * rng.choice((1, 1, 2, 3))]
        assert folded(twice) == truth


@pytest.mark.parametrize("path", STREAMS, ids=lambda path: path.name.split(".")[0])
def test_slimmed_while_it_runs(path: Path) -> None:
    """What a running call forgets of its attempts in vain is nothing that anybody asks for later."""
    events = events_of(path)
    assert folded(events, slim=True) == folded(events)


@pytest.mark.parametrize("path", STREAMS[::5], ids=lambda path: path.name.split(".")[0])
def test_byte_by_byte(path: Path) -> None:
    data = path.read_bytes()[:20_000]
    assert decoded(data, [1] * len(data)) == decoded(data)


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(STREAMS), st.lists(st.integers(1, 5_000), max_size=60))
def test_any_packet_borders(path: Path, pieces: list[int]) -> None:
    data = path.read_bytes()
    assert decoded(data, pieces) == decoded(data)


@settings(max_examples=80, deadline=None)
@given(st.sampled_from(STREAMS), st.floats(0, 1), st.floats(0, 1))
def test_cut_anywhere(path: Path, start: float, end: float) -> None:
    """A piece of a capture never raises, and a call of which something is missing says so."""
    data = path.read_bytes()
    first, last = sorted((int(start * len(data)), int(end * len(data))))
    events = [event for message in decoded(data[first:last]) if (event := parse(message)) is not None]
    whole = {call.call_id: call for call in folded(events_of(path))}
    for call in folded(events):
        # A consultation that the piece does not see joined is a call of its own there.
        known = whole.get(call.call_id)
        if known is not None and call.complete and known.complete and call.outcome == known.outcome:
            assert call.arrived_at == known.arrived_at
        assert call.hold_seconds >= 0
        assert call.talk_seconds is None or call.talk_seconds >= 0


@pytest.mark.parametrize("path", STREAMS[::3], ids=lambda path: path.name.split(".")[0])
def test_journal_keeps_events(path: Path) -> None:
    events = events_of(path)
    assert journal.loads(journal.dumps(events)) == events


HEADERS = st.sampled_from(
    ["Event", "Uniqueid", "Linkedid", "Channel", "DestUniqueid", "Queue", "Timestamp", "Privilege"]
)
NAMES = st.sampled_from([*WANTED, "Nonsense", ""])
VALUES = st.one_of(
    st.sampled_from(["1.1", "2.2", "PJSIP/1001-1", "Local/1@x-1;2", "nan", "inf", "-1", "", "1e999"]),
    st.text(max_size=12),
)


@settings(max_examples=400, deadline=None)
@given(st.lists(st.tuples(NAMES, st.dictionaries(HEADERS, VALUES, max_size=7)), max_size=12))
def test_total_on_anything(messages: list[tuple[str, dict[str, str]]]) -> None:
    """Whatever is sent: no exception from bytes to calls, and times that are no times tell nothing."""
    raw = "".join(
        f"Event: {name}\r\n" + "".join(f"{key}: {value}\r\n" for key, value in headers.items()) + "\r\n"
        for name, headers in messages
    )
    events = [
        event for message in decoded(raw.encode("utf-8", "surrogatepass")) if (event := parse(message)) is not None
    ]
    for call in folded(events):
        assert call.call_id


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=600))
def test_codec_on_garbage(data: bytes) -> None:
    whole = decoded(data)
    assert decoded(data, [1] * len(data)) == whole
