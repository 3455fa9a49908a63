"""The page of callbacks: what it shows of whom, and what its buttons do."""

import asyncio
import re
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from callcenter.ami.actions import Action
from callcenter.calls.model import Call
from callcenter.errors import ActionRefused, ActionUnknown, NotConnected
from callcenter.telephone import Telephone
from callcenter.tickets.callbacks import Attempt
from callcenter.web.context import PORTS
from callcenter.web.ports import RefusedError, UnclearError
from tests.fakes.callbacks import MemoryCallbacks, owed
from tests.fakes.story import call_of
from tests.fakes.web_client import Person, Site, site
from tests.fakes.web_server import OPTIONS


@pytest.fixture
async def here() -> AsyncIterator[Site]:
    async with site() as one:
        yield one


@pytest.fixture
def kept(here: Site) -> MemoryCallbacks:
    found = here.server.app[PORTS].callbacks
    assert isinstance(found, MemoryCallbacks)
    found.told = here.hub.board_changed
    return found


@pytest.fixture
async def li(here: Site) -> Person:
    return await here.signed_in("li")


async def text(person: Person, path: str = "/callbacks/list") -> str:
    return await (await person.get(path)).text()


async def test_the_list_is_worst_first_and_says_why(li: Person, kept: MemoryCallbacks) -> None:
    now = kept.now()
    kept.put(owed(1, now, 40), owed(2, now, -3, losses=2), owed(3, now, 1, "B5"))
    html = await text(li)
    assert re.findall(r'data-callback="(\d+)"', html) == ["2", "3", "1"]
    assert "138 0000 0002" in html
    assert 'href="/tickets/187"' in html
    assert "2 通未接通" in html
    assert "通话中断" in html


async def test_the_share_in_time_has_its_number(li: Person, kept: MemoryCallbacks) -> None:
    assert "今日尚无回拨" in await text(li)
    kept.spoken, kept.in_time = 3, 2
    assert "今日已回拨 3，按时 66.7 %" in await text(li)


async def test_attempts_and_withheld_numbers_are_told(li: Person, kept: MemoryCallbacks) -> None:
    kept.withheld = 3
    kept.put(owed(1, kept.now(), 5, attempts=(Attempt("lost", kept.now(), ""), Attempt("tried", kept.now(), "1002"))))
    html = await text(li)
    assert "最近 24 小时有 3 位来电者未显示号码" in html
    assert re.search(r"未接通</?[^·]*· 011 号|未接通 · .*011", html)


async def test_nobody_is_owed_and_unknown_are_told_apart(li: Person, kept: MemoryCallbacks) -> None:
    assert "没有需要回拨的来电" in await text(li)
    kept.away = True
    html = await text(li)
    assert "没有需要回拨的来电" not in html
    assert 'id="callbacks-n" class="nav__n num" hidden' in await text(li, "/callbacks")


async def test_a_hostile_number_and_queue_are_text(li: Person, kept: MemoryCallbacks) -> None:
    kept.put(owed(1, kept.now(), 5, number='"><script>alert(1)</script>', queue="<b>\u202e", reason="<i>"))
    html = await text(li)
    assert "<script>" not in html
    assert "<b>\u202e" not in html
    assert "<i>" not in html


async def test_call_back_takes_it_in_hand_and_dials_its_own_number(
    here: Site, li: Person, kept: MemoryCallbacks
) -> None:
    here.telephone.actions = frozenset({"dial"})
    kept.put(owed(1, kept.now(), 5))
    assert (await li.post("/api/callbacks/1/dial", {})).status == 200
    assert here.telephone.asked[-1] == ("dial", "1001", "13800000001", 187)
    assert kept.found[1].holder(kept.now()) == "li"
    ma = await here.signed_in("ma")
    answer = await ma.post("/api/callbacks/1/dial", {})
    assert answer.status == 409
    assert len(here.telephone.asked) == 1
    assert 'id="cb-dial-1"' not in await text(ma)


async def test_a_refused_call_gives_it_back(here: Site, li: Person, kept: MemoryCallbacks) -> None:
    here.telephone.actions = frozenset({"dial"})
    here.telephone.refuse = "Asterisk says no."
    kept.put(owed(1, kept.now(), 5))
    assert (await li.post("/api/callbacks/1/dial", {})).status == 409
    assert kept.found[1].holder(kept.now()) is None


