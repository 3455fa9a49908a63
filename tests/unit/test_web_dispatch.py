"""A ticket's dispatch on its page and on the seat's window: what is shown, what its buttons do, and what is refused."""

import re
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from callcenter.web.context import PORTS
from tests.fakes.clocks import MemoryClocks
from tests.fakes.web_client import Person, Site, site
from tests.fakes.web_server import OPTIONS

LATE = ["delay_minutes", "delay_half_day", "delay_longer"]


@pytest.fixture
async def here() -> AsyncIterator[Site]:
    async with site() as one:
        one.control.put("ringing", "mine")
        one.control.put("talking", "mine")
        yield one


@pytest.fixture
async def li(here: Site) -> Person:
    return await here.signed_in("li")


@pytest.fixture
def kept(here: Site) -> MemoryClocks:
    found = here.server.app[PORTS].clocks
    assert isinstance(found, MemoryClocks)
    return found


async def panel(person: Person, path: str = "/tickets/187/clocks") -> str:
    html = await (await person.get(path)).text()
    _, found, rest = html.partition('id="dispatch"')
    return rest.partition("</section>")[0] if found else ""


async def do(person: Person, what: Any, value: Any = "") -> tuple[int, Any]:
    answer = await person.post("/api/tickets/187/clocks", {"do": what, "value": value})
    return answer.status, (await answer.json()).get("error")


def buttons(html: str) -> tuple[list[str], list[str]]:
    """Those that show at once, and those that are folded away."""
    first, _, more = html.partition('id="dispatch-rest"')
    return re.findall(r'data-step="(\w+)"', first), re.findall(r'data-step="(\w+)"', more)


def tomorrow(person_now: float) -> str:
    return (datetime.fromtimestamp(person_now, OPTIONS.zone) + timedelta(days=1)).strftime("%m-%d 09:30")


async def test_only_the_next_steps_show(here: Site, li: Person) -> None:
    assert buttons(await panel(li)) == (["remote", "on_site", "vendor"], ["abnormal"])
    assert await do(li, "on_site") == (200, None)
    html = await panel(li)
    assert buttons(html) == (["dispatched", "soon"], [*LATE, "abnormal"])
    clocks = [re.findall(r'data-clock-name="(\w+)" data-state="(\w+)"', part) for part in html.split("dispatch-rest")]
    assert clocks[0] == [("dispatch", "running")], "what the next step ends"
    assert clocks[-1] == [("visit_arranged", "running"), ("visit", "running")]
    assert "D4" in html
    assert "D3" in html
    await do(li, "dispatched")
    assert buttons(await panel(li))[0] == ["booked", "soon"]
    assert await do(li, "booked", tomorrow(here.memory.now())) == (200, None)
    html = await panel(li)
    assert buttons(html) == (["visited"], ["booked", "vendor", *LATE, "abnormal"])
    assert re.search(r"\d\d-\d\d 09:30 上门", html)
    assert "改约" in html


async def test_the_seats_window_has_the_panel_beside_the_clocks(li: Person) -> None:
    for path in ("/desk", "/tickets/187"):
        html = await (await li.get(path)).text()
        assert html.index('id="clocks"') < html.index('id="dispatch"') or path == "/tickets/187", path
        assert buttons(await panel(li, path))[0] == ["remote", "on_site", "vendor"]


async def test_both_languages_name_the_steps(li: Person) -> None:
    await do(li, "abnormal")
    html = await panel(li)
    assert ("异常情况" in html, "已上报经理" in html, "Manager told" in html) == (True, True, False)
    await li.client.post("/preferences", data={"lang": "en", "csrf": li.csrf}, allow_redirects=False)
    html = await panel(li)
    assert ("Abnormal case" in html, "Manager told" in html, "1 step<" in html) == (True, True, True)


async def test_the_same_click_in_two_tabs_is_one_step(li: Person, kept: MemoryClocks) -> None:
    assert [await do(li, "vendor") for _ in range(3)] == [(200, None)] * 3
    assert len(kept.kept[187].steps) == 1


