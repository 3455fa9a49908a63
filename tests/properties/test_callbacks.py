"""Callbacks over whole stories of one caller: at most one is open, due when the story says, whatever is repeated.

The store is SQLite in memory; the model beside it is a dozen lines of Python that know nothing of rows.
"""

from collections.abc import Iterable
from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import create_engine, select

from callcenter.calls.model import Call, Direction, Outcome, Phase
from callcenter.rules import callbacks as rule
from callcenter.rules.commands import Command, Kept
from callcenter.settings import Settings
from callcenter.store import callbacks as kept
from callcenter.store.callback_tables import callback_calls, callbacks
from callcenter.store.schema import metadata

SITE = Settings()
WHAT = st.sampled_from(["abandoned", "short", "overflowed", "failed", "cut", "answered", "reached", "tried", "closed"])
STORY = st.lists(st.tuples(WHAT, st.floats(1.0, 5000.0), st.integers(1, 3)), min_size=1, max_size=12)


def the_call(what: str, number: int, at: float) -> Call:
    inbound = Call("pbx", f"pbx-{number}.1", Direction.INBOUND, Phase.ENDED, caller_number="13800000001")
    inbound = replace(inbound, arrived_at=at - 40, ended_at=at, wait_seconds=30.0)
    if what in ("reached", "tried"):
        outcome = Outcome.ANSWERED if what == "reached" else Outcome.FAILED
        out = replace(inbound, direction=Direction.OUTBOUND, caller_number="1001", dialled="013800000001")
        return replace(out, outcome=outcome, answered_at=at - 5 if what == "reached" else None, waiting_since=at - 20)
    if what in ("cut", "answered"):
        cut = "network" if what == "cut" else None
        return replace(inbound, outcome=Outcome.ANSWERED, answered_at=at - 10, cut_off=cut)
    outcome = {"short": Outcome.ABANDONED}.get(what) or Outcome(what)
    return replace(inbound, outcome=outcome, wait_seconds=2.0 if what == "short" else 30.0)


@settings(deadline=None, max_examples=60)
@given(STORY)
def test_the_store_owes_what_the_story_says(story: list[tuple[str, float, int]]) -> None:
    engine = create_engine("sqlite://")
    metadata.create_all(engine)
    now, losses, due, tries, rule_ = 1_795_305_600.0, 0, 0.0, 0, ""
    with engine.begin() as connection:
        for number, (what, pause, times) in enumerate(story):
            now += 60 + pause
            if what == "closed":
                connection.execute(callbacks.update().values(state="ended", result="closed"))
                losses = 0
                continue
            call = the_call(what, number, now)
            for _ in range(times):  # a commit that is repeated
                kept.keep(connection, "pbx", _kept(rule.on_change(None, call, SITE, (), now)), now)
            if what in ("reached", "answered", "cut"):
                losses = 0
            if what == "tried" and losses:
                tries += 1
            if what in ("abandoned", "overflowed", "failed", "cut"):
                new = now + (120 if what == "cut" else 3600)
                if not losses:
                    due, tries, rule_ = new, 0, "B5" if what == "cut" else "D11"
                elif new < due:
                    due, rule_ = new, "B5" if what == "cut" else "D11"
                losses += 1
            rows = connection.execute(select(callbacks).where(callbacks.c.state == "open")).all()
            assert len(rows) == (1 if losses else 0)
            if losses:
                assert (rows[0].losses, rows[0].due_at, rows[0].tries, rows[0].rule) == (losses, due, tries, rule_)
        noted = [tuple(row) for row in connection.execute(select(callback_calls.c.call_id, callback_calls.c.kind))]
        assert len(noted) == len(set(noted))
    engine.dispose()


def _kept(commands: Iterable[Command]) -> list[Kept]:
    return [one for one in commands if isinstance(one, Kept)]
