"""What is true now: who rings and talks, phones and pauses, the queues' live figures."""

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Literal

import pytest
from prometheus_client.core import Metric

from callcenter.ami.events import LinkLost, MemberGone, MemberState, Snapshot
from callcenter.ami.status import LinkStatus
from callcenter.calls.model import Direction, Phase
from callcenter.desk import LiveDesk, finishers
from callcenter.metrics.figures import Figures
from callcenter.settings import Intake, Queue, Settings, Site
from callcenter.web.ports import LinkState, Phone
from tests.fakes import calls as story
from tests.fakes.pipeline import Run
from tests.fakes.story import CALL_ID, T0, Legs, told

RINGS = """
    0.0 Newchannel       caller Ring 13800138000 4008
    0.1 QueueCallerJoin  caller it
    0.2 Newchannel       1001 Down
    0.2 DialBegin        1001
    0.3 Newstate         1001 Ringing
    0.3 Newchannel       1002 Down
    0.3 DialBegin        1002
    0.4 Newstate         1002 Ringing
"""
LIFTED = """
    3.0 Newstate         1001 Up
    3.0 DialEnd          1002 CANCEL
    3.0 Hangup           1002 26
    3.0 QueueCallerLeave caller it
"""
ENDED = "9.0 Hangup caller\n9.0 Hangup 1001"
SETTINGS = Settings(
    site=Site(company="示例服务"),
    intake=Intake(batch_ms=0),
    queues=MappingProxyType({"it": Queue(title="信息", company="甲", rings=4, wrapup_seconds=30)}),
)


class Room:
    """A desk that a pipeline tells."""

    def __init__(self) -> None:
        self.run = Run(settings=SETTINGS)
        self.status = LinkStatus("up")
        self.desk = LiveDesk(SETTINGS, self.run.pipeline, lambda: self.status)
        self.legs = Legs()

    async def tell(self, table: str) -> None:
        await self.hear(*told(table, self.legs))

    async def hear(self, *events: object) -> None:
        changes, seats = len(self.run.changes), len(self.run.seats)
        await self.run.feed(events)  # type: ignore[arg-type]
        self.desk.changed(self.run.changes[changes:], [seat for told in self.run.seats[seats:] for seat in told])

    def calls_of(self, seat: str) -> list[str]:
        return [call.call_id for call in self.desk.calls_of(seat)]

    def _told(self) -> Iterable[Metric]:
        figures = Figures(groups={"day": ("1001",), "night": ("1009",)})
        return self.desk.gauges(figures.queue, groups=figures.groups)

    def families(self) -> set[str]:
        return {family.name.removeprefix("callcenter_") for family in self._told()}

    def gauges(self) -> Mapping[tuple[str, ...], float]:
        samples = [sample for family in self._told() for sample in family.samples]
        return {(sample.name.removeprefix("callcenter_"), *sample.labels.values()): sample.value for sample in samples}


@pytest.fixture
def room() -> Room:
    return Room()


async def test_a_call_is_on_the_desks_it_rings_at_then_on_the_one_that_lifted(room: Room) -> None:
    await room.tell(RINGS)
    assert (room.calls_of("1001"), room.calls_of("1002"), room.calls_of("1003")) == ([CALL_ID], [CALL_ID], [])
    await room.tell(LIFTED)
    assert (room.calls_of("1001"), room.calls_of("1002")) == ([CALL_ID], [])
    await room.tell(ENDED)
    assert room.calls_of("1001") == []


async def test_who_is_dialled_or_dials_is_on_the_phone_from_the_first_moment(room: Room) -> None:
    own = Legs(phone="1001")
    await room.hear(*told("0.0 Newchannel caller Down 1001\n0.0 Clicked caller", own))
    found = room.desk.on_phone("1001")
    assert found is not None
    assert (found.clicked_by, found.lifted_to_dial_at, room.calls_of("1001")) == ("1001", None, [])
    assert room.desk.on_phone("1002") is None
    await room.hear(*told("9.0 Hangup caller 19", own))
    assert room.desk.on_phone("1001") is None


async def test_who_talks_is_on_the_phone(room: Room) -> None:
    await room.tell(RINGS + LIFTED)
    assert room.desk.on_phone("1001") is not None
    assert room.desk.on_phone("1002") is None


async def test_the_last_call_is_that_of_whoever_lifted(room: Room) -> None:
    await room.tell(RINGS + LIFTED)
    assert room.desk.last_call("1001") is None
    await room.tell(ENDED)
    last = room.desk.last_call("1001")
    assert last is not None
    assert last.call_id == CALL_ID
    assert room.desk.last_call("1002") is None


