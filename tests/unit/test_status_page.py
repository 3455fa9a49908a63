"""The status page: every line in words, in both languages, and nothing unknown shown as known."""

import ast
import inspect
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from callcenter.ami import link, login, wire
from callcenter.settings import SecretError, read_secret
from callcenter.store import faults
from callcenter.web.context import PORTS
from callcenter.web.health_ports import Part, Unobserved
from callcenter.web.status import lasting, size
from callcenter.web.status_reasons import SENTENCES, told
from callcenter.web.status_words import FACTS, PARTS, REMEDIES, RUNBOOK, STATES
from callcenter.web.words import load
from tests.fakes.web import Doctor
from tests.fakes.web_client import Site, site

RUNBOOK_TEXT = (Path(__file__).parents[2] / "docs" / "runbook.md").read_text("utf-8")


def doctor(here: Site) -> Doctor:
    app: Any = here.server.app
    health = app[PORTS].health
    assert isinstance(health, Doctor)
    return health


@pytest.mark.parametrize(
    ("seconds", "zh", "en"),
    [
        (0, "0 秒", "0 s"),
        (-0.0002, "0 秒", "0 s"),
        (0.0123, "0.012 秒", "0.012 s"),
        (-0.5, "-0.5 秒", "-0.5 s"),
        (119.9, "119 秒", "119 s"),
        (-3600, "-60 分", "-60 min"),
        (11_100, "3 时 5 分", "3 h 5 min"),
        (187_200, "2 天 4 时", "2 d 4 h"),
    ],
)
def test_how_long_something_lasts_in_words(seconds: float, zh: str, en: str) -> None:
    assert (lasting(seconds, load("zh")).replace("小时", "时").replace("分钟", "分"), lasting(seconds, load("en"))) == (
        zh,
        en,
    )


@pytest.mark.parametrize(
    ("count", "said"),
    [(0, "0 B"), (1023, "1023 B"), (1024, "1.0 KB"), (48_234_496, "46 MB"), (1.5 * 2**30, "1.5 GB"), (2**42, "4.0 TB")],
)
def test_sizes_as_people_say_them(count: float, said: str) -> None:
    assert size(count) == said


def test_every_state_and_remedy_belongs_to_a_part_and_every_runbook_entry_is_there() -> None:
    for part, _ in (*STATES, *REMEDIES, *RUNBOOK):
        assert part in PARTS
    assert set(REMEDIES) | set(RUNBOOK) <= set(STATES)
    for name in RUNBOOK.values():
        assert f"## {name}\n" in RUNBOOK_TEXT


async def test_what_is_not_known_says_so_and_what_is_unnamed_is_not_shown() -> None:
    async with site() as here:
        facts = {"last_call_at": None, "something_else": "4711-4711"}
        doctor(here).found = [Part("calls", True, "quiet", facts=facts), Part("new part", False, "odd", "why", "do it")]
        page = await (await (await here.signed_in("wu")).get("/status")).text()
        assert "未知" in page
        assert "4711-4711" not in page
        for word in ("new part", "odd", "why", "do it"):
            assert word in page, "what has no words yet is shown as the program names it"


async def test_what_the_world_says_is_text_and_no_page() -> None:
    async with site() as here:
        doctor(here).found = [Part("asterisk", False, "refused", "<script>alert(1)</script>\u202e", "")]
        doctor(here).gaps = [Unobserved(1.0, 2.0, "<img src=x>")]
        page = await (await (await here.signed_in("wu")).get("/status")).text()
        assert "<script>alert" not in page
        assert "<img src=x" not in page
        assert "\u202e" not in page


