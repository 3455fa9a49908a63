"""Property: whatever machines, other persons and merges do in between, what a person typed last stays (C2)."""

import asyncio
from itertools import count
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from callcenter.store import Store
from callcenter.tickets.model import FIELDS, normalise
from tests.store.build import NOW, call, commit, patch
from tests.store.places import sqlite_place

NAMES = st.sampled_from(["caller_name", "phone", "problem", "category"])
TEXTS = st.text(max_size=12)
PEOPLE = st.sampled_from(["anna", "ben"])
STEPS = st.one_of(
    st.tuples(st.just("type"), PEOPLE, st.dictionaries(NAMES, TEXTS, min_size=1), st.integers(0, 9)),
    st.tuples(st.just("machine"), st.dictionaries(NAMES, TEXTS, min_size=1)),
    st.tuples(st.just("call"), TEXTS, TEXTS),
    st.tuples(st.just("close"), PEOPLE),
)


async def play(store: Store, call_id: str, steps: list[tuple]) -> None:  # type: ignore[type-arg]
    await commit(store, call(call_id))
    ticket = await store.tickets.by_call("pbx", call_id)
    assert ticket is not None
    typed: dict[str, str] = {}
    replaced: list[str] = []
    for step in steps:
        match step:
            case ("type", by, texts, base):
                before = (await store.tickets.get(ticket.id)).fields
                await store.tickets.save_fields(ticket.id, texts, by, NOW, base)
                replaced += [before[name] for name in texts if before[name] != normalise(name, texts[name])]
                typed |= {name: normalise(name, text) for name, text in texts.items()}
            case ("machine", texts):
                await commit(store, tickets=[patch(call_id, **texts)])
            case ("call", name, number):
                await commit(store, call(call_id, caller_name=name, caller_number=number))
            case ("close", by):
                await store.tickets.close(ticket.id, by, NOW)
    stored = await store.tickets.get(ticket.id)
    assert {name: stored.fields[name] for name in typed} == typed
    assert stored.typed == set(typed)
    assert set(stored.fields) == set(FIELDS)
    audited = [change.old for change in await store.tickets.changes(ticket.id) if change.field in FIELDS]
    assert sorted(audited) == sorted(replaced), "every text that was replaced is in the history"


def test_what_a_person_typed_stays(tmp_path_factory) -> None:  # type: ignore[no-untyped-def]
    place = sqlite_place(Path(tmp_path_factory.mktemp("typed")))
    ids = count()
    with asyncio.Runner() as runner:
        runner.run(place.migrate())
        store = runner.run(Store.open(place.url, synchronous="NORMAL"))

        @settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
        @given(st.lists(STEPS, max_size=12))
        def check(steps: list[tuple]) -> None:  # type: ignore[type-arg]
            runner.run(play(store, f"c{next(ids)}", steps))

        try:
            check()
        finally:
            runner.run(store.close())