async def test_the_board_shows_running_calls_of_the_hotline(room: Room) -> None:
    await room.tell(RINGS)
    assert room.desk.calls() == [], "it did not come through the hotline's dialplan"
    await room.tell("0.0 UserEvent caller CallcenterStep Step=arrival Queue=it")
    assert [call.call_id for call in room.desk.calls()] == [CALL_ID]
    await room.tell(LIFTED + ENDED)
    assert room.desk.calls() == []


def member(
    queue: str = "it",
    status: int | None = 1,
    paused: bool = False,
    interface: str = "PJSIP/1001",
    paused_at: float | None = None,
) -> MemberState:
    return MemberState(T0, queue, interface, "", "1001", status, paused, "", paused_at)


@pytest.mark.parametrize(
    ("status", "phone"),
    [
        (1, Phone.IDLE),
        (2, Phone.IN_USE),
        (3, Phone.IN_USE),
        (4, Phone.UNREACHABLE),
        (5, Phone.UNREACHABLE),
        (6, Phone.RINGING),
        (7, Phone.RINGING),
        (8, Phone.IN_USE),
        (0, Phone.UNKNOWN),
        (99, Phone.UNKNOWN),
        (None, Phone.UNKNOWN),
    ],
)
async def test_a_phones_state_by_app_queue(status: int | None, phone: Phone, room: Room) -> None:
    await room.hear(member(status=status))
    assert room.desk.seat("1001").phone is phone


async def test_a_snapshot_tells_the_phones_and_forgets_who_is_no_member_any_more(room: Room) -> None:
    await room.hear(member(interface="PJSIP/1002"))
    await room.hear(Snapshot(T0 + 1, (), (member(status=6),), ()))
    assert room.desk.seat("1001").phone is Phone.RINGING
    assert room.desk.seat("1002").phone is Phone.UNKNOWN


async def test_a_seat_is_paused_where_it_is_paused_in_all_its_queues(room: Room) -> None:
    await room.hear(member("it", paused=True), member("vip"))
    assert not room.desk.seat("1001").paused
    room.run.clock.advance(5)
    await room.hear(member("vip", paused=True))
    seat = room.desk.seat("1001")
    assert (seat.paused, seat.paused_since) == (True, T0 + 5)
    room.run.clock.advance(5)
    await room.hear(member("vip", paused=True))
    assert room.desk.seat("1001").paused_since == T0 + 5, "told again is no new pause"
    await room.hear(MemberGone(T0, "it", "PJSIP/1001"), MemberGone(T0, "vip", "PJSIP/1001"))
    assert not room.desk.seat("1001").paused


async def test_a_break_is_counted_since_asterisk_began_it(room: Room) -> None:
    """Also when we start in its middle, and when a call rings the paused seat."""
    await room.hear(Snapshot(T0, (), (member("it", paused=True, paused_at=T0 - 900),), ()))
    assert room.desk.seat("1001").paused_since == T0 - 900
    room.run.clock.advance(5)
    await room.hear(member("it", status=6, paused=True, paused_at=T0 - 900))
    seat = room.desk.seat("1001")
    assert (seat.paused_since, seat.since) == (T0 - 900, T0 + 5)
    await room.hear(member("vip", paused=True, paused_at=T0 - 60))
    assert room.desk.seat("1001").paused_since == T0 - 60, "of all its queues since the last"
    await room.hear(member("it", paused=True))
    assert room.desk.seat("1001").paused_since == T0 + 5, "one queue does not tell: what we saw ourselves"
    await room.hear(member("vip"))
    assert room.desk.seat("1001").paused_since is None


async def test_a_seat_has_its_persons_name_and_number(room: Room) -> None:
    room.desk.people({"1001": ("018", "李晓雯"), "1002": (None, "王建国")})
    assert [(seat.extension, seat.work_number, seat.display_name) for seat in room.desk.seats()] == [
        ("1001", "018", "李晓雯"),
        ("1002", None, "王建国"),
    ]
    assert [room.desk.work_number(seat) for seat in ("1001", "1002", "1003")] == ["018", "", None]


async def test_the_interfaces_of_a_seat_are_all_its_members(room: Room) -> None:
    behind = MemberState(T0, "it", "Local/1001@seats/n", "PJSIP/1001", "", 1, False, "")
    await room.hear(member("it"), member("vip"), behind)
    assert room.desk.interfaces_of("1001") == ["Local/1001@seats/n", "PJSIP/1001"]


def test_a_queue_has_its_title_company_and_ladder(room: Room) -> None:
    known, other = room.desk.queue("it"), room.desk.queue(None)
    assert (known.title, known.company, known.rings, known.wrapup_seconds) == ("信息", "甲", 4, 30.0)
    assert (other.name, other.company, other.rings, [step.do for step in other.ladder]) == (
        "",
        "示例服务",
        3,
        ["widen", "announce"],
    )


