"""Which calls are listened to, what becomes of them, and what the windows are told; without a recogniser."""

from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest

from callcenter.calls.model import Call, Ring, RingResult
from callcenter.clock import Clock
from callcenter.settings import Live as LiveSettings
from callcenter.settings import Queue, Settings, Speech
from callcenter.speech import live
from callcenter.speech.live import Live
from callcenter.web_ports import HeardNow
from tests.fakes import calls as story

NOW = 1_800_000_000.0
REFUSAL = {"phrase": "refusal", "rule": "B8", "kind": "forbidden", "found": True, "heard": "不行", "band": "sure"}


class House:
    """Everything around ``Live``, and what it was told."""

    def __init__(self, mask_from_digits: int = 7, **chosen: Any) -> None:
        settings = Settings(
            live=LiveSettings(model=Path("model"), **chosen),
            speech=Speech(mask_from_digits=mask_from_digits),
            queues=MappingProxyType({"it": Queue(live=True), "private": Queue()}),
        )
        self.told: list[str] = []
        self.alarms = 0
        self.observed: list[str] = []
        self.orders: list[dict[str, Any]] = []
        self.live = Live(
            settings,
            self.listen,
            lambda seat: "018",
            lambda call, seat: True,
            self.told.append,
            self.alarm,
            lambda what, amount: self.observed.append(what),
            Clock(),
        )
        assert self.live.worker is not None
        self.worker = self.live.worker
        self.worker.port = 9999
        self.worker.order = self.orders.append  # type: ignore[method-assign]

    async def listen(self, stream: str, port: int, uniqueid: str) -> None:
        raise AssertionError("nobody runs")

    def alarm(self) -> None:
        self.alarms += 1

    def say(self, kind: str, call: str = "", **more: Any) -> None:
        """One message of the child."""
        self.live.take({"kind": kind, "call": call or self.orders[-1]["call"], **more})

    def words(self, speaker: str, *final: str, partial: Any = ()) -> None:
        words = [[word, 1.0, 1.2, 1.0] for word in final]
        self.say("heard", speaker=speaker, final=words, partial=partial, missed=0.0, lag=0.1)

    def seen(self, seat: str = "1001") -> Any:
        return HeardNow(self.live, lambda call_id: 7).heard(seat)


def talking(call_id: str = "a", seat: str = "1001", queue: str = "it") -> Call:
    call = story.talking(story.ringing(NOW, call_id=call_id, seat=seat), NOW)
    ring = Ring(seat, f"{call_id}-leg", NOW, NOW + 1, RingResult.ANSWERED)
    return replace(call, queue=queue, rings=(ring,), talking_to=(seat,))


def test_both_directions_are_announced_and_only_once() -> None:
    house = House()
    for _ in range(3):
        house.live.changed([talking()])
    assert [order["speaker"] for order in house.orders] == ["seat", "caller"]
    assert {order["seat"] for order in house.orders} == {"018"}
    talk = house.live.talk("1001")
    assert talk is not None
    assert talk.channels == {"seat": "a-leg", "caller": "a"}
    assert house.seen().state == "starting"


@pytest.mark.parametrize(("queue", "seat"), [("private", "1001"), ("it", "1003"), ("", "1001")])
def test_queues_and_seats_that_did_not_ask_are_left_alone(queue: str, seat: str) -> None:
    house = House(not_seats=("1003",))
    house.live.changed([talking(queue=queue, seat=seat)])
    assert house.orders == []
    assert house.seen(seat) is None


def test_without_a_model_nothing_runs() -> None:
    settings = Settings(queues=MappingProxyType({"it": Queue()}))
    nobody: Any = None
    one = Live(settings, nobody, nobody, nobody, nobody, nobody, nobody, Clock())
    one.changed([talking()])
    assert one.worker is None
    assert one.talk("1001") is None


def test_beyond_the_limit_the_window_says_so_and_nothing_is_asked() -> None:
    house = House(calls=1)
    house.live.changed([talking("a", "1001")])
    orders = len(house.orders)
    house.live.changed([talking("b", "1002")])
    assert len(house.orders) == orders
    assert house.seen("1002").state == "busy"
    assert house.observed == ["busy"]
    house.live.changed([replace(talking("a", "1001"), phase=story.ended(talking("a"), NOW).phase, talking_to=())])
    house.live.changed([talking("c", "1003")])
    assert house.seen("1003").state == "starting"


def test_words_are_in_order_and_guesses_are_marked() -> None:
    house = House()
    house.live.changed([talking()])
    house.say("begin", speaker="seat")
    house.words("seat", "您", "好", partial=[["caller", ["我", "的"], 2.0]])
    lines = house.seen().lines
    assert [(line.speaker, line.text, line.guess) for line in lines] == [
        ("seat", "您好", False),
        ("caller", "我的", True),
    ]
    assert house.seen().state == "listening"
    assert house.told.count("1001") >= 3


NUMBER = "一三八二二四六三五七九"


def shown(house: House) -> list[str]:
    return [line.text for line in house.seen().lines]


