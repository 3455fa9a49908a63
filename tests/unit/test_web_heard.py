"""What a seat's window shows of a running call's words: only of its own call, as text, and pushed without a word."""

import asyncio
import json
import re
from dataclasses import replace

import pytest

from callcenter.web.hearing_ports import Alarm, Heard, HeardPhrase
from callcenter.web.live import ALARM, HEARD, Notice
from tests.fakes.web_client import Site, site
from tests.unit.test_web_pages import read_events

HOSTILE = "<script>alert(1)</script>"
STATES = ["starting", "listening", "busy", "failed", "ended", "down"]


async def shown(here: Site, name: str = "li", path: str = "/desk/heard") -> str:
    answer = await (await here.signed_in(name)).get(path)
    assert answer.status == 200
    return await answer.text()


def talking(here: Site) -> None:
    here.control.put("ringing", "a")
    here.control.put("talking", "a")


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize("state", STATES)
async def test_every_state_is_told_in_both_languages(state: str, language: str) -> None:
    async with site() as here:
        here.memory.users_by_name["li"] = replace(here.memory.users_by_name["li"], language=language)
        talking(here)
        here.control.say("1001", "a", ("caller", HOSTILE), state=state, forbidden=[HOSTILE], missed_seconds=1.5)
        for path in ("/desk/heard", "/desk"):
            text = await shown(here, path=path)
            assert f'data-heard="{state}"' in text
            assert "&lt;script&gt;alert(1)" in text
            assert "<script>alert" not in text
            assert "1.5" in text
            assert "None" not in text


async def test_words_are_those_of_the_call_that_the_window_shows() -> None:
    async with site() as here:
        assert " hidden" in await shown(here)
        talking(here)
        here.control.say("1001", "another", ("caller", "打印机坏了"))
        assert "打印机" not in await shown(here)
        here.control.say("1001", "a", ("caller", "打印机坏了"))
        assert "打印机坏了" in await shown(here)
        here.control.put("ended", "a")
        assert "打印机坏了" in await shown(here), "gone before the seat has written them down"


async def test_another_seat_and_other_roles_see_nothing() -> None:
    async with site() as here:
        talking(here)
        here.control.say("1001", "a", ("caller", "打印机坏了"))
        for name in here.memory.users_by_name:
            answer = await (await here.signed_in(name)).get("/desk/heard")
            assert (answer.status, "打印机" in await answer.text()) == (
                (200, True) if name == "li" else (answer.status, False)
            )
        refused = await (await here.signed_in("qa")).get("/desk/heard")
        assert refused.status == 403


def ticks(html: str) -> dict[str, str]:
    return dict(re.findall(r'data-tick="(\w+)" data-said="(\w+)"', html))


async def test_the_checklist_ticks_itself() -> None:
    async with site() as here:
        talking(here)
        here.control.say("1001", "a", ("seat", "您好"))
        assert ticks(await shown(here)) == {}
        here.control.say("1001", "a", ("seat", "再见"), said=["closing"])
        assert ticks(await shown(here)) == {"B7": "sure"}
        doubtful = HeardPhrase("wait_announcement", "B1", "required", "稍等", True)
        heard = here.ear.by_seat["1001"]
        here.ear.by_seat["1001"] = replace(heard, phrases=(doubtful,), greeted=True)
        assert ticks(await shown(here)) == {"A2": "sure", "B1": "doubtful"}


async def test_thanks_after_a_wait_do_not_tick_its_announcement() -> None:
    async with site() as here:
        talking(here)
        here.control.say("1001", "a", ("seat", "感谢您的耐心等待"))
        thanks = HeardPhrase("wait_thanks", "B1", "required", "感谢您的耐心等待", False)
        here.ear.by_seat["1001"] = replace(here.ear.by_seat["1001"], phrases=(thanks,))
        assert ticks(await shown(here)) == {}


async def test_what_is_not_judged_is_not_ticked() -> None:
    async with site() as here:
        talking(here)
        here.control.say("1001", "a", ("seat", "您好"))
        here.ear.by_seat["1001"] = replace(here.ear.by_seat["1001"], phrases=None)
        text = await shown(here)
        assert "data-tick" not in text
        assert "未对照话术判断" in text