@pytest.mark.parametrize("state", ["connecting", "refused", "up", "lost"])
def test_the_link_is_told_as_it_is(state: str, room: Room) -> None:
    room.status = LinkStatus(state, 5.0, "why", "what to do")  # type: ignore[arg-type]
    link = room.desk.link()
    assert (link.state, link.since, link.reason, link.remedy) == (LinkState(state), 5.0, "why", "what to do")


async def test_live_figures_of_the_queues_and_the_seats(room: Room) -> None:
    await room.tell(RINGS)
    await room.hear(member(status=6), member(interface="PJSIP/1003"), member(interface="PJSIP/1004", paused=True))
    room.run.clock.advance(7)
    figures = room.gauges()
    assert figures["calls_running", "it", "ringing"] == 1
    assert figures["queue_waiting_calls", "it"] == 1
    assert figures["queue_longest_wait_seconds", "it"] == pytest.approx(6.9)
    assert [figures["seats", state] for state in ("ringing", "idle", "paused")] == [1, 1, 1]
    of_groups = {key[1:]: count for key, count in figures.items() if key[0] == "seat_group_seats"}
    assert {key for key, count in of_groups.items() if count} == {
        ("day", "ringing"),
        ("none", "idle"),
        ("none", "paused"),
    }
    assert {group for group, _ in of_groups} == {"day", "night", "none"}
    await room.tell(LIFTED)
    assert ("queue_waiting_calls", "it") not in room.gauges()


async def test_a_caller_for_whom_the_dialplan_rings_a_seat_directly_is_told_apart_from_one_who_hears_a_menu(
    room: Room,
) -> None:
    """Of no queue, the one waits for a seat, and CallcenterLongWait says so (A1); the other still chooses."""
    await room.tell("0.0 Newchannel caller Ring 13800138000 4008")
    room.run.clock.advance(70)
    figures = room.gauges()
    assert figures["queue_longest_wait_seconds", "none"] == pytest.approx(70)
    assert figures["queue_longest_ringing_seconds", "none"] == 0
    await room.tell("70.0 Newchannel 1001 Down\n70.0 DialBegin 1001\n70.5 Newstate 1001 Ringing")
    room.run.clock.advance(62)
    assert room.gauges()["queue_longest_ringing_seconds", "none"] == pytest.approx(62, abs=1)
    await room.tell("132.0 Newstate 1001 Up")
    assert ("queue_longest_ringing_seconds", "none") not in of_callers(room)


def of_callers(room: Room) -> dict[tuple[str, ...], float]:
    names = {
        f"queue_{name}"
        for name in ("waiting_calls", "longest_wait_seconds", "longest_ringing_seconds", "longest_hold_seconds")
    }
    return {key: value for key, value in room.gauges().items() if key[0] in names and value}


async def test_calls_among_our_own_seats_neither_wait_nor_are_held_for_the_hotline(room: Room) -> None:
    """Nobody of the hotline waits, so that no alert says so (A1, B2)."""
    room.legs = Legs(phone="1001")
    await room.hear(member(), member(interface="PJSIP/1002"))
    await room.tell("""
        0.0 Newchannel       caller Ring 1001 1002
        0.1 Newchannel       1002 Down
        0.1 DialBegin        1002
        0.2 Newstate         1002 Ringing
    """)
    room.run.clock.advance(40)
    (call,) = room.run.pipeline.calls.values()
    assert (call.direction, call.phase) == (Direction.INTERNAL, Phase.RINGING)
    assert of_callers(room) == {}
    await room.tell("41.0 Newstate 1002 Up\n42.0 Hold 1002")
    room.run.clock.advance(90)
    (call,) = room.run.pipeline.calls.values()
    assert call.phase is Phase.HELD
    assert of_callers(room) == {}


async def test_a_held_caller_is_counted_since_the_hold_began(room: Room) -> None:
    await room.tell(RINGS + LIFTED + "20.0 Hold 1001")
    room.run.clock.advance(60)
    assert room.gauges()["queue_longest_hold_seconds", "it"] == pytest.approx(40)


@pytest.mark.parametrize("state", ["connecting", "refused", "lost"])
async def test_without_the_link_no_live_figure_is_told(state: Literal["connecting", "refused", "lost"]) -> None:
    """The caller may be talking or gone, and the seats' phones may be anything: the wall says "unknown", so does
    /metrics. What is known is told again once the link is back."""
    room = Room()
    await room.tell(RINGS)
    await room.hear(member(), member(interface="PJSIP/1002"))
    before = room.gauges()
    assert before["queue_waiting_calls", "it"] == 1
    room.status = LinkStatus(state, 5.0, "why", "what to do")
    await room.hear(LinkLost(T0 + 1, "closed"))
    room.run.clock.advance(120)
    assert room.gauges() == {}
    assert {key[0] for key in before} == room.families(), "they are named, without samples"
    room.status = LinkStatus("up")
    assert room.gauges()["queue_longest_wait_seconds", "it"] > 100


