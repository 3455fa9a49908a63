"""``callcenter check``: what is judged of the facts, as tables; the real Asterisk is in tests/asterisk."""

import dataclasses
import grp
import os
import tempfile
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from callcenter.ami.codec import Message
from callcenter.ami.rights import commands
from callcenter.check import report, run_checks
from callcenter.checks import files, rights, site
from callcenter.checks.files import judge_files
from callcenter.checks.finding import Finding, bad, ok, warn
from callcenter.checks.hooks import HookFacts, judge_hooks
from callcenter.clock import ManualClock
from callcenter.days import Days
from callcenter.settings import Asterisk, Hooks, Queue, Settings, Web
from callcenter.settings.sections import Wallboard
from tests.fakes.asterisk import LEAST_RIGHTS, FakeAsterisk, queue_status
from tests.fakes.links import quick

LEAST = LEAST_RIGHTS | {"Response": "Success"}


def levels(findings: list[Finding]) -> str:
    return " ".join(finding.level for finding in findings)


def test_the_privileges_of_actions_are_read_from_list_commands() -> None:
    known = commands(LEAST)
    assert known["Originate"] == {"originate"}
    assert known["MixMonitorMute"] == {"system", "call"}
    assert known["QueueStatus"] == frozenset()
    assert "Response" not in known


@pytest.mark.parametrize(
    ("change", "expected", "says"),
    [
        ({}, "ok", "no other"),
        ({"Originate": None}, "bad", "lacks the write class originate"),
        ({"CoreShowChannels": None}, "bad", "lacks the write class reporting"),
        ({"Command": "Execute  (Priv: command,all)"}, "bad", "write class command"),
        ({"GetConfig": "x (Priv: system,config,all)", "ModuleLoad": "x (Priv: system,all)"}, "bad", "class system "),
        ({"GetConfig": "x (Priv: system,config,all)"}, "bad", "config, system"),
        ({"QueueStatus": None, "QueuePause": None}, "ok bad", "app_queue is not loaded"),
        ({"MixMonitorMute": None}, "ok bad", "app_mixmonitor is not loaded"),
    ],
)
def test_write_classes(change: dict[str, str | None], expected: str, says: str) -> None:
    answer = {key: value for key, value in (LEAST | change).items() if value is not None}
    findings = rights.judge_write(commands(answer))
    assert levels(findings) == expected
    assert any(says in finding.what for finding in findings)


@pytest.mark.parametrize(
    ("classes", "expected"),
    [
        (set(), "bad"),
        ({"call", "all"}, "ok"),
        ({"call", "agent", "user", "reporting"}, "ok"),
        ({"call", "cdr"}, "warn ok"),
        ({"call", "system", "security"}, "warn ok"),
        ({"call", "dialplan"}, "bad ok"),
    ],
)
def test_read_classes(classes: set[str], expected: str) -> None:
    assert levels(rights.judge_read(classes)) == expected


def test_forbidden_filters_and_timestamps() -> None:
    assert rights.judge_forbidden(True).level == "ok"
    assert rights.judge_forbidden(False).level == "bad"
    assert rights.judge_filters({"Newchannel": 3}, {"Newchannel"}) == ok("No unwanted event arrived (3 events seen).")
    finding = rights.judge_filters({"Newchannel": 3, "RTCPSent": 9}, {"Newchannel"})
    assert (finding.level, "RTCPSent" in finding.what) == ("warn", True)
    assert [rights.judge_timestamps(stamped).level for stamped in (True, False, None)] == ["ok", "bad", "bad"]
    assert "Extension does not exist" in rights.judge_timestamps(None, "Extension does not exist.").what
    assert levels(rights.judge_read(set(), provoked=False)) == "ok"
    assert "timestampevents" in rights.judge_timestamps(False).remedy


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ({"AsteriskVersion": "22.10.1", "SystemName": "pbx", "CoreCDRenabled": "Yes"}, "ok ok"),
        ({"AsteriskVersion": "22.9.0", "SystemName": "pbx"}, "warn ok"),
        ({"AsteriskVersion": "22.10.1+dfsg+~cs6.17.60671434-1", "SystemName": "pbx"}, "ok warn ok"),
        ({"AsteriskVersion": "16.28.0~dfsg-0+deb11u4", "SystemName": "pbx"}, "warn ok"),
        ({"AsteriskVersion": "22.10.1", "SystemName": "", "CoreCDRenabled": "No"}, "ok warn bad"),
    ],
)
def test_core_settings(answer: Message, expected: str) -> None:
    assert levels(site.judge_core(answer)) == expected


@pytest.mark.parametrize(
    ("running", "live", "expected"),
    [
        ("16.28.0~dfsg-0+deb11u4", True, "warn"),
        ("16.28.0~dfsg-0+deb11u4", False, ""),
        ("17.9.4", True, "warn"),
        ("18.0.0", True, ""),
        ("22.10.1", True, ""),
        ("GIT-master", True, ""),
    ],
)
def test_an_asterisk_that_brings_no_sound_of_running_calls(running: str, live: bool, expected: str) -> None:
    settings = Settings(queues={"support": Queue(live=live)})
    found = site.judge_live(settings, {"AsteriskVersion": running})
    assert levels(found) == expected
    assert all("16.28.0" in one.what or "17.9.4" in one.what for one in found)


