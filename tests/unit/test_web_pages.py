"""Every page in every state, role and language renders; what people wrote is only text; the push tells no secrets."""

import asyncio
import html
import json
import re
from dataclasses import replace
from typing import Any

import pytest

from callcenter.calls.model import Phase, Transfer, TransferKind
from callcenter.web.context import PORTS
from callcenter.web.health_ports import Part
from callcenter.web.hearing_ports import Transcription
from callcenter.web.ports import Link, LinkState, Phone
from tests.fakes import calls as story
from tests.fakes import scenes
from tests.fakes.web import Doctor
from tests.fakes.web_client import Site, found, site

STATES = ["idle", "break", "offline", "outgoing", "ring1", "ring4", "hostile", "talking", "hold60", "wrapup"]
HOSTILE = "<script>alert(1)</script>\u202e'\"&\x07"


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize("state", STATES)
async def test_every_state_renders_in_both_languages(state: str, language: str) -> None:
    async with site() as here:
        here.memory.users_by_name["li"] = replace(here.memory.users_by_name["li"], language=language)
        ticket = scenes.stage(state, here.memory, here.control, here.telephone)
        person = await here.signed_in("li")
        paths = ["/desk", "/desk/work", "/desk/fragments?r=state,call,who,aid,trail", "/tickets?view=all", "/help"]
        for path in [*paths, f"/tickets/{ticket or 187}", f"/tickets?same={ticket or 187}"]:
            answer = await person.get(path)
            text = await answer.text()
            assert answer.status == 200, path
            assert "%(" not in text
            assert "None" not in text
            assert "<script>alert" not in text


@pytest.mark.parametrize("paused", [False, True])
@pytest.mark.parametrize(
    ("phone", "state", "words"),
    [(Phone.IN_USE, "talking", "话机 1001 正在使用"), (Phone.RINGING, "ringing", "话机 1001 正在振铃")],
)
async def test_a_phone_in_a_call_of_its_own_is_not_free_on_its_own_page(
    phone: Phone, state: str, words: str, paused: bool
) -> None:
    """As on the wall: an outgoing call, say. No call of the hotline is shown, and no guidance is limited."""
    async with site() as here:
        scenes.stage("idle", here.memory, here.control, here.telephone)
        here.memory.seat_states["1001"] = replace(here.memory.seat_states["1001"], phone=phone, paused=paused)
        person = await here.signed_in("li")
        text = await (await person.get("/desk")).text()
        pushed = await (await person.get("/desk/fragments?r=call,notes,aid")).text()
        for shown in (text, pushed):
            assert re.findall(r'<section id="call".*?data-state="(\w+)"', shown) == [state]
            assert words in shown
            assert "可以接听" not in shown
            assert ('data-pause="false"' in shown) == paused, "a break can be ended"
            assert "B3" not in shown
        signal = json.loads(html.unescape(found(r'data-signal="([^"]+)"', text)))
        assert (signal["state"], signal["work"], signal["pop"], signal["ringing_since"]) == (state, "idle", None, None)


async def test_after_done_the_own_page_says_what_the_wall_says() -> None:
    """The ticket is finished, and the phone is not laid down yet."""
    async with site() as here:
        number = scenes.stage("wrapup", here.memory, here.control, here.telephone)
        person = await here.signed_in("li")
        assert 'data-state="wrapup"' in await (await person.get("/desk")).text()
        here.memory.seat_states["1001"] = replace(here.memory.seat_states["1001"], phone=Phone.IN_USE)
        assert 'data-state="wrapup"' in await (await person.get("/desk")).text()
        answer = await person.post(f"/api/tickets/{number}/close")
        assert answer.status == 200, await answer.text()
        assert 'data-state="talking"' in await (await person.get("/desk")).text()
        here.memory.seat_states["1001"] = replace(here.memory.seat_states["1001"], phone=Phone.IDLE)
        assert 'data-state="free"' in await (await person.get("/desk")).text()


@pytest.mark.parametrize("name", ["wu", "qa", "root"])
@pytest.mark.parametrize(
    "path", ["/", "/tickets", "/tickets/187", "/tickets?view=mine", "/tickets?view=nonsense&before=x"]
)
async def test_people_without_a_seat_have_their_pages(name: str, path: str) -> None:
    async with site() as here:
        here.control.put("ringing", "a")
        person = await here.signed_in(name)
        answer = await person.client.get(path)
        assert answer.status == 200
        assert answer.url.path == ("/tickets" if name == "qa" else "/supervise") if path == "/" else True


