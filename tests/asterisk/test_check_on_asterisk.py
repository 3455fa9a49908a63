"""``callcenter check`` on a real Asterisk: a good configuration, accounts with wrong rights, a broken configuration."""

import asyncio
import dataclasses
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from callcenter.ami.parse import WANTED
from callcenter.check import report, run_checks
from callcenter.checks import files
from callcenter.checks.finding import Finding
from callcenter.demo.server import AsteriskServer, find_program
from callcenter.settings import Asterisk, Hooks, Queue, Settings, Web

ACCOUNTS = """
[toomuch]
secret = @SECRET@
read = all
write = all

[toolittle]
secret = @SECRET@
read = agent
write = call

[unfiltered]
secret = @SECRET@
read = call,agent,user,reporting
write = originate,agent,call,reporting

[filtered]
secret = @SECRET@
read = call,agent,user,reporting
write = originate,agent,call,reporting
""" + "".join(f"eventfilter = Event: {name}\n" for name in sorted(WANTED))
HOOKS = {"HOOKSURL": "http://127.0.0.1:8080/hooks", "HOOKSTOKEN": "t0ken-of-the-hooks"}
BROKEN_QUEUES = """
[support]
strategy = ringall
member => Local/1001@cc-seat/n,0,1001
member => PJSIP/1999,0,1999,PJSIP/1999
"""


@pytest.fixture(autouse=True)
def own_rights(monkeypatch: pytest.MonkeyPatch) -> None:
    """The folders of the tests are open to their owner alone, also where this machine has a group asterisk."""
    monkeypatch.setattr(files, "GROUP", "no-such-group")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AsteriskServer]:
    extra = tmp_path_factory.mktemp("extra") / "manager-lab-check.conf"
    extra.write_text(ACCOUNTS)
    with AsteriskServer(
        tmp_path_factory.mktemp("good"), find_program(), extra=[extra], hooks="curl", variables=HOOKS
    ) as asterisk:
        asterisk.cli("module load res_clioriginate.so")
        yield asterisk


@pytest.fixture(scope="module")
def broken(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AsteriskServer]:
    """No timestamps, no system name, no call records, no dialplan, queue members that cannot work."""
    asterisk = AsteriskServer(tmp_path_factory.mktemp("broken"), find_program())
    asterisk.configure()
    etc = asterisk.folder / "etc"
    edit(etc / "manager.conf", "timestampevents = yes", "timestampevents = no")
    edit(etc / "asterisk.conf", "systemname = pbx", "")
    (etc / "cdr.conf").write_text("[general]\nenable = no\n")
    (etc / "extensions.conf").write_text("[cc-click]\nexten => 00,1,Hangup()\n[globals]\nCC_RING_SECONDS=20\n")
    (etc / "queues.conf").write_text(BROKEN_QUEUES)
    asterisk.spawn()
    try:
        yield asterisk
    finally:
        asterisk.stop()


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def settings(server: AsteriskServer, user: str = "callcenter") -> Settings:
    secret = server.folder / "secret"
    secret.write_text(server.secret)
    secret.chmod(0o600)
    token = server.folder / "token"
    token.write_text(HOOKS["HOOKSTOKEN"])
    asterisk = Asterisk(port=server.ports["AMI"], user=user, secret_file=secret, cdr_file=server.cdr_file)
    return Settings(
        asterisk=dataclasses.replace(asterisk, recordings_dir=server.recordings),
        hooks=Hooks(token_file=token),
        queues={"support": Queue()},
    )


def said(findings: list[Finding], level: str) -> str:
    return "\n".join(finding.what for finding in findings if finding.level == level)


async def test_a_good_configuration_has_nothing_bad(server: AsteriskServer) -> None:
    calls_before = server.cli("core show channels count").splitlines()[-2:]
    findings = await run_checks(settings(server))
    assert said(findings, "bad") == "", report(findings)
    fine = said(findings, "ok")
    for words in (
        "no other",
        "is refused",
        "systemname is",
        "is loaded",
        "3 rings last 15 s",
        "own time",
        "lines trunk",
        "arrival hook is set up (CC_HOOKS_URL)",
    ):
        assert words in fine
    assert all(finding.remedy for finding in findings if finding.level != "ok")
    assert server.secret not in report(findings)
    assert HOOKS["HOOKSTOKEN"] not in report(findings)
    assert server.cli("core show channels count").splitlines()[-2:] == calls_before  # no call was made


async def test_a_token_that_the_daemon_would_refuse_and_an_address_that_leads_elsewhere(
    server: AsteriskServer,
) -> None:
    wrong = settings(server)
    (server.folder / "token").write_text("another")
    assert "CC_HOOKS_TOKEN is not the token" in said(await run_checks(wrong), "bad")
    elsewhere = dataclasses.replace(settings(server), web=Web(port=8088))
    assert "CC_HOOKS_URL leads to port 8080" in said(await run_checks(elsewhere), "bad")


async def test_a_call_during_the_check_shows_the_read_classes_and_the_filters(server: AsteriskServer) -> None:
    """The filters in the older form, which every release from 16 on reads."""

    def call() -> None:
        time.sleep(2)
        server.cli("channel originate Local/*81001@cc-pickup/n application UserEvent CallcenterCheck")

    for user, noisy in (("filtered", False), ("unfiltered", True)):
        thread = threading.Thread(target=call)
        thread.start()
        findings = await run_checks(settings(server, user), watch_seconds=5)
        await asyncio.to_thread(thread.join)
        text = report(findings)
        assert "seen: call" in text
        assert ("Events that nobody uses leave Asterisk" in text) is noisy, text
        assert ("DeviceStateChange" in text) is noisy, text


async def test_an_account_that_may_do_too_much(server: AsteriskServer) -> None:
    worst = said(await run_checks(settings(server, "toomuch")), "bad")
    assert "The account may do too much: write class" in worst
    assert "command" in worst
    assert "A console command was carried out" in worst
    assert "reads the class dialplan" in worst


async def test_an_account_that_may_do_too_little(server: AsteriskServer) -> None:
    worst = said(await run_checks(settings(server, "toolittle")), "bad")
    assert "lacks the write class agent, originate, reporting" in worst
    assert "No event could be provoked (Permission denied)" in worst


async def test_a_broken_configuration_is_told_item_by_item(broken: AsteriskServer) -> None:
    findings = await run_checks(settings(broken))
    worst, less = said(findings, "bad"), said(findings, "warn")
    assert "Events bear no time" in worst
    assert "Call records are switched off" in worst
    assert "The dialplan is not loaded: no cc-announce" in worst
    assert "Member Local/1001@cc-seat/n of queue support has no state interface" in worst
    assert "the phone PJSIP/1999 does not exist" in worst
    assert "systemname is not set" in less
    assert "ring 20 s" in less
    assert all(finding.remedy for finding in findings if finding.level != "ok")