@pytest.mark.parametrize(
    ("host", "tls", "expected"), [("127.0.0.1", False, ""), ("::1", False, ""), ("localhost", False, ""),
                                  ("10.0.0.5", False, "warn"), ("pbx.example", False, "warn"), ("10.0.0.5", True, "")]
)  # fmt: skip
def test_transport(host: str, tls: bool, expected: str) -> None:
    assert levels(site.judge_transport(Asterisk(host=host, tls=tls))) == expected


def test_clock_zone_rings_and_dialplan() -> None:
    assert [site.judge_clock(offset).level for offset in (0.1, -3.0, None)] == ["ok", "warn", "warn"]
    assert site.judge_zone("+0800", "+0800", "Asia/Shanghai") == site.judge_zone("", "+0800", "Asia/Shanghai") == []
    assert levels(site.judge_zone("+0000", "+0800", "Asia/Shanghai")) == "warn"
    settings = Settings()
    assert [site.judge_rings(value, settings).level for value in ("", "15", "20", "abc")] == ["ok", "ok", "warn", "bad"]
    assert "CC_RING_SECONDS=14" in site.judge_rings("20", settings).remedy
    assert site.judge_dialplan([]).level == "ok"
    assert "cc-click" in site.judge_dialplan(["cc-click"]).what


def with_member(**changes: str) -> list[Message]:
    params, member, _ = queue_status()
    return [params, member | changes]


@pytest.mark.parametrize(
    ("items", "expected", "says"),
    [
        (with_member(), "ok", "all phones known"),
        (with_member(Status="4"), "bad", "PJSIP/1001 does not exist"),
        (with_member(Status="5"), "warn", "not reachable"),
        (with_member(StateInterface="Local/1001@cc-seat/n"), "bad", "no state interface"),
        (with_member()[:1], "warn", "has no member"),
        ([], "bad warn", "configured queue support does not exist"),
    ],
)
def test_queues(items: list[Message], expected: str, says: str) -> None:
    findings = site.judge_queues(items, Settings(queues={"support": Queue()}))
    assert levels(findings) == expected
    assert says in findings[0].what


def test_a_member_whose_hint_is_missing_is_told_of_the_hint() -> None:
    member = with_member(Status="4", StateInterface="hint:1001@ext-local")
    assert "Create the hint" in site.judge_queues(member, Settings())[0].remedy


def test_trunks() -> None:
    assert levels(site.judge_trunks(("trunk",), {"PJSIP/trunk", "PJSIP/1001"})) == "ok"
    assert levels(site.judge_trunks(("carrier",), {"PJSIP/trunk"})) == "warn"
    assert site.judge_trunks((), set()) == []


ROW = '"pbx-1.1","pbx-1.1","1","1795000000","","1795000009","139","""x"" <139>","4000","ctx","PJSIP/t-1","","NO ANSWER"'
ROW += ',"9","0","Queue","support","",""\n'


CURL = HookFacts({"cc-hook-arrival", "cc-hook-ask"}, False, "http://127.0.0.1:8080/hooks", True, "t0ken")


@pytest.mark.parametrize(
    ("changes", "expected", "says"),
    [
        ({}, "ok", "CC_HOOKS_URL"),
        ({"curl": None}, "ok", "set up"),
        ({"token": None}, "ok", "set up"),
        ({"address": "http://192.0.2.7:9/hooks"}, "ok", "set up"),
        ({"agi": True, "address": "127.0.0.1:4573", "curl": False}, "ok", "CC_HOOKS_AGI"),
        ({"contexts": set()}, "warn", "no context cc-hook-arrival"),
        ({"contexts": {"cc-hook-arrival"}}, "warn", "no context cc-hook-ask"),
        ({"address": ""}, "warn", "CC_HOOKS_URL is not set"),
        ({"agi": True, "address": ""}, "warn", "CC_HOOKS_AGI is not set"),
        ({"token": ""}, "warn", "CC_HOOKS_TOKEN is not set"),
        ({"curl": False}, "bad", "no func_curl"),
        ({"token": "another"}, "bad", "refuses every hook"),
        ({"address": "http://127.0.0.1:8088/hooks"}, "bad", "leads to port 8088"),
        ({"address": "http://localhost/hooks"}, "bad", "leads to port 80,"),
        ({"agi": True, "address": "127.0.0.1:4000"}, "bad", "leads to port 4000"),
    ],
)
def test_hooks(changes: dict[str, Any], expected: str, says: str) -> None:
    finding = judge_hooks(dataclasses.replace(CURL, **changes), Settings(hooks=Hooks(token_file=Path("x"))), "t0ken")
    assert finding.level == expected
    assert says in finding.what
    assert bool(finding.remedy) is (expected != "ok")
    assert "t0ken" not in finding.what + finding.remedy + repr(CURL)