def test_a_telephone_number_is_hidden_on_the_window_as_soon_as_it_is_one() -> None:
    """As in what is stored: while it is said, when it has been said, and when it is said in pieces; a work number is
    shown."""
    house = House()
    house.live.changed([talking()])
    for length in range(1, len(NUMBER) + 1):
        house.words("seat", partial=[["caller", ["电话", *NUMBER[:length]], 2.0]])
        digits = sum(character.isdigit() for character in shown(house)[-1])
        assert digits <= (6 if length < 7 else 2), shown(house)
    assert shown(house) == ["电话 *********79"]
    house.words("caller", "电话", *NUMBER)
    assert shown(house) == ["电话 *********79"]
    house.words("seat", "我", "是", "零", "一", "八", "号")
    assert "我是 018 号" in shown(house)


def test_a_number_that_is_said_in_pieces_is_hidden_in_all_of_them() -> None:
    house = House()
    house.live.changed([talking()])
    for at, piece in enumerate(("一三八二", "二四六", "三五七九")):
        final = [[word, 2.0 * at + 0.1 * n, 2.0 * at + 0.1 * n + 0.1, 1.0] for n, word in enumerate(piece)]
        house.say("heard", speaker="caller", final=final, partial=[], missed=0.0, lag=0.1)
    assert shown(house) == ["****", "***", "**79"]


def test_where_the_site_hides_no_numbers_the_window_hides_none() -> None:
    house = House(mask_from_digits=0)
    house.live.changed([talking()])
    house.words("caller", *NUMBER)
    assert shown(house) == ["13822463579"]


def test_the_last_words_after_the_end_are_kept_and_the_child_forgets() -> None:
    house = House()
    house.live.changed([talking()])
    key = house.orders[0]["call"]
    house.live.changed([story.ended(talking(), NOW + 9)])
    assert house.orders[-1] == {"forget": key}
    house.say("heard", key, speaker="seat", final=[["再见", 8.0, 8.4, 1.0]], partial=[], missed=0.0, lag=0.1)
    assert house.seen().state == "ended"
    assert house.seen().lines[-1].text == "再见"
    house.live.changed([talking("b")])
    assert house.seen().lines == (), "the next call shows words of the last one"


def test_a_forbidden_phrase_is_told_to_supervisors_once_and_only_where_they_want_it() -> None:
    house, quiet = House(tell_supervisors=True), House()
    for one in (house, quiet):
        one.live.changed([talking()])
        one.say("findings", findings=[{**REFUSAL, "band": "doubtful"}])
        assert one.alarms == 0, "what is doubtful is for a person, not for an alarm"
        one.say("findings", findings=[REFUSAL])
        one.say("findings", findings=[REFUSAL])
        assert [phrase.heard for phrase in one.seen().phrases] == ["不行"]
    assert (house.alarms, quiet.alarms) == (1, 0)
    (alarm,) = HeardNow(house.live, lambda call_id: 7).alarms()
    assert (alarm.seat, alarm.ticket_id, alarm.rule, alarm.heard) == ("1001", 7, "B8", "不行")
    assert HeardNow(quiet.live, lambda call_id: 7).alarms() == []


def test_what_was_erased_is_forgotten_and_the_windows_are_told() -> None:
    house = House(tell_supervisors=True)
    house.live.changed([talking()])
    house.words("seat", "不行")
    house.say("findings", findings=[REFUSAL])
    key = house.orders[0]["call"]
    assert house.live.held() == frozenset(), "a call that runs has no recording to erase"
    house.live.changed([story.ended(talking(), NOW + 9)])
    assert house.live.held() == {"a"}
    house.told.clear()
    house.live.forget({"another"})
    assert house.seen() is not None
    assert house.told == []
    house.live.forget({"a"})
    assert house.seen() is None
    assert (house.told, house.alarms) == (["1001"], 2)
    assert HeardNow(house.live, lambda call_id: 7).alarms() == []
    house.say("heard", key, speaker="seat", final=[["再见", 8.0, 8.4, 1.0]], partial=[], missed=0.0, lag=0.1)
    assert house.seen() is None, "its last words came afterwards"
    assert house.live.held() == frozenset()


def test_when_the_child_dies_listening_begins_anew_and_what_was_said_stays() -> None:
    house = House()
    house.live.changed([talking()])
    house.say("begin", speaker="seat")
    house.words("seat", "您好")
    house.say("missed", partial=[], missed=2.5)
    house.worker.port = None
    house.live._down()
    assert house.seen().state == "down"
    before = len(house.orders)
    house.worker.port = 8888
    house.live._up()
    assert len(house.orders) == before + 2
    house.say("missed", partial=[], missed=1.0)
    assert house.seen().missed_seconds == 3.5
    assert house.seen().lines[0].text == "您好"


def test_a_seat_that_hands_the_call_on_is_no_longer_listened_to() -> None:
    house = House()
    house.live.changed([talking()])
    key = house.orders[0]["call"]
    house.live.changed([talking(seat="1002")])
    assert {"forget": key} in house.orders
    assert house.seen("1001").state == "ended"
    assert house.seen("1002").state == "starting"


def test_a_call_without_end_does_not_fill_the_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "MAX_LINES", 5)
    house = House()
    house.live.changed([talking()])
    for _ in range(20):
        house.words("seat", "好")
    talk = house.live.talk("1001")
    assert talk is not None
    assert len(talk.said) == 5