@pytest.mark.parametrize("name", ["li", "wu", "qa", "root"])
async def test_a_push_swaps_nothing_that_the_page_does_not_have(name: str) -> None:
    """htmx complains on the console of each target that is missing."""
    async with site() as here:
        person = await here.signed_in(name)
        page = await (await person.get("/tickets")).text()
        pushed = await (await person.get("/desk/fragments?r=state&p=tickets")).text()
        targets = re.findall(r'id="([^"]+)"[^>]*hx-swap-oob', pushed)
        assert targets
        assert not [one for one in targets if f'id="{one}"' not in page]


@pytest.mark.parametrize(("key", "words"), [("1", "非常不满意"), ("4", "满意"), ("9", "按键 9，不在选项之内")])
async def test_what_a_hook_told_stands_on_the_ticket_and_the_mark_in_words(key: str, words: str) -> None:
    async with site() as here:
        told = {"survey": key, "company": "示例服务", **{f"fact{n}": f"value {n}" for n in range(8)}}
        number = here.control.put("ringing", "a", variables=told)
        here.control.put("talking", "a")
        person = await here.signed_in("li")
        ticket = await (await person.get(f"/tickets/{number}")).text()
        desk = await (await person.get("/desk")).text()
        assert "value 7" in ticket
        assert "<bdi>公司</bdi>" in ticket
        assert "另有 3 项，见工单" in desk
        for text in (ticket, desk):
            assert "客户评分" in text
            assert words in text
            assert "<bdi>survey</bdi>" not in text


async def test_only_a_call_that_nobody_answered_is_said_to_be_one() -> None:
    async with site() as here:
        number = here.control.put("ringing", "a")
        here.control.put("talking", "a")
        person = await here.signed_in("li")
        assert "没有接听的来电没有录音" not in (text := await (await person.get(f"/tickets/{number}")).text())
        assert "通话结束后可以收听录音。" in text


async def test_what_anybody_wrote_is_only_text() -> None:
    async with site() as here:
        here.control.put("ringing", "a", caller_name=HOSTILE, variables={HOSTILE: HOSTILE}, dialled=HOSTILE)
        here.control.put("talking", "a")
        fields = dict.fromkeys(here.memory.tickets[187].fields, HOSTILE)
        await here.memory.save_fields(187, fields, "li", 1, "page")
        await here.memory.add_promise(187, HOSTILE, None, "li", "p-1")
        here.memory.users_by_name["li"] = replace(here.memory.users_by_name["li"], display_name=HOSTILE)
        person = await here.signed_in("li")
        for path in ("/desk", "/tickets?view=all", "/tickets/187", "/desk/fragments?r=who,aid,call"):
            text = await (await person.get(path)).text()
            assert "<script>alert" not in text
            assert "&lt;script&gt;alert(1)" in text
            assert "\u202e" not in text
            assert "\x07" not in text


@pytest.mark.parametrize(
    ("became", "sentence"),
    [
        (Transcription("off"), "未转写"),
        (Transcription("waiting", "", 7), "排队中"),
        (Transcription("working", "", 7), "进行中"),
        (Transcription("done", "", 7), "/review/7"),
        (Transcription("failed", "The seat's track holds no sound.", 7, "no_sound"), "录音里没有声音数据。"),
        (Transcription("quarantined", "its workers died three times", 7, ""), "三次尝试都失败了"),
        (Transcription("quarantined", "by signal 9", 7, "killed"), "请增加内存，或调小 speech.workers"),
        (Transcription("waiting", "The model is gone.", 7, "model"), "callcenter models check"),
        (Transcription("missing"), "录音文件不在了"),
        (Transcription("erased"), "已删除"),
        (Transcription("off", "", 7, "", "ab" * 32), f'title="{"ab" * 32}"'),
    ],
    ids=lambda value: value.state if isinstance(value, Transcription) else "",
)
async def test_the_ticket_tells_what_became_of_the_recording(became: Transcription, sentence: str) -> None:
    async with site() as here:
        here.control.put("ringing", "a")
        call = story.talking(here.control.memory.calls_by_id[("pbx", "a")], here.memory.now())
        here.memory.put(replace(call, phase=Phase.ENDED, ended_at=here.memory.now() + 60, recording="a.wav"))
        here.shelf.became = became
        assert sentence in await (await (await here.signed_in("wu")).get("/tickets/187")).text()
        other = await (await (await here.signed_in("li")).get("/tickets/187")).text()
        assert "/review/7" not in other, "a seat's own reviews are on its own page"