async def test_a_click_that_comes_twice_is_one_call(here: Site, li: Person, kept: MemoryCallbacks) -> None:
    here.telephone.actions = frozenset({"dial"})
    kept.put(owed(1, kept.now(), 5))
    for _ in range(2):
        assert (await li.post("/api/callbacks/1/dial", {})).status == 200
    assert len(here.telephone.asked) == 1
    assert (await li.post("/api/callbacks/1/release", {})).status == 200
    assert (await li.post("/api/callbacks/1/dial", {})).status == 200
    assert len(here.telephone.asked) == 2, "who gave it back may call anew"


async def test_a_call_that_may_have_gone_out_is_not_given_to_another(
    here: Site, li: Person, kept: MemoryCallbacks
) -> None:
    here.telephone.actions = frozenset({"dial"})
    here.telephone.silent = "The outcome of Originate is unknown: no answer came."
    kept.put(owed(1, kept.now(), 5))
    answer = await li.post("/api/callbacks/1/dial", {})
    assert (answer.status, (await answer.json())["error"]) == (
        504,
        "Asterisk 没有应答，操作可能已经生效。请先查看情况，再决定是否重试。",
    )
    assert kept.found[1].holder(kept.now()) == "li"
    ma = await here.signed_in("ma")
    assert (await ma.post("/api/callbacks/1/dial", {})).status == 409
    assert len(here.telephone.asked) == 1


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (ActionUnknown("Originate", "no answer came"), UnclearError),
        (ActionRefused("Originate", "no"), RefusedError),
        (NotConnected("down"), RefusedError),
    ],
)
async def test_only_silence_is_unclear(error: Exception, told: type[Exception]) -> None:
    async def perform(_: Action) -> None:
        raise error

    nothing = Telephone(perform, lambda: True, lambda seat: [], None, lambda seat: [], lambda seat: None)  # type: ignore[arg-type]
    with pytest.raises(RefusedError) as said:
        await nothing.dial("1001", "13800000001", 187)
    assert type(said.value) is told


async def test_what_was_in_hand_before_a_refused_call_stays_so(here: Site, li: Person, kept: MemoryCallbacks) -> None:
    here.telephone.actions, here.telephone.refuse = frozenset({"dial"}), "Asterisk says no."
    kept.put(owed(1, kept.now(), 5))
    assert (await li.post("/api/callbacks/1/claim", {})).status == 200
    assert (await li.post("/api/callbacks/1/dial", {})).status == 409
    assert kept.found[1].holder(kept.now()) == "li"


async def test_three_clicks_ring_one_phone_once() -> None:
    asked: list[Action] = []
    answered, now, here = asyncio.Event(), [0.0], {}

    async def perform(action: Action) -> None:
        asked.append(action)
        await answered.wait()

    def on_phone(seat: str) -> Call | None:
        return here.get(seat)

    phone = Telephone(perform, lambda: True, lambda seat: [], None, lambda seat: [], on_phone, lambda: now[0])  # type: ignore[arg-type]
    first = asyncio.create_task(phone.dial("1001", "13800000001", 187))
    await asyncio.sleep(0)
    with pytest.raises(RefusedError, match="dialled already"):
        await phone.dial("1001", "13800000001", 187)
    answered.set()
    await first
    with pytest.raises(RefusedError, match="dialled already"):
        await phone.dial("1001", "13800000001", 187)
    ringing = call_of("0.0 Newchannel caller Down 1001\n0.0 Clicked caller", phone="1001")
    now[0], here["1001"] = 20.0, ringing
    with pytest.raises(RefusedError, match="dialled already"):
        await phone.dial("1001", "13800000001", 187)
    here["1001"] = replace(ringing, lifted_to_dial_at=1.0)
    with pytest.raises(RefusedError, match="on the phone"):
        await phone.dial("1001", "13800000001", 187)
    assert len(asked) == 1
    await phone.dial("1002", "13800000001", 187)
    del here["1001"]
    await phone.dial("1001", "13800000001", 187)
    assert len(asked) == 3


async def test_a_refused_call_may_be_tried_again_at_once() -> None:
    async def perform(_: Action) -> None:
        raise NotConnected("down")

    phone = Telephone(perform, lambda: True, lambda seat: [], None, lambda seat: [], lambda seat: None)  # type: ignore[arg-type]
    for _ in range(2):
        with pytest.raises(RefusedError, match="down"):
            await phone.dial("1001", "13800000001", 187)


