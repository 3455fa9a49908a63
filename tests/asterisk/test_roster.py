"""The duty roster (A5) on a real Asterisk: a planned seat whose phone is not registered when its shift begins."""

import re
import time
import urllib.request
import uuid
from collections.abc import Iterator
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from tests.asterisk.daemon import PASSWORD, Daemon
from tests.asterisk.handset import Handset
from tests.asterisk.lab import Lab, wait_until

SETTINGS = """
[roster]
files = ["plan.toml"]
missing_after_minutes = 0.1
prepare_minutes = 5
"""
PLAN = """
first = {day}
last = {day}
[shifts.story]
begins = "{begins}"
ends = "{ends}"
seats = ["1001", "1002"]
"""


class DeskPhone(Handset):
    """A phone that registers, as phones of people do; the lab's others have a fixed address."""

    def register(self, seconds: int) -> None:
        target = f"sip:{self.host}:{self.server[1]}"
        lines = [
            f"REGISTER {target} SIP/2.0",
            f"Via: SIP/2.0/UDP {self.host}:{self.port};branch=z9hG4bK{uuid.uuid4().hex[:12]};rport",
            f"From: <sip:{self.name}@{self.host}>;tag=r-{uuid.uuid4().hex[:8]}",
            f"To: <sip:{self.name}@{self.host}>",
            f"Call-ID: {uuid.uuid4().hex}",
            "CSeq: 1 REGISTER",
            f"Contact: <sip:{self.name}@{self.host}:{self.port}>",
            f"Expires: {seconds}",
            "Max-Forwards: 70",
            "Content-Length: 0",
        ]
        self._send("\r\n".join(lines) + "\r\n\r\n")
        self.expect(r"^SIP/2.0 200[\s\S]*REGISTER")


def let_register(lab: Lab, seat: str) -> None:
    """The seat's phone is where it registers from, and nowhere else."""
    file = lab.server.folder / "etc" / "pjsip.conf"
    text = file.read_text("utf-8")
    changed = re.sub(rf"(?m)^contact = sip:{seat}@.*$", "max_contacts = 1\nremove_existing = yes", text)
    assert changed != text
    file.write_text(changed, "utf-8")
    lab.server.cli("module reload res_pjsip.so")
    wait_until(lambda: "Unavail" in lab.server.cli(f"pjsip show endpoint {seat}"), 10, "the phone to be nowhere")


@pytest.fixture
def daemon(lab: Lab) -> Iterator[Daemon]:
    let_register(lab, "1001")
    daemon = Daemon(lab, SETTINGS)
    daemon.seat("1001", "018")
    daemon.seat("1002", "011")
    daemon.command(
        *("user", "add", "boss", "--role", "supervisor", "--password-stdin"),
        text=PASSWORD + "\n",
    )
    daemon.start()
    yield daemon
    daemon.stop()


def plan(daemon: Daemon) -> float:
    """Writes a plan; its shift's begin, on a whole minute that is far enough off."""
    soon = datetime.now(ZoneInfo(daemon.zone)) + timedelta(seconds=85)
    begins = soon.replace(second=0, microsecond=0)
    ends = begins + timedelta(hours=1)
    text = PLAN.format(day=begins.date(), begins=f"{begins:%H:%M}", ends=f"{ends:%H:%M}")
    (daemon.folder / "plan.toml").write_text(text, "utf-8")
    return begins.timestamp()


def seats(daemon: Daemon, state: str) -> float:
    return daemon.metric("callcenter_roster_seats", state=state)


def page(boss: urllib.request.OpenerDirector, daemon: Daemon, path: str) -> str:
    """Without its marks, as a person reads it."""
    html = boss.open(daemon.address + path, timeout=10).read().decode()
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", html))


@pytest.mark.alone  # how soon each state is told is measured
def test_late_on_every_screen_until_the_phone_registers(lab: Lab, daemon: Daemon) -> None:
    boss = daemon.log_in("boss")
    phone = DeskPhone("1001", lab.server.ports["SEAT1001"], lab.server.ports["SIP"])
    assert daemon.metric("callcenter_roster_plan_ok") == 0, "its file is not there yet"
    begins_at = plan(daemon)
    wait_until(lambda: daemon.metric("callcenter_roster_plan_ok") == 1, 15, "the plan to be read")
    wait_until(lambda: daemon.metric("callcenter_roster_unprepared_seats") == 1, 10, "the one who is not there yet")
    assert "story" in page(boss, daemon, "/supervise/board")
    assert re.search("未到： 018 号", page(boss, daemon, "/supervise/board"))
    assert "callcenter_shift_started_timestamp_seconds{" not in daemon.get("/metrics")

    wait_until(lambda: seats(daemon, "late") == 1, begins_at - time.time() + 5, "the seat to be late")
    assert 0 <= time.time() - begins_at < 5
    assert seats(daemon, "ready") == 1
    assert daemon.metric("callcenter_shift_started_timestamp_seconds", shift="story") == begins_at
    assert re.search("迟到 018", page(boss, daemon, "/wallboard"))
    assert re.search("迟到 018 号", page(boss, daemon, "/supervise/board"))
    wait_until(lambda: seats(daemon, "missing") == 1, 15, "the seat to be missing")
    assert 6 <= time.time() - begins_at < 12
    assert re.search("缺岗 018", page(boss, daemon, "/wallboard"))

    daemon.kill()
    daemon.start()
    wait_until(lambda: seats(daemon, "missing") == 1, 20, "the restarted daemon to go on where it was")
    assert daemon.metric("callcenter_roster_late_seats_total", shift="story") == 0, "counted before the restart"

    came_at = time.time()
    phone.register(600)
    wait_until(lambda: seats(daemon, "ready") == 2, 5, "the seat to be ready")
    assert time.time() - came_at < 3
    assert not re.search("(缺岗|迟到|离岗) 018", page(boss, daemon, "/wallboard"))
    (row,) = daemon.rows("SELECT * FROM duty_posts WHERE seat = '1001'")
    assert (row["late"], row["missed"], row["state"]) == (1, 1, "ready")
    assert abs(row["came_at"] - came_at) < 3
    assert re.search(r"018 号 .*?story .*?\+0:\d\d", page(boss, daemon, "/supervise/board")), "the day's history"

    phone.register(0)
    wait_until(lambda: seats(daemon, "left") == 1, 5, "the seat to have left")
    assert re.search("离岗 018", page(boss, daemon, "/wallboard"))
    phone.stop()