async def test_the_push_says_that_something_was_said_and_not_what() -> None:
    async with site() as here:
        talking(here)
        person = await here.signed_in()
        say = here.control.say
        events = await read_events(here, person, "/live", 2, lambda n: say("1001", "a", ("caller", "打印机坏了")))
        assert events[-1][0] == "heard"
        assert events[-1][1].keys() == {"now"}
        assert "打印机" not in json.dumps(events, ensure_ascii=False)


async def test_an_alarm_goes_to_supervisors_alone() -> None:
    async with site() as here:
        supervisor = here.hub.open("s", None, supervisor=True)
        seat = here.hub.open("t", "1001")
        assert supervisor is not None
        assert seat is not None
        here.hub.alarm()
        here.hub.heard("1001")
        assert supervisor.take() == [Notice(ALARM)]
        assert seat.take() == [Notice(HEARD)]
        here.ear.alarmed.append(Alarm("1001", 187, "B8", HOSTILE, here.memory.now()))
        await asyncio.sleep(0)
        for name, sees in (("wu", True), ("li", False)):
            text = await shown(here, name, "/desk/fragments?r=state")
            assert ("data-alarm" in text) is sees, name
            assert "<script>alert" not in text


async def test_without_live_transcription_nothing_is_there() -> None:
    async with site() as here:
        talking(here)
        assert isinstance(here.ear.heard("1001"), Heard | None)
        assert ' id="heard"' in await shown(here, path="/desk")
        assert "data-heard" not in await shown(here, path="/desk")


# ---- the sign in the call bar (B8)

PAGES = ["/desk", "/tickets", "/desk/fragments?r=call", "/desk/fragments?p=tickets&r=call", "/desk/heard"]


def signed(html: str) -> list[str]:
    """The phrases of the sign."""
    return re.findall(r'data-phrase="(\w+)"', html)


@pytest.mark.parametrize("path", [*PAGES, "/desk/heard?p=tickets"])
async def test_a_forbidden_phrase_stands_in_the_call_bar_of_every_page(path: str) -> None:
    async with site() as here:
        talking(here)
        here.control.say("1001", "a", ("seat", "您好"))
        text = await shown(here, path=path)
        assert signed(text) == []
        assert "None" not in text
        here.control.say("1001", "a", ("seat", HOSTILE), forbidden=[HOSTILE])
        text = await shown(here, path=path)
        assert signed(text) == ["refusal"]
        assert re.search(r'id="b8"[^>]*>.*<b>B8</b>.*禁用语：.*&lt;script&gt;', text)
        assert "<script>alert" not in text


async def test_another_page_fetches_the_sign_and_no_word_of_the_call() -> None:
    async with site() as here:
        talking(here)
        here.control.say("1001", "a", ("caller", "打印机坏了"), forbidden=["不行"])
        text = await shown(here, path="/desk/heard?p=tickets")
        assert signed(text) == ["refusal"]
        assert "打印机" not in text
        assert 'id="heard"' not in text


async def test_the_sign_is_of_the_calls_own_seat_and_goes_with_the_call() -> None:
    async with site() as here:
        talking(here)
        here.control.say("1001", "another", ("seat", "不行"), forbidden=["不行"])
        assert signed(await shown(here, path="/tickets")) == []
        here.control.say("1001", "a", ("seat", "不行"), forbidden=["不行"])
        for name in here.memory.users_by_name:
            assert bool(signed(await shown(here, name, "/tickets"))) is (name == "li"), name
        here.control.put("ended", "a")
        assert signed(await shown(here, path="/tickets")), "said with the last words, and gone before it was read"
        ticket = next(one.ticket_id for one in here.memory.tickets.values() if one.call_id == "a")
        assert (await (await here.signed_in()).post(f"/api/tickets/{ticket}/leave", {})).status == 200
        assert signed(await shown(here, path="/tickets")) == []