@pytest.mark.parametrize(
    ("reason", "zh"),
    [
        ("no connection: nobody listens there", "连接不上：那里没有程序在监听"),
        ("no connection: No route to host", "连接不上：没有到主机的路由"),
        (
            "Asterisk refused the log-in of 'callcenter': Authentication failed",
            "Asterisk 拒绝 'callcenter' 登录：认证失败",
        ),
        (
            "nothing was stored for 12 s. The SQLite file /x/a. b.db cannot grow: the disk is full; free some space.",
            "已有 12 秒没有写入。",
        ),
        (
            "hooks.token_file: the secret file cannot be read (Permission denied); let the daemon's account read it, "
            "as a service by LoadCredential (callcenter.service). "
            "traces.headers_file: the secret file is empty; write the secret into it.",
            "hooks.token_file：密钥文件无法读取（没有权限）；请让本程序的账号能读取它，"
            "作为系统服务时用 LoadCredential（callcenter.service）。"
            "traces.headers_file：密钥文件是空的；请写入密钥。",
        ),
        ("something new 100 %s", "something new 100 %s"),
        ("", ""),
    ],
)
def test_reasons_are_told_in_the_readers_language(reason: str, zh: str) -> None:
    assert told(load("zh"), reason).startswith(zh)
    assert told(load("en"), reason) == reason


def test_whatever_is_said_of_a_secret_has_words(tmp_path: Path) -> None:
    (tmp_path / "empty").write_text("")
    (tmp_path / "bytes").write_bytes(b"\xff")
    for name in ("none", "empty", "bytes", "."):
        with pytest.raises(SecretError) as said:
            read_secret(tmp_path / name, "hooks.token_file")
        assert told(load("zh"), str(said.value)).startswith("hooks.token_file：密钥文件"), name


def test_every_reason_that_the_link_and_the_store_give_has_words() -> None:
    """The shape of each f-string that ends a connection or refuses a write is among the sentences."""
    found = set(faults._SQLITE.values())
    for module in (login, link, wire):
        for call in ast.walk(ast.parse(inspect.getsource(module))):
            if isinstance(call, ast.Call) and getattr(call.func, "id", getattr(call.func, "attr", "")) in ENDS:
                found |= {"".join(_shape(part)) for part in ast.walk(call.args[0]) if isinstance(part, SPOKEN)}
    spoken = {one for one in found if " " in one}
    assert len(spoken) > 15
    whole = " ".join(SENTENCES)
    assert not [one for one in spoken if one not in whole]


ENDS = ("Lost", "Refused", "LinkLost", "lost_because", "drop", "_drop")
SPOKEN = (ast.JoinedStr, ast.Constant)


def _shape(part: ast.AST) -> Iterator[str]:
    values = part.values if isinstance(part, ast.JoinedStr) else [part]
    for value in values:
        yield str(value.value) if isinstance(value, ast.Constant) else "%s"


async def test_many_gaps_are_counted_and_the_latest_shown() -> None:
    async with site() as here:
        doctor(here).gaps = [Unobserved(float(n), n + 1.0, f"reason {n}") for n in range(50)]
        page = await (await (await here.signed_in("wu")).get("/status/lines")).text()
        assert "reason 49" in page
        assert "reason 29<" not in page
        assert "30" in page


async def test_the_runbook_has_every_alert_and_no_slot_left_open() -> None:
    async with site() as here:
        page = await (await (await here.signed_in("root")).get("/status/runbook")).text()
        for name in (line[3:] for line in RUNBOOK_TEXT.splitlines() if line.startswith("## ")):
            assert f'id="{name.lower()}"' in page
        assert "$labels" not in page
        assert "Bring seats to the queue" not in page
        assert "调座席到这个队列" in page, "in the reader's language, all of it"


async def test_the_runbook_is_english_for_who_reads_english() -> None:
    async with site() as here:
        person = await here.signed_in("root")
        here.memory.users_by_name["root"] = replace(here.memory.users_by_name["root"], language="en")
        page = await (await person.get("/status/runbook")).text()
        assert "Bring seats to the queue" in page
        assert not re.search("[\u4e00-\u9fff]", page.partition('<section class="panel runbook"')[2])


def test_every_fact_has_words() -> None:
    assert all(FACTS.values())
