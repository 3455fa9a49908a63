"""Three rings over whole call stories: each step has one id, and is asked for only while the caller waits."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from callcenter.calls.model import Call, Direction, Gate, Phase
from callcenter.rules import three_rings
from callcenter.rules.cadence import BY_COUNTRY
from callcenter.rules.commands import Announce, CancelTimer, OpenGate, StartTimer
from callcenter.rules.timers import Timers
from callcenter.settings import DEFAULT_LADDER

CHINA = BY_COUNTRY["cn"]
GATES = (Gate("2001", "Local/2001@cc-backup-1;2"), Gate("2002", "Local/2002@cc-backup-2;2"))
PHASES = st.sampled_from([Phase.WAITING, Phase.RINGING, Phase.WAITING, Phase.RINGING, Phase.ARRIVED, Phase.TALKING])
MOMENT = st.tuples(st.floats(0.01, 6.0), PHASES, st.integers(0, 2))


@given(st.lists(MOMENT, min_size=1, max_size=15), st.one_of(st.none(), st.floats(0, 4)))
def test_a_step_has_one_id_and_is_asked_for_only_while_the_caller_waits(
    story: list[tuple[float, Phase, int]], rings_after: float | None
) -> None:
    timers, asked, now = Timers(), Counter[str](), 0.0
    before: Call | None = None
    for pause, phase, gates in story:
        now += pause
        rang = None if rings_after is None or now < rings_after else rings_after
        after = Call(
            "pbx",
            "pbx-1.1",
            Direction.INBOUND,
            phase,
            hotline=True,
            waiting_since=0.0,
            first_ring_at=rang,
            caller_channel="PJSIP/trunk-1",
            gates=GATES[:gates],
            answered_at=now if phase is Phase.TALKING else None,
        )
        due = timers.due(now)
        commands = list(three_rings.on_change(before, after, DEFAULT_LADDER, CHINA, now))
        for key in due:
            parsed = three_rings.parse_timer_key(key)
            assert parsed is not None
            commands += three_rings.on_timer(after, parsed[2], DEFAULT_LADDER, CHINA, now)
        for command in commands:
            if isinstance(command, StartTimer):
                timers.start(command.key, command.due_at)
            elif isinstance(command, CancelTimer):
                timers.cancel(command.key)
            else:
                asked[command.command_id] += 1
                assert three_rings.waits(after)
                assert isinstance(command, Announce) or command.channel in {gate.channel for gate in after.gates}
                assert not isinstance(command, OpenGate) or now >= 5.0
        if not three_rings.waits(after):
            assert len(timers) == 0
        before = after
    assert set(asked) <= {"A1/pbx/pbx-1.1/1", *(f"A1/pbx/pbx-1.1/0/{gate.channel}" for gate in GATES)}