@pytest.mark.parametrize(("state", "word"), [("ring1", "等待"), ("talking", "进行中"), ("hold60", "进行中")])
async def test_the_chip_of_a_running_call_tells_whether_anybody_talks(state: str, word: str) -> None:
    async with site() as here:
        ticket = scenes.stage(state, here.memory, here.control, here.telephone)
        text = await (await (await here.signed_in("wu")).get(f"/tickets/{ticket or 187}")).text()
        assert re.findall(r'<span class="end">\s*<span class="chip[^>]*>.*?</svg>([^<]*)<', text, re.S)[0] == word


async def test_a_transfer_is_in_the_course() -> None:
    async with site() as here:
        here.control.put("ringing", "a")
        call = here.control.memory.calls_by_id[("pbx", "a")]
        moved = replace(
            story.talking(call, here.memory.now()),
            transfers=(Transfer(TransferKind.ATTENDED, "1001", "1002", here.memory.now()),),
        )
        here.memory.put(moved)
        text = await (await (await here.signed_in("li")).get("/tickets/187")).text()
        assert "您转接给 011 号" in text


@pytest.mark.parametrize("language", ["zh", "en"])
async def test_a_call_that_is_handed_on_shows_what_was_written_and_counts_anew(language: str) -> None:
    """B4: nobody repeats himself; the rings before the first answer are not held against the second seat (A1)."""
    async with site() as here:
        here.memory.users_by_name["li"] = replace(here.memory.users_by_name["li"], language=language)
        scenes.stage("handed", here.memory, here.control, here.telephone)
        page = await (await (await here.signed_in()).get("/desk")).text()
        assert "3 号窗口收费后发票打不出来" in page
        assert "告知处理进度" in page
        assert ("011 号把这通电话转给您" if language == "zh" else "No.\u00a0011 hands this call on to you") in page
        assert "接听阶梯" not in page
        assert "Answer ladder" not in page
        assert found(r'data-rings="3" data-ring="(\d+)"', page) == "1"


async def test_a_seat_that_is_rung_after_the_announcement_is_told_so() -> None:
    """The caller hears no rings any more: none are counted."""
    async with site() as here:
        scenes.stage("caught", here.memory, here.control, here.telephone)
        page = await (await (await here.signed_in()).get("/desk")).text()
        assert page.count("播报已接听") == 2, "in the call bar and in the ladder"
        assert "data-ring-since" not in page
        assert "第 5 声" not in page


async def test_the_link_that_is_down_is_told_with_its_time() -> None:
    async with site() as here:
        here.memory.link_state = Link(LinkState.REFUSED, here.memory.now(), "wrong secret", "set secret_file")
        text = await (await (await here.signed_in("li")).get("/desk")).text()
        assert "电话连接从" in text
        assert "wrong secret set secret_file" in text


async def test_the_language_is_the_visitors_until_the_log_in() -> None:
    async with site() as here:
        client = await here.visitor()
        english = await (await client.get("/login", headers={"Accept-Language": "en-GB,en"})).text()
        assert 'lang="en"' in english
        assert "Work number" in english
        other = await (await client.get("/login", headers={"Accept-Language": "fr"})).text()
        assert "工号" in other
        assert "Work number" in await (await client.get("/login?lang=en")).text()
        assert (await client.get("/login?lang=../../etc")).status == 200


async def test_search_finds_and_stays_out_of_addresses() -> None:
    async with site() as here:
        scenes.past(here.memory)
        person = await here.signed_in("li")
        token = {"csrf": person.csrf}
        answer = await person.client.post(
            "/tickets/search", data={"q": "恒岳", **token}, headers={"HX-Request": "true"}
        )
        text = await answer.text()
        assert "恒岳制造" in text
        assert "蓝湖物流" not in text
        assert "<html" not in text
        whole = await (await person.client.post("/tickets/search", data={"q": "恒岳", **token})).text()
        assert "<html" in whole
        assert 'value="恒岳"' in whole
        assert "q=" not in whole.replace("q=''", "")


async def read_events(here: Site, person: Any, path: str, count: int, between: Any) -> list[tuple[str, dict[str, Any]]]:
    """The first events of a stream; ``between`` is called after each."""
    events = []
    answer = await person.client.get(path)
    assert answer.headers["Content-Type"].startswith("text/event-stream")
    assert answer.headers["X-Accel-Buffering"] == "no"
    async with asyncio.timeout(20):
        while len(events) < count:
            lines = []
            while (line := (await answer.content.readline()).decode().rstrip("\n")) != "":
                lines.append(line)
            fields = dict(line.split(": ", 1) for line in lines)
            events.append((fields["event"], json.loads(fields["data"])))
            between(len(events))
    answer.close()
    return events