def of_seats(room: Room) -> dict[str, set[tuple[str, ...]]]:
    """The state that each metric counts a seat in, other seats' left out."""
    return {
        name: {key[1:] for key, count in room.gauges().items() if key[0] == name and count}
        for name in ("seats", "queue_seats", "seat_group_seats")
    }


def told_as(state: str) -> dict[str, set[tuple[str, ...]]]:
    return {"seats": {(state,)}, "queue_seats": {("it", state)}, "seat_group_seats": {("day", state)}}


async def test_a_seat_that_pauses_in_its_call_is_in_it_until_the_ticket_is_finished(room: Room) -> None:
    """As on the wall: the pause begins after the wrap-up. Occupancy keeps it till then."""
    room.desk.people({"1001": ("018", "")})
    await room.hear(member())
    await room.tell("0.0 Newchannel caller Ring 13800138000 4008\n0.2 Newchannel 1001 Down\n0.2 DialBegin 1001")
    await room.hear(member(status=6))
    await room.tell("0.3 Newstate 1001 Ringing")
    assert of_seats(room) == told_as("ringing")
    await room.tell("3.0 Newstate 1001 Up")
    await room.hear(member(status=2, paused=True))
    assert of_seats(room) == told_as("in_use")
    await room.tell("5.0 Hold 1001")
    assert of_seats(room) == told_as("hold")
    await room.tell("7.0 Unhold 1001\n9.0 Hangup caller\n9.0 Hangup 1001")
    await room.hear(member(status=1, paused=True))
    assert of_seats(room) == told_as("wrapup")
    room.desk.wrapped_up(CALL_ID)
    assert of_seats(room) == told_as("paused")


async def test_a_seat_that_is_paused_in_one_queue_alone_is_paused_there(room: Room) -> None:
    await room.hear(member("it", paused=True), member("vip"))
    found = of_seats(room)
    assert found["seats"] == {("idle",)}
    assert found["queue_seats"] == {("it", "paused"), ("vip", "idle")}
    assert room.desk.paused_in("1001") == ["it"]
    await room.hear(member("vip", paused=True), member("it", interface="Local/1001@seats/n"))
    assert room.desk.paused_in("1001") == ["vip"], "of two members of a queue one rings"


async def test_a_seat_wraps_up_until_its_ticket_is_finished(room: Room) -> None:
    room.desk.people({"1001": ("018", ""), "1002": ("019", "")})
    await room.tell(RINGS + LIFTED)
    await room.hear(member(status=1), MemberState(T0, "it", "PJSIP/1002", "", "1002", 1, False, ""))
    await room.tell(ENDED)
    assert room.gauges()["seats", "wrapup"] == 1
    assert room.gauges()["queue_seats", "it", "wrapup"] == 1
    call = room.desk.wrapped_up(CALL_ID)
    assert call is not None
    assert call.ended_at is not None
    assert (room.gauges()["seats", "wrapup"], room.gauges()["seats", "idle"]) == (0, 2)
    assert room.desk.wrapped_up(CALL_ID) is None


def test_who_hands_a_call_on_has_no_wrap_up_when_somebody_else_ends_it() -> None:
    answered = story.talking(story.ringing(100.0, seat="1001"), 103.0)
    handed = story.handed_on(answered, 120.0, "1002")
    nobody = story.ended(handed, 130.0)
    assert finishers(nobody) == {"1001"}, "the transfer rang in vain"
    taken = story.ended(story.talking(handed, 125.0, "1002"), 150.0)
    assert finishers(taken) == {"1002"}
    back = story.talking(story.handed_on(story.talking(handed, 125.0, "1002"), 140.0, "1001"), 145.0, "1001")
    assert finishers(story.ended(back, 160.0)) == {"1001"}
    assert finishers(story.ended(answered, 110.0)) == {"1001"}
    assert finishers(story.abandoned(story.ringing(100.0), 105.0)) == frozenset()


async def test_a_ticket_finished_during_the_call_leaves_no_wrap_up(room: Room) -> None:
    room.desk.people({"1001": ("018", "")})
    await room.tell(RINGS + LIFTED)
    assert room.desk.wrapped_up(CALL_ID) is not None
    await room.hear(member(status=1))
    await room.tell(ENDED)
    assert room.gauges()["seats", "wrapup"] == 0
