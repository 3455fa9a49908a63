"""``callcenter demo`` as a stranger starts it: one command, somebody to log in as for each role, a call that was heard
and judged on the review page, and nothing left behind."""

import http.cookiejar
import os
import re
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from callcenter.cli import USAGE, main
from callcenter.demo.demo import PASSWORD, PEOPLE
from tests.asterisk.lab import wait_until
from tests.fakes.spoken import MODEL

pytestmark = pytest.mark.alone  # speech is heard: a neighbour's load would cost packets of it


class Demo:
    def __init__(self, folder: Path, *arguments: str) -> None:
        self.folder, self.output = folder, folder / "output"
        (folder / "tmp").mkdir()
        with self.output.open("wb") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "callcenter", "demo", *arguments],
                stdout=output,
                stderr=output,
                env=os.environ | {"TMPDIR": str(folder / "tmp"), "CALLCENTER_KEEP": ""},
                start_new_session=True,
            )

    def said(self) -> str:
        return self.output.read_text("utf-8")

    def open(self) -> str:
        """Its address, once the hotline is open."""
        wait_until(lambda: "Ctrl-C stops" in self.said() or self.process.poll() is not None, 120, "the hotline to open")
        found = re.search(r"http://[0-9.:]+", self.said())
        assert found is not None, self.said()
        return found[0]

    def stop(self) -> int:
        """By two signals: whoever is impatient leaves nothing behind either."""
        self.process.send_signal(signal.SIGINT)
        time.sleep(0.5)
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(60)

    def processes(self) -> list[str]:
        """What still runs and names its folder."""
        return list(self.running().values())

    def running(self) -> dict[int, str]:
        """The same by process id."""
        found = {}
        for one in Path("/proc").glob("[0-9]*/cmdline"):
            try:
                command = one.read_bytes()
            except OSError:
                continue
            if str(self.folder / "tmp").encode() in command:
                found[int(one.parent.name)] = command.decode(errors="replace")
        return found


@pytest.fixture
def demo(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Demo]:
    one = Demo(tmp_path, *request.param)
    yield one
    if one.process.poll() is None:
        one.stop()  # also after a failure: it alone knows the Asterisk, the daemon and the phones that it started


class Visitor:
    """One person's browser."""

    def __init__(self, address: str, name: str) -> None:
        cookies = urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar())
        self.address, self.browser = address, urllib.request.build_opener(cookies)
        key = re.search(r'name="key" value="([^"]+)"', self.get("/login"))
        assert key is not None
        form = urllib.parse.urlencode({"key": key[1], "name": name, "password": PASSWORD}).encode()
        self.landed = self.browser.open(address + "/login", form, timeout=20).geturl().removeprefix(address)

    def get(self, path: str) -> str:
        asked = urllib.request.Request(self.address + path, headers={"Accept": "text/html", "Accept-Language": "zh"})
        return str(self.browser.open(asked, timeout=20).read().decode())


@pytest.mark.parametrize("demo", [["--model", str(MODEL)]], indirect=True, ids=["model"])
def test_a_stranger_sees_a_call_that_was_heard_and_judged(demo: Demo) -> None:
    address, said = demo.open(), demo.said()
    assert f"password {PASSWORD}" in said
    assert {person.role for person in PEOPLE} == {"seat", "supervisor", "qa", "admin"}
    for person in PEOPLE:
        assert re.search(rf"^ +{person.login} +{person.role}\b", said, re.M), said
        first = {"seat": "/desk", "qa": "/tickets"}.get(person.role, "/supervise")
        assert Visitor(address, person.login).landed == first
    assert "a scorecard to sign" in said
    reviewer, seat = Visitor(address, "reviewer"), Visitor(address, "xiaowen")
    wait_until(lambda: slept("打印机" in words(seat.get("/desk/heard"))), 90, "the words on the seat's window")
    wait_until(lambda: slept(re.search(r"/review/\d+", reviewer.get("/review"))), 150, "a call that was heard")
    found = re.search(r"/review/\d+", reviewer.get("/review"))
    assert found is not None
    address_of = found[0]
    wait_until(lambda: slept("我的打印机坏了" in words(reviewer.get(address_of))), 60, "its transcript")
    page = words(reviewer.get(address_of))
    for text in ("请问您贵姓", "感谢您的来电", "018", "A2", "B7", "签名"):
        assert text in page, text
    assert demo.stop() == 0
    assert "Stopped." in demo.said()
    assert demo.processes() == []
    assert list((demo.folder / "tmp").iterdir()) == []


def slept(true: object) -> object:
    """A page is not asked for more often than twice a second."""
    time.sleep(0 if true else 0.5)
    return true


def words(html: str) -> str:
    """The text of a page, without what parts a word."""
    return re.sub(r"\s|<[^>]+>", "", html)


@pytest.mark.parametrize("demo", [[]], indirect=True, ids=["no model"])
def test_without_a_model_it_says_how_to_get_one(demo: Demo) -> None:
    address, said = demo.open(), demo.said()
    assert "callcenter demo --model DIR" in said
    assert "pip install '/usr/local/src/callcenter[speech]'" in said
    assert "a scorecard to sign" not in said
    with pytest.raises(urllib.error.HTTPError, match="404"):
        Visitor(address, "reviewer").get("/review/1")
    assert demo.stop() == 0
    assert demo.processes() == []


@pytest.mark.parametrize("demo", [[]], indirect=True, ids=["killed"])
def test_a_daemon_that_is_killed_ends_it_with_a_sentence(demo: Demo) -> None:
    demo.open()
    (daemon,) = [pid for pid, command in demo.running().items() if "\0run\0" in command]
    os.kill(daemon, signal.SIGKILL)
    assert demo.process.wait(60) == 1
    assert "demo: the daemon ended (-9)" in demo.said()
    assert "Traceback" not in demo.said()
    assert demo.processes() == []


def test_a_folder_without_a_model_is_refused_before_anything_starts(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "empty").mkdir()
    for folder, sentence in ((tmp_path / "empty", "is no model"), (tmp_path / "none", "is no folder")):
        assert main(["demo", "--model", str(folder)]) == USAGE
        told = capsys.readouterr()
        assert sentence in told.err
        assert told.out == ""