def test_hooks_without_a_token_of_ours_and_with_any_port() -> None:
    assert "hooks.token_file is not set" in judge_hooks(CURL, Settings(), None).what
    settings = Settings(hooks=Hooks(token_file=Path("x")), web=Web(port=0))
    assert "cannot be read" in judge_hooks(CURL, settings, None).what
    assert judge_hooks(CURL, settings, "t0ken").level == "ok"


def test_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "GROUP", "no-such-group")

    def judged(**changes: Any) -> list[str]:
        return [finding.level for finding in judge_files(Asterisk(**changes))]

    cdr, recordings = tmp_path / "cdr.csv", tmp_path / "monitor"
    assert judged() == ["bad", "warn"]
    assert judged(cdr_file=cdr, recordings_dir=recordings) == ["warn", "bad"]
    assert "CC_RECORDINGS" in judge_files(Asterisk(recordings_dir=recordings))[-1].remedy
    recordings.mkdir()
    (recordings / "a.wav").write_bytes(b"RIFF")
    cdr.write_text(ROW)
    assert judged(cdr_file=cdr, recordings_dir=recordings) == ["ok", "ok"]
    cdr.write_text(ROW * 1_000)  # longer than what is looked at: the first line of the tail is a torn one
    assert judged(cdr_file=cdr, recordings_dir=recordings) == ["ok", "ok"]
    cdr.write_text("2026-11-22,139,4000\n")
    assert judged(cdr_file=cdr, recordings_dir=recordings) == ["bad", "ok"]
    assert judged(cdr_file=tmp_path, recordings_dir=cdr) == ["bad", "bad"]


@pytest.mark.skipif(
    os.geteuid() != 0, reason="only root can make a file that somebody else may not read, and ask as them"
)
def test_unreadable_files_as_another_user(tmp_path: Path) -> None:
    cdr = tmp_path / "cdr.csv"
    cdr.write_text(ROW)
    cdr.chmod(0o600)
    child = os.fork()
    if child == 0:
        os.setgid(65534)
        os.setuid(65534)
        finding = judge_files(Asterisk(cdr_file=cdr))[0]
        os._exit(0 if finding.level == "bad" and "cannot be read" in finding.what else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can lay rights down")
def test_root_looks_at_the_files_with_the_rights_of_the_service(monkeypatch: pytest.MonkeyPatch) -> None:
    group = grp.getgrgid(os.getgid()).gr_name
    before = os.geteuid(), os.getegid(), os.getgroups()
    found = []
    with tempfile.TemporaryDirectory() as folder:  # tmp_path lies in a folder that nobody else may enter
        records = Path(folder) / "cdr.csv"
        records.write_text(ROW)
        for mode, name in ((0o700, "no-such-group"), (0o700, group), (0o750, group)):
            records.parent.chmod(mode)
            monkeypatch.setattr(files, "GROUP", name)
            found.append(judge_files(Asterisk(cdr_file=records))[0])
    assert levels(found) == "ok bad ok"
    assert "service's account" in found[1].remedy
    assert (os.geteuid(), os.getegid(), os.getgroups()) == before


def test_the_report_begins_with_the_worst_and_ends_with_the_totals() -> None:
    text = report([ok("fine"), warn("hm", "do this"), bad("broken", "mend it")])
    assert text.splitlines() == [
        "BAD  broken", "     -> mend it", "WARN hm", "     -> do this", "OK   fine", "1 bad, 1 warn, 1 ok"
    ]  # fmt: skip


async def test_nobody_there_a_refusal_and_a_missing_secret_are_findings(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("wrong")
    async with FakeAsterisk() as pbx:
        asterisk = dataclasses.replace(quick(pbx.port), secret_file=secret)
        findings = await run_checks(Settings(asterisk=asterisk), watch_seconds=0)
        assert findings[0].what == "Asterisk refused the log-in of 'callcenter': Authentication failed"
        missing = dataclasses.replace(asterisk, secret_file=tmp_path / "none")
        findings = await run_checks(Settings(asterisk=missing), watch_seconds=0)
        assert findings[0].what == f"asterisk.secret_file: {tmp_path}/none: the secret file is missing."
        assert len([finding for finding in findings if "secret" in finding.what]) == 1, "said once"
    settings = Settings(asterisk=asterisk, wallboard=Wallboard(queues=("nope",)))
    findings = await run_checks(settings, watch_seconds=0)
    assert "wallboard.queues: no queue nope is known." in [finding.what for finding in findings]
    assert findings[0].level == "bad"
    assert findings[0].what == "Asterisk: no connection: nobody listens there"
    assert all(finding.remedy for finding in findings if finding.level != "ok")


async def test_how_far_days_are_known_is_asked_of_the_clock_that_is_given(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("wrong")
    async with FakeAsterisk() as pbx:
        nobody = dataclasses.replace(quick(pbx.port), secret_file=secret)
    end = Days(chinese=True).end(ZoneInfo("Asia/Shanghai"))
    assert end is not None
    told = []
    for at in (end - 46 * 86_400, end - 40 * 86_400, end + 1):
        findings = await run_checks(Settings(asterisk=nobody), watch_seconds=0, clock=ManualClock(at))
        told.append((findings[-1].level, "ended" in findings[-1].what))
    assert told == [("ok", False), ("warn", False), ("warn", True)]