async def test_the_push_begins_with_everything_and_tells_what_changed() -> None:
    async with site() as here:
        person = await here.signed_in("li")
        steps = {
            1: lambda: here.control.put("ringing", "a", caller_name="周敏"),
            2: lambda: here.control.put("talking", "a"),
        }
        events = await read_events(here, person, "/live", 3, lambda n: steps.get(n, lambda: None)())
        kinds = [(kind, data.get("state"), data.get("work")) for kind, data in events if kind in ("hello", "desk")]
        assert kinds[0] == ("hello", "free", "idle")
        assert ("desk", "ringing", "ring:187") in kinds
        told = json.dumps(events, ensure_ascii=False)
        assert "周敏" not in told
        assert story.NUMBER not in told


async def test_a_page_that_comes_back_is_told_the_whole_state() -> None:
    async with site() as here:
        person = await here.signed_in("li")
        here.control.put("ringing", "a")
        (first,) = await read_events(here, person, "/live", 1, lambda n: None)
        (again,) = await read_events(here, person, "/live", 1, lambda n: None)
        assert first[1]["pop"] == again[1]["pop"] is not None
        assert first[1]["state"] == "ringing"


async def test_log_out_ends_the_push() -> None:
    async with site() as here:
        person = await here.signed_in("li")
        session = next(iter(here.memory.sessions))
        events = await read_events(here, person, "/live", 2, lambda n: here.hub.end_session(session))
        assert events[-1] == ("bye", {"reason": "logout"})


async def test_a_page_that_left_is_forgotten() -> None:
    async with site() as here:
        person = await here.signed_in("li")
        await read_events(here, person, "/live", 1, lambda n: None)
        for _ in range(100):
            here.hub.seat_changed("1001")
            await asyncio.sleep(0.02)
            if here.hub.listening == 0:
                break
        assert here.hub.listening == 0


async def test_readiness_names_each_part_with_reason_and_remedy() -> None:
    async with site() as here:
        client = await here.visitor()
        assert (await (await client.get("/readyz")).json())["ready"] is True
        doctor: Any = here.server.app
        health = doctor[PORTS].health
        assert isinstance(health, Doctor)
        health.found.append(Part("asterisk", False, "refused", "the secret is wrong", "set asterisk.secret_file"))
        answer = await client.get("/readyz")
        assert answer.status == 503
        part = (await answer.json())["parts"][-1]
        assert (part["name"], part["state"], part["remedy"]) == ("asterisk", "refused", "set asterisk.secret_file")
        assert (await client.get("/healthz")).status == 200


async def test_what_no_call_needs_is_told_and_takes_the_daemon_out_of_nothing() -> None:
    async with site() as here:
        client = await here.visitor()
        health = here.server.app[PORTS].health
        assert isinstance(health, Doctor)
        health.found.append(Part("live transcription", False, "down", "It ended.", "wait", needed=False))
        answer = await client.get("/readyz")
        told = await answer.json()
        assert (answer.status, told["ready"]) == (200, True)
        assert [told["parts"][-1][name] for name in ("ready", "needed", "state")] == [False, False, "down"]


async def test_the_csrf_token_is_on_the_page_and_not_the_cookie() -> None:
    async with site() as here:
        person = await here.signed_in("li")
        page = await (await person.get("/desk")).text()
        cookies = [one.value for one in person.client.session.cookie_jar]
        assert found(r'name="csrf-token" content="([^"]+)"', page) not in cookies
        assert not any(value and value in page for value in cookies if len(value) > 8)


async def test_the_talk_of_a_running_call_goes_on_in_the_lists() -> None:
    async with site() as here:
        number = here.control.put("ringing", "a")
        here.control.put("talking", "a", ago=30)
        answered = here.memory.calls_by_id["pbx", "a"].answered_at
        person = await here.signed_in("li")
        pages = [await (await person.get(address)).text() for address in (f"/tickets/{number}", "/tickets?view=all")]
        assert all(f'data-up="{answered}"' in page for page in pages)
        here.control.put("ended", "a")
        pages = [await (await person.get(address)).text() for address in (f"/tickets/{number}", "/tickets?view=all")]
        assert not any(f'data-up="{answered}"' in page for page in pages)
