"""One's own account: another password, what is refused, how guessing is slowed, and who is logged out by it."""

import asyncio
import logging
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest
from argon2 import PasswordHasher

from callcenter.web.ports import Role
from callcenter.web.sessions import Sessions
from tests.fakes.web import FAST_HASHER, PASSWORD, Memory
from tests.fakes.web_client import Person, Site, log_in, site

NEW = "another long password 电池"


@pytest.fixture
async def here(tmp_path: Any) -> AsyncIterator[Site]:
    async with site(tmp_path) as one:
        yield one


async def changed(person: Person, old: str, new: str, again: str | None = None, **more: str) -> Any:
    form = {"csrf": person.csrf, "old": old, "new": new, "again": new if again is None else again} | more
    return await person.client.post(
        "/account/password", data=form, headers={"Accept": "text/html"}, allow_redirects=False
    )


@pytest.mark.parametrize("name", ["li", "wu", "qa", "root"])
async def test_everybody_changes_their_own(here: Site, name: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    person = await here.signed_in(name)
    answer = await changed(person, PASSWORD, NEW)
    assert (answer.status, answer.headers["Location"]) == (303, "/account?changed")
    page = await (await person.get("/account?changed")).text()
    assert "密码已修改" in page
    stranger = await here.visitor()
    assert (await log_in(stranger, name, PASSWORD)).status == 403
    assert (await log_in(stranger, name, NEW)).status == 303
    assert [(who, what) for who, what, _ in here.memory.audit] == [(name, "password_changed")]
    assert PASSWORD not in caplog.text + page + repr(here.memory.audit)
    assert NEW not in caplog.text + page + repr(here.memory.audit)


async def test_every_other_log_in_of_the_person_ends_and_its_pages_are_told(here: Site) -> None:
    person, elsewhere, colleague = await here.signed_in(), await here.signed_in(), await here.signed_in("ma")
    stream, own = await elsewhere.client.get("/live"), await person.client.get("/live")
    assert (await changed(person, PASSWORD, NEW)).status == 303
    said = b""
    async with asyncio.timeout(10):
        async for line in stream.content:
            said += line
    assert b'event: bye\ndata: {"reason":"ended"}' in said
    assert here.hub.listening == 1
    own.close()
    assert (await elsewhere.get("/tickets")).headers["Location"] == "/login?next=/tickets"
    assert (await person.get("/tickets")).status == 200
    assert (await colleague.get("/tickets")).status == 200


@pytest.mark.parametrize(
    ("old", "new", "again", "status", "said"),
    [
        (PASSWORD, "short", None, 400, "至少 8 个字符"),
        (PASSWORD, "", None, 400, "至少 8 个字符"),
        (PASSWORD, "x" * 1025, None, 400, "最多 1024 个"),
        (PASSWORD, NEW, NEW + " ", 400, "不一致"),
        (PASSWORD, NEW, "", 400, "不一致"),
        ("wrong", NEW, None, 403, "原密码不正确"),
        ("", NEW, None, 403, "原密码不正确"),
    ],
)
async def test_what_is_refused_changes_nothing_and_comes_back_empty(
    here: Site, old: str, new: str, again: str | None, status: int, said: str
) -> None:
    person, elsewhere = await here.signed_in(), await here.signed_in()
    before = here.memory.users_by_name["li"]
    answer = await changed(person, old, new, again)
    page = await answer.text()
    assert answer.status == status
    assert said in page
    assert page.count('role="alert"') == 2  # the page's own, for screen readers, beside this one
    assert not [text for text in (old, new) if len(text) > 4 and text in page]
    assert here.memory.users_by_name["li"] == before
    assert here.memory.audit == []
    assert (await elsewhere.get("/tickets")).status == 200


async def test_guesses_are_limited_as_at_the_log_in_and_together_with_it(here: Site) -> None:
    person = await here.signed_in()
    stranger = await here.visitor()
    told = [(await changed(person, f"guess {n}", NEW)).status for n in range(3)]
    told += [(await log_in(stranger, "018", "wrong")).status for _ in range(2)]
    assert told == [403, 403, 403, 403, 429]
    locked = await changed(person, PASSWORD, NEW)
    assert locked.status == 429
    assert "已锁定" in await locked.text()
    assert here.memory.audit == []


async def test_guesses_sent_all_at_once_are_no_way_around_it(here: Site) -> None:
    person = await here.signed_in()
    answers = await asyncio.gather(*(changed(person, f"guess {n}", NEW) for n in range(30)))
    assert sum(answer.status == 403 for answer in answers) <= 5
    assert (await changed(person, PASSWORD, NEW)).status == 429


async def test_a_mistyped_new_password_costs_no_attempt(here: Site) -> None:
    person = await here.signed_in()
    for _ in range(10):
        assert (await changed(person, "wrong", "short")).status == 400
    assert (await changed(person, PASSWORD, NEW)).status == 303


@pytest.mark.parametrize(
    "forged", [{"csrf": ""}, {"csrf": "0" * 40}, {"Origin": "http://evil.example"}, {"Sec-Fetch-Site": "cross-site"}]
)
async def test_no_other_site_changes_it(here: Site, forged: dict[str, str]) -> None:
    person = await here.signed_in()
    form = {"csrf": person.csrf, "old": PASSWORD, "new": NEW, "again": NEW}
    headers = {name: value for name, value in forged.items() if name != "csrf"}
    form |= {name: value for name, value in forged.items() if name == "csrf"}
    answer = await person.client.post("/account/password", data=form, headers=headers, allow_redirects=False)
    assert answer.status == 403
    assert here.memory.audit == []


async def test_a_name_in_the_form_changes_nobody_elses(here: Site) -> None:
    person = await here.signed_in("ma")
    assert (await changed(person, PASSWORD, NEW, who="li", name="li", user="root")).status == 303
    assert [who for who, *_ in here.memory.audit] == ["ma"]
    assert (await log_in(await here.visitor(), "li", PASSWORD)).status == 303


async def test_an_older_kind_of_hash_is_no_hindrance() -> None:
    """At the log-in such a hash is made anew; here the new password's takes its place, once."""
    memory = Memory(lambda: 1_800_000_000.0)
    door = Sessions(memory, lambda: 1_800_000_000.0, 600, 3600, PasswordHasher(2, 64, 1))
    assert FAST_HASHER.check_needs_rehash(PasswordHasher(2, 64, 1).hash("x"))
    li = memory.users_by_name["li"]
    result = await door.change_password(li, "here", PASSWORD, NEW, "a")
    assert result.refused is None
    assert (await door.log_in("li", NEW, "a")).token is not None


async def test_who_comes_second_with_the_same_old_password_is_refused() -> None:
    memory = Memory(lambda: 1_800_000_000.0)
    door = Sessions(memory, lambda: 1_800_000_000.0, 600, 3600, FAST_HASHER)
    li = memory.users_by_name["li"]
    done = await asyncio.gather(*(door.change_password(li, "here", PASSWORD, f"{NEW} {n}", "a") for n in range(2)))
    assert [one.refused is None for one in done].count(True) == 1
    assert len(memory.audit) == 1


async def test_a_log_in_with_the_old_password_does_not_outlive_the_change(monkeypatch: pytest.MonkeyPatch) -> None:
    """It was found right a moment before, and its session begins a moment after."""
    memory = Memory(lambda: 1_800_000_000.0)
    door = Sessions(memory, lambda: 1_800_000_000.0, 600, 3600, FAST_HASHER)
    begin = memory.add_session

    async def late(session: Any) -> None:
        li = memory.users_by_name["li"]
        await memory.change_password("li", li.password_hash, FAST_HASHER.hash(NEW), "here", 1_800_000_000.0)
        await begin(session)

    monkeypatch.setattr(memory, "add_session", late)
    assert (await door.log_in("li", PASSWORD, "a")).token is None
    assert memory.sessions == {}
    monkeypatch.undo()
    assert (await door.log_in("li", NEW, "a")).token is not None


@pytest.mark.parametrize("role", Role)
async def test_the_page_is_found_from_the_name_in_the_bar_and_tells_who_one_is(here: Site, role: Role) -> None:
    name = next(one.name for one in here.memory.users_by_name.values() if one.role is role)
    here.memory.users_by_name[name] = replace(here.memory.users_by_name[name], display_name="<b>\u202e周")
    person = await here.signed_in(name)
    assert 'href="/account"' in await (await person.get("/tickets")).text()
    page = await (await person.get("/account")).text()
    assert "&lt;b&gt;周" in page
    assert "argon2" not in page


@pytest.mark.parametrize(
    ("new", "said"),
    [
        (PASSWORD, "新密码与旧密码相同，请换一个。"),
        ("12345678", "这个密码太常见，容易被猜到，请换一个。"),
        ("PassWord", "这个密码太常见，容易被猜到，请换一个。"),
        ("lilililili", "这个密码太常见，容易被猜到，请换一个。"),
        ("li20261128", "这个密码太常见，容易被猜到，请换一个。"),
        ("xxxxxxxxxx", "这个密码太常见，容易被猜到，请换一个。"),
    ],
)
async def test_the_old_password_and_one_that_is_tried_first_are_refused(here: Site, new: str, said: str) -> None:
    person = await here.signed_in("li")
    form = {"csrf": person.csrf, "old": PASSWORD, "new": new, "again": new}
    answer = await person.client.post("/account/password", data=form, headers={"Accept": "text/html"})
    assert answer.status == 400
    assert said in await answer.text()
    assert here.memory.audit == []
