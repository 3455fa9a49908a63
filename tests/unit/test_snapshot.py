"""The snapshot: what Asterisk's lists say, and nothing that they do not."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callcenter.ami import snapshot, version
from callcenter.ami.actions import Action
from callcenter.ami.codec import Message
from callcenter.ami.events import SnapshotChannel
from callcenter.ami.queries import CoreShowChannels, QueueStatus
from callcenter.ami.wire import Response
from callcenter.errors import ActionRefused, ActionUnknown
from tests.fakes.asterisk import channel, queue_status


def item(**changes: str) -> Message:
    return channel(7) | {"Event": "CoreShowChannel", "ActionID": "x"} | changes


def test_a_channel_with_all_its_headers() -> None:
    assert snapshot.channel(item()) == SnapshotChannel(
        uniqueid="lab-1795000000.7",
        linkedid="lab-1795000000.6",
        channel="PJSIP/trunk-00000007",
        state="Up",
        caller_number="13900000007",
        caller_name="张三",
        context="cc-hotline",
        exten="support",
        application="Queue",
        application_data="support,r,,,15",
        bridge="bridge-3",
        age_seconds=65.0,
    )


def test_unknown_and_hostile_values_become_harmless() -> None:
    found = snapshot.channel(item(CallerIDName="<unknown>", CallerIDNum="1\x1b[2J", Duration="soon"))
    assert found is not None
    assert (found.caller_name, found.caller_number, found.age_seconds) == ("", "1 [2J", 0.0)
    assert snapshot.channel({"Event": "CoreShowChannel"}) is None
    assert snapshot.channel(item(Event="CoreShowChannelsStart")) is None


@pytest.mark.parametrize(
    ("text", "seconds"), [("00:00:00", 0), ("00:01:05", 65), ("100:00:01", 360001), ("", 0), ("1:2", 0), ("a:b:c", 0)]
)
def test_durations(text: str, seconds: float) -> None:
    assert snapshot.duration(text) == seconds


@given(st.dictionaries(st.sampled_from([*channel(1), "Event", "Wait", "Queue", "Status"]), st.text(max_size=20)))
def test_no_item_breaks_it(message: Message) -> None:
    snapshot.channel(message | {"Event": "CoreShowChannel"})
    snapshot.waiting_callers([message | {"Event": "QueueEntry"}])


def test_what_identifies_is_never_endless() -> None:
    assert snapshot.channel(item(Uniqueid="1" * 300)) is None
    assert snapshot.channel(item(Channel="PJSIP/" + "1" * 300)) is None
    entry = {"Event": "QueueEntry", "Queue": "q" * 200_000, "Uniqueid": "1.1", "Wait": "3"}
    ((queue, _, _),) = snapshot.waiting_callers([entry, {**entry, "Uniqueid": "1" * 300}])
    assert len(queue) == 80
    told = [{"Event": "QueueParams", "Queue": name} for name in ("it", "it", "q" * 200, "")]
    assert [len(name) for name in snapshot.queues_of([*told, {"Event": "QueueParams"}, entry])] == [2, 80]


async def test_it_is_dated_to_the_reading_of_the_channels() -> None:
    clock = iter([100.0, 200.0])

    async def ask(action: Action) -> Response:
        if isinstance(action, CoreShowChannels):
            return Response({}, tuple(item(Uniqueid=f"lab-1.{n}") for n in range(1_201)))
        assert isinstance(action, QueueStatus)
        return Response({}, tuple(dict(i) for i in queue_status()))

    taken = await snapshot.read(ask, lambda: next(clock))
    assert taken.at == 100.0
    assert len(taken.channels) == 1_201
    assert [(m.at, m.queue, m.member, m.state_interface, m.paused) for m in taken.members] == [
        (100.0, "support", "1001", "PJSIP/1001", False)
    ]
    assert taken.waiting == (("support", "lab-1795000000.0", 7.0),)
    assert taken.queues == ("support",)


async def test_a_site_without_queues_has_a_snapshot_and_one_without_rights_has_none() -> None:
    async def no_queues(action: Action) -> Response:
        if isinstance(action, QueueStatus):
            raise ActionRefused("QueueStatus", "Invalid/unknown command")
        return Response({}, (item(),))

    assert not await snapshot.has_queues(no_queues)
    taken = await snapshot.read(no_queues, lambda: 1.0, queues=False)
    assert (len(taken.channels), taken.members, taken.waiting) == (1, (), ())

    async def silent(action: Action) -> Response:
        raise ActionUnknown(action.NAME, "no answer")

    with pytest.raises(ActionUnknown):
        await snapshot.read(silent, lambda: 1.0)


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("22.10.1+dfsg+~cs6.17", (22, 10, 1)),
        ("16.28.0~dfsg-0+deb11u4", (16, 28, 0)),
        ("certified/20.7-cert5", (20, 7, 0)),
        ("GIT-master-abc123", None),
        ("", None),
    ],
)
def test_versions(text: str, numbers: tuple[int, int, int] | None) -> None:
    assert version.parse(text) == numbers


@pytest.mark.parametrize(
    ("text", "fine"), [("22.10.1", True), ("22.10.0", False), ("22.9.9", False), ("23.0.0", True), ("", False)]
)
def test_the_floor(text: str, fine: bool) -> None:
    assert (version.warning(text) == "") is fine


@pytest.mark.parametrize(
    ("text", "loses"),
    [
        ("22.10.1+dfsg+~cs6.17.60671434-1 built by nobody", True),
        ("22.10.1+dfsg+~cs6.17.60671434-1+callcenter1 built by root", False),
        ("16.28.0~dfsg-0+deb11u4", False),
        ("22.10.1", False),
        ("GIT-master-1234567", False),
    ],
)
def test_builds_that_leave_sound_out_of_recordings(text: str, loses: bool) -> None:
    assert version.loses_sound(text) is loses