async def test_what_is_doubtful_asks_and_stands_behind_what_is_certain() -> None:
    async with site() as here:
        talking(here)
        here.control.say("1001", "a", ("seat", "不行"), forbidden=["不行"])
        sure = here.ear.by_seat["1001"]
        maybe = HeardPhrase("not_clear", "B8", "forbidden", "不清楚", True)
        here.ear.by_seat["1001"] = replace(sure, phrases=(maybe,))
        text = await shown(here, path="/tickets")
        assert "b8--due" in text
        assert "疑似禁用语：" in text
        here.ear.by_seat["1001"] = replace(sure, phrases=(maybe, *(sure.phrases or ())))
        text = await shown(here, path="/tickets")
        assert signed(text) == ["refusal", "not_clear"]
        assert 'data-count="2"' in text
        assert "b8--due" not in text


async def test_what_was_looked_at_is_gone_on_every_page_until_something_else_is_said() -> None:
    async with site() as here:
        talking(here)
        here.control.say("1001", "a", ("seat", "不行"), forbidden=["不行"])
        person, page = await here.signed_in(), here.hub.open("other tab", "1001")
        assert page is not None
        answer = await person.post("/api/seat/seen", {"call": "a", "phrases": ["refusal", "never said"]})
        assert (answer.status, await answer.json()) == (200, {"seen": ["refusal"]})
        assert page.take() == [Notice(HEARD)], "the other tabs are not told"
        for path in PAGES:
            assert signed(await shown(here, path=path)) == [], path
        assert "data-forbidden" in await shown(here), "the pane keeps it"
        heard = here.ear.by_seat["1001"]
        more = HeardPhrase("not_clear", "B8", "forbidden", "不清楚", False)
        here.ear.by_seat["1001"] = replace(heard, phrases=(*(heard.phrases or ()), more))
        assert signed(await shown(here, path="/tickets")) == ["not_clear"]
        here.ear.by_seat["1001"] = replace(heard, call_id="b")
        here.control.put("ended", "a")
        here.control.put("ringing", "b")
        here.control.put("talking", "b")
        assert signed(await shown(here, path="/tickets")) == ["refusal"], "another call is another matter"


@pytest.mark.parametrize("became_certain_meanwhile", [False, True])
async def test_what_was_looked_at_while_doubtful_comes_back_when_it_is_certain(became_certain_meanwhile: bool) -> None:
    """Also if that came between the drawing of the page and the look at it."""
    async with site() as here:
        talking(here)
        here.control.say("1001", "a", ("seat", "不行"), forbidden=["不行"])
        sure = here.ear.by_seat["1001"]
        maybe = replace(sure, phrases=tuple(replace(one, doubtful=True) for one in sure.phrases or ()))
        here.ear.by_seat["1001"] = maybe
        person = await here.signed_in()
        assert "data-perhaps" in await shown(here, path="/tickets")
        here.ear.by_seat["1001"] = sure if became_certain_meanwhile else maybe
        body = {"call": "a", "phrases": ["refusal"], "perhaps": ["refusal"]}
        assert (await person.post("/api/seat/seen", body)).status == 200
        here.ear.by_seat["1001"] = maybe
        assert signed(await shown(here, path="/tickets")) == []
        here.ear.by_seat["1001"] = sure
        assert signed(await shown(here, path="/tickets")) == ["refusal"]
        assert (await person.post("/api/seat/seen", {**body, "perhaps": []})).status == 200
        here.ear.by_seat["1001"] = maybe
        assert signed(await shown(here, path="/tickets")) == [], "certain, looked at, then doubtful: no news"
        await person.post("/api/seat/seen", body)
        here.ear.by_seat["1001"] = sure
        assert signed(await shown(here, path="/tickets")) == []


@pytest.mark.parametrize(
    "body", [{}, {"call": "a"}, {"phrases": []}, {"call": 7, "phrases": []}, {"call": "a", "phrases": "refusal"}]
)
async def test_a_look_at_nothing_is_refused_in_one_sentence(body: dict[str, object]) -> None:
    async with site() as here:
        answer = await (await here.signed_in()).post("/api/seat/seen", body)
        assert answer.status == 400
        assert "call" in (await answer.json())["error"]


async def test_nobody_looks_for_another_seat() -> None:
    async with site() as here:
        talking(here)
        here.control.say("1001", "a", ("seat", "不行"), forbidden=["不行"])
        answer = await (await here.signed_in("wu")).post("/api/seat/seen", {"call": "a", "phrases": ["refusal"]})
        assert (answer.status, await answer.json()) == (200, {"seen": []})
        assert signed(await shown(here, path="/tickets")) == ["refusal"]