async def test_a_step_made_in_error_is_taken_back_and_still_shown(li: Person, kept: MemoryClocks) -> None:
    await do(li, "remote")
    html = await panel(li)
    (undo,) = re.findall(r'data-undo="(\d+)"', html)
    assert await do(li, "take_back", undo) == (200, None)
    html = await panel(li)
    assert buttons(html)[0] == ["remote", "on_site", "vendor"]
    assert "is-undone" in html
    assert re.search(r"由 li 撤回", html)
    assert re.findall(r"data-undo", html) == []
    assert [step.undone_by for step in kept.kept[187].steps] == ["li"]


@pytest.mark.parametrize(
    ("what", "value", "status"),
    [
        ("dispatched", "", 409),
        ("escalated", "", 409),
        ("booked", "", 400),
        ("booked", "whenever", 400),
        ("booked", "25:99", 400),
        ("booked", "2020-01-01 09:00", 400),
        ("booked", "2099-01-01 09:00", 400),
        ("booked", "<script>alert(1)</script>", 400),
        ("take_back", "1", 409),
        ("take_back", "1; DROP TABLE ticket_steps", 409),
        ("take_back", "９９", 409),
        ("take_back", "", 409),
        ("no_such_step", "", 409),
        (["on_site"], "", 400),
        ("on_site", {"a": 1}, 400),
        (None, None, 400),
    ],
)
async def test_hostile_input_is_refused_with_one_sentence(
    li: Person, kept: MemoryClocks, what: Any, value: Any, status: int
) -> None:
    found, error = await do(li, what, value)
    assert found == status
    assert re.fullmatch(r"[^。]+[。；：，]?.*。", error)
    assert "script" not in error
    assert not kept.kept.get(187) or not kept.kept[187].steps


async def test_a_closed_ticket_is_read_only(here: Site, li: Person) -> None:
    await do(li, "on_site")
    here.control.put("ended", "mine")
    await li.post("/api/tickets/187/close")
    for what, value in (("dispatched", ""), ("on_site", ""), ("take_back", "1")):
        status, error = await do(li, what, value)
        assert (status, error) == (409, "这一步不能做：工单已经关闭，或有人已做了别的步骤。请重新载入页面。")
    html = await panel(li)
    assert buttons(html) == ([], [])
    assert "data-undo" not in html
    assert 'data-made="on_site"' in html, "what was done can be read"


async def test_a_closed_ticket_without_a_dispatch_has_no_panel(here: Site, li: Person) -> None:
    here.control.put("ended", "mine")
    await li.post("/api/tickets/187/close")
    assert await panel(li) == ""


async def test_who_may_not_write_sees_steps_and_no_buttons(here: Site, li: Person) -> None:
    reviewer = await here.signed_in("qa")
    assert await panel(reviewer) == ""
    await do(li, "on_site")
    html = await panel(reviewer)
    assert 'data-made="on_site"' in html
    assert buttons(html) == ([], [])
    assert "data-undo" not in html
    assert (await do(reviewer, "dispatched"))[0] == 403


async def test_a_name_is_text(li: Person, kept: MemoryClocks) -> None:
    await do(li, "remote")
    steps = kept.kept[187].steps
    steps[0] = replace(steps[0], by="<script>alert(1)</script>")
    assert "<script>" not in await panel(li)


async def test_a_colleague_is_told(here: Site, li: Person) -> None:
    told: list[int] = []
    heard = here.hub.ticket_changed
    here.hub.ticket_changed = lambda ticket, seat: (told.append(ticket), heard(ticket, seat))[1]  # type: ignore
    await do(li, "abnormal")
    assert told == [187]


async def test_the_screens_count_what_is_late(here: Site, li: Person, kept: MemoryClocks) -> None:
    await do(li, "on_site")
    steps = kept.kept[187].steps
    steps[0] = replace(steps[0], at=steps[0].at - 700)
    wu = await here.signed_in("wu")
    html = await (await wu.get("/supervise/board")).text()
    assert re.search(r'id="w-187-dispatch"', html)
    assert "派工 D4" in html
    wall = await (await wu.get("/wallboard")).text()
    assert 'data-rule="D4"' in wall