async def test_claims_are_given_back_only_by_who_has_them(here: Site, li: Person, kept: MemoryCallbacks) -> None:
    kept.put(owed(1, kept.now(), 5))
    ma = await here.signed_in("ma")
    assert (await li.post("/api/callbacks/1/claim", {})).status == 200
    assert (await ma.post("/api/callbacks/1/claim", {})).status == 409
    assert (await ma.post("/api/callbacks/1/release", {})).status == 409
    assert (await li.post("/api/callbacks/1/release", {})).status == 200
    assert (await ma.post("/api/callbacks/1/claim", {})).status == 200


async def test_what_somebody_has_in_hand_only_that_person_or_a_supervisor_closes(
    here: Site, li: Person, kept: MemoryCallbacks
) -> None:
    kept.put(owed(1, kept.now(), 5), owed(2, kept.now(), 6))
    ma, wu = await here.signed_in("ma"), await here.signed_in("wu")
    for number in (1, 2):
        assert (await li.post(f"/api/callbacks/{number}/claim", {})).status == 200
    shown = await text(ma)
    assert "018 李晓雯" in shown, "named as everywhere else"
    assert 'id="cb-close-1"' not in shown
    answer = await ma.post("/api/callbacks/1/close", {"reason": "已发邮件"})
    assert (answer.status, (await answer.json())["error"]) == (
        409,
        "这条回拨正由他人处理，只有处理人或班长可以结束它。",
    )
    assert 1 in kept.found
    assert 'id="cb-close-1"' in await text(li)
    assert 'id="cb-close-1"' in await text(wu)
    assert (await li.post("/api/callbacks/1/close", {"reason": "已发邮件"})).status == 200
    assert (await wu.post("/api/callbacks/2/close", {"reason": "已发邮件"})).status == 200
    assert [by for _, by, _ in kept.closed] == ["li", "wu"]


@pytest.mark.parametrize("body", [{}, {"reason": 7}, {"reason": "  "}, {"reason": "x" * 1001}, []])
async def test_nobody_closes_without_a_reason(li: Person, kept: MemoryCallbacks, body: object) -> None:
    kept.put(owed(1, kept.now(), 5))
    assert (await li.post("/api/callbacks/1/close", body)).status == 400
    assert 1 in kept.found


async def test_closing_keeps_who_and_why(li: Person, kept: MemoryCallbacks) -> None:
    kept.put(owed(1, kept.now(), 5))
    assert (await li.post("/api/callbacks/1/close", {"reason": "已发邮件"})).status == 200
    assert kept.closed == [(1, "li", "已发邮件")]
    assert (await li.post("/api/callbacks/1/close", {"reason": "again"})).status == 404


async def test_the_menu_counts_and_the_desk_tells_what_is_due(here: Site, li: Person, kept: MemoryCallbacks) -> None:
    kept.put(owed(1, kept.now(), 5), owed(2, kept.now(), 55))
    page = await text(li, "/desk")
    assert re.search(r'id="callbacks-n"[^>]*>2<', page)
    assert "1 个回拨到期" in page
    fragment = await text(li, "/desk/fragments?r=state")
    assert 'id="callbacks-n" class="nav__n num" hx-swap-oob="outerHTML">2<' in fragment
    qa = await here.signed_in("qa")
    assert "callbacks" not in await text(qa, "/tickets")


async def test_a_seat_that_sees_its_own_tickets_sees_its_own_queues() -> None:
    async with site(options=replace(OPTIONS, seats_see="own")) as narrow:
        kept = narrow.server.app[PORTS].callbacks
        assert isinstance(kept, MemoryCallbacks)
        narrow.memory.serves["1001"] = ("it",)
        kept.put(owed(1, kept.now(), 5), owed(2, kept.now(), 5, queue="vip"))
        li, wu = await narrow.signed_in("li"), await narrow.signed_in("wu")
        assert re.findall(r'data-callback="(\d+)"', await text(li)) == ["1"]
        assert 'href="/tickets/187"' not in await text(li), "the ticket may not be its own"
        assert (await li.post("/api/callbacks/2/claim", {})).status == 404
        assert re.findall(r'data-callback="(\d+)"', await text(wu)) == ["1", "2"]


async def test_a_change_is_pushed_as_a_notice_without_a_number(here: Site, li: Person, kept: MemoryCallbacks) -> None:
    async with li.client.get("/live", headers={"Accept": "text/event-stream"}) as stream:
        await stream.content.readuntil(b"\n\n")
        kept.put(owed(1, kept.now(), 5))
        told = await stream.content.readuntil(b"\n\n")
    assert b"event: board" in told
    assert b"13800" not in told
