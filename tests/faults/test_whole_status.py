"""The status page of the whole daemon, while the world around it breaks."""

import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.asterisk.daemon import PASSWORD
from tests.asterisk.lab import wait_until
from tests.fakes.whole import Pbx, daemon_of


@pytest.fixture
def pbx() -> Iterator[Pbx]:
    with Pbx() as pbx:
        yield pbx


def test_the_status_page_follows_what_breaks_and_what_is_mended(tmp_path: Path, pbx: Pbx) -> None:
    daemon = daemon_of(tmp_path, pbx)
    who = ("user", "add", "boss", "--role", "supervisor", "--language", "en", "--extension", "1099")
    daemon.command(*who, "--password-stdin", text=PASSWORD + "\n")
    daemon.start()
    try:
        browser = daemon.log_in("boss")

        def page() -> str:
            return " ".join(browser.open(daemon.address + "/status/lines", timeout=10).read().decode().split())

        assert "All is well" in page() or "to look at" in page()
        sent = pbx.calls(3)
        wait_until(lambda: len(daemon.tickets()) == len(sent), 30, "the tickets")
        wait_until(lambda: "<dt>last call</dt><dd>not known</dd>" not in page(), 10, "the last call")
        assert "Asterisk was not listened to before" in page(), "the part of today before the first log-in"
        (daemon.folder / "hooks").rename(daemon.folder / "elsewhere")
        wait_until(lambda: "hooks.token_file" in page(), 20, "the secret that is missing")
        (daemon.folder / "elsewhere").rename(daemon.folder / "hooks")
        wait_until(lambda: "hooks.token_file" not in page(), 20, "the secret that is back")
        file, away = daemon.folder / "callcenter.db", daemon.folder / "away"
        readable = page()
        assert "writing" in readable
        os.rename(file, away)
        wait_until(lambda: "takes nothing" in page(), 30, "the store to be told of")
        os.rename(away, file)
        wait_until(lambda: "takes nothing" not in page(), 30, "the store to be back")
        pbx.do(pbx.fake.drop)
        began = time.time()
        wait_until(lambda: "Asterisk closed the connection" in page(), 20, "the gap")
        assert time.time() - began < 20
    finally:
        daemon.stop()
