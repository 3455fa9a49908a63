"""Logging in: refusals with their reasons and remedies, TLS, peers that are no Asterisk, ports that are closed."""

import asyncio
import ssl
import subprocess
import time
from pathlib import Path

import pytest

from callcenter.ami.actions import Hangup
from callcenter.ami.link import Link
from callcenter.clock import Clock
from callcenter.errors import NotConnected
from callcenter.settings import SettingsError, read_secret
from tests.fakes.asterisk import FakeAsterisk
from tests.fakes.links import KeptEvents, is_up, quick, running, until

CHANNEL = (("Channel", "PJSIP/trunk-1"), ("Uniqueid", "lab-1.1"), ("Linkedid", "lab-1.1"))


async def test_an_account_with_other_rights_than_it_needs_is_warned_about_and_works() -> None:
    async with FakeAsterisk() as pbx:
        async with running(quick(pbx.port)) as (link, _):
            await is_up(link)
            assert link.status.warning == ""
        pbx.commands["Command"] = "Execute Asterisk CLI Command.  (Priv: command,all)"
        del pbx.commands["Originate"]
        async with running(quick(pbx.port)) as (link, _):
            await is_up(link)
            assert link.status.warning.startswith("The AMI account may do too much (command) and lacks originate;")
            assert not link.status.below_floor


async def test_a_refused_log_in_says_why_and_what_to_do_and_is_not_hammered(caplog: pytest.LogCaptureFixture) -> None:
    async with FakeAsterisk() as pbx, running(quick(pbx.port), secret="wr0ng-secret") as (link, sink):
        await until(lambda: len(pbx.login_at) == 3)
        assert link.status.state == "refused"
        assert link.status.reason == "Asterisk refused the log-in of 'callcenter': Authentication failed"
        assert "manager.conf" in link.status.remedy
        assert min(b - a for a, b in zip(pbx.login_at, pbx.login_at[1:], strict=False)) >= 0.5
        assert sink.kept == []
        with pytest.raises(NotConnected):
            await link.perform(Hangup("PJSIP/a-1"))
    assert "wr0ng-secret" not in caplog.text + link.status.reason + link.status.remedy


async def test_the_secret_is_read_at_every_log_in_and_its_absence_is_told(tmp_path: Path) -> None:
    path = tmp_path / "secret"

    def secret() -> str:
        return read_secret(path, "asterisk.secret_file")

    with pytest.raises(SettingsError):
        secret()
    async with FakeAsterisk() as pbx:
        link = Link(quick(pbx.port, refused_retry_seconds=0.1), secret, KeptEvents())
        task = asyncio.create_task(link.run())
        await until(lambda: link.status.state == "refused")
        assert "asterisk.secret_file" in link.status.reason
        assert pbx.connected_at == []
        path.write_text("s3cret\n")
        await is_up(link)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_an_account_without_reporting_is_refused_with_the_remedy() -> None:
    async with FakeAsterisk() as pbx:
        pbx.refuse["CoreShowChannels"] = "Permission denied"
        async with running(quick(pbx.port)) as (link, _):
            await until(lambda: link.status.state == "refused")
            assert "reporting" in link.status.remedy


async def test_a_closed_port_is_lost_with_a_remedy_and_found_again() -> None:
    pbx = FakeAsterisk()
    await pbx.listen()
    await pbx.stop()
    async with running(quick(pbx.port)) as (link, sink):
        await until(lambda: link.status.state == "lost")
        assert str(pbx.port) in link.status.remedy
        assert sink.kept == []
        await pbx.listen()
        await is_up(link)
        await pbx.stop()


async def test_the_secret_is_not_sent_to_something_that_is_no_asterisk() -> None:
    async with FakeAsterisk(banner=b"SSH-2.0-OpenSSH_9.2\r\n") as pbx, running(quick(pbx.port)) as (link, _):
        await until(lambda: link.status.state == "lost")
        assert "no banner" in link.status.reason
        assert pbx.received == []


async def test_a_connection_that_never_completes_times_out() -> None:
    # A listener with a full backlog: the SYN is never answered.
    import socket

    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        fillers = [socket.socket() for _ in range(4)]
        for filler in fillers:
            filler.setblocking(False)
            filler.connect_ex(listener.getsockname())
        async with running(quick(listener.getsockname()[1], connect_timeout_seconds=0.2)) as (link, _):
            await until(lambda: link.status.state == "lost", 2)
            assert link.status.reason == "no connection within 0.2 s"
        for filler in fillers:
            filler.close()


def certificate(folder: Path, name: str) -> tuple[Path, ssl.SSLContext]:
    """A self-signed certificate for ``name`` and a server context with it."""
    pem, key = folder / f"{name}.pem", folder / f"{name}.key"
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", f"/CN={name}"]
    alt = f"IP:{name}" if name[0].isdigit() else f"DNS:{name}"
    command += ["-addext", f"subjectAltName={alt}", "-keyout", str(key), "-out", str(pem)]
    subprocess.run(command, check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem, key)
    return pem, context


async def test_tls_checks_authority_and_host(tmp_path: Path) -> None:
    good, server = certificate(tmp_path, "127.0.0.1")
    other, wrong_host = certificate(tmp_path, "pbx.example")
    async with FakeAsterisk(tls=server) as pbx:
        async with running(quick(pbx.port, tls=True, ca_file=good)) as (link, _):
            await is_up(link)
        for ca_file in (None, other):
            async with running(quick(pbx.port, tls=True, ca_file=ca_file)) as (link, _):
                await until(lambda: link.status.state == "refused")
                assert "certificate is not accepted" in link.status.reason
                assert "ca_file" in link.status.remedy
        async with running(quick(pbx.port, tls=True, ca_file=tmp_path / "missing.pem")) as (link, _):
            await until(lambda: link.status.state == "refused")
            assert link.status.reason == "asterisk.ca_file cannot be used: No such file or directory"
    async with FakeAsterisk(tls=wrong_host) as pbx:
        async with running(quick(pbx.port, tls=True, ca_file=other)) as (link, _):
            await until(lambda: link.status.state == "refused")
        async with running(quick(pbx.port, tls=True, ca_file=other, verify_host=False)) as (link, _):
            await is_up(link)


async def test_a_plain_server_behind_a_tls_setting_is_lost_with_a_reason() -> None:
    async with FakeAsterisk() as pbx, running(quick(pbx.port, tls=True)) as (link, _):
        await until(lambda: link.status.state == "lost")
        assert "no connection" in link.status.reason


async def test_status_keeps_the_moment_of_its_state() -> None:
    class Ticking(Clock):
        def wall(self) -> float:
            return time.time()

    async with FakeAsterisk() as pbx, running(quick(pbx.port), clock=Ticking()) as (link, _):
        await is_up(link)
        since = link.status.since
        await asyncio.sleep(0.5)
        assert link.status.since == since
        assert link.status.last_pong_at is not None
        assert link.status.last_pong_at > since
