"""Every panel, mark and menu of the dashboards, asked of a real Prometheus that scraped the real daemon beside a real
Asterisk: calls, speech, keys, buttons, a cut link and restarts are what people and machines did. No figure is set by
the test.

Grafana itself does not run here: what it would ask is asked in its stead.
"""

import http.client
import subprocess
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from callcenter.demo.scenario import Digits, Hangup, Hold, Talk
from tests.asterisk.daemon import Daemon
from tests.asterisk.lab import Lab, wait_until
from tests.asterisk.test_figures import Cable
from tests.asterisk.test_one_call import press
from tests.fakes.boards import FOUND, MARKS, VARIABLES, Key, answers, chosen, filled, nonsense
from tests.fakes.prometheus import Prometheus
from tests.fakes.roster import AROUND_THE_CLOCK
from tests.fakes.spoken import CALLER_VOICE, MODEL, SEAT_VOICE, Turn, conversation
from tests.fakes.system import System

pytestmark = pytest.mark.alone  # speech is heard: a neighbour's load would cost packets of it

TURNS = (
    Turn("seat", "您好，示例服务，我是零一八号值班员。", after=3.0),
    Turn("caller", "我办公室的打印机坏了，请帮我看一下。"),
)
SETTINGS = f"""
[levels.vip]
resolution_calendar = "7x24"
[seat_groups.day]
seats = ["1001"]
[seat_groups.night]
seats = ["1002", "1003"]
[roster]
files = ["plan.toml"]
[speech]
enabled = true
priority = "low"
model = "{MODEL}"
[site]
company = "示例服务"
"""
UNKNOWN = "plain88"
"""A queue that nobody serves and no setting names."""
SPOKEN, LOST, LADDER = "13800000061", "13800000062", "13800000063"


@dataclass
class Seen:
    """What Prometheus said while all was well, and what its marks said of the whole time."""

    panels: dict[Key, list[Any]]
    menus: dict[str, list[str]]
    marks: dict[str, list[dict[str, Any]]]
    queues: set[str]
    """The queues at zero once the daemon was logged in, before anybody had called."""
    began_at: float


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Seen]:
    with (
        closing(System(204)) as system,
        Lab(hooks="curl") as lab,
        Cable(lab.server.ports["AMI"]) as cable,
        pytest.MonkeyPatch.context() as environment,
    ):
        environment.setenv("CALLCENTER_ASTERISK__PORT", str(cable.port))
        _question(lab)
        _queue_of_nobody(lab)
        seconds = _voices(lab)
        (lab.folder / "crm").write_text("0123456789abcdef")
        told = f'[webhooks.crm]\nurl = "{system.url}"\nsecret_file = "{lab.folder}/crm"\n'
        daemon = Daemon(lab, SETTINGS + told)
        daemon.config.write_text(daemon.config.read_text().replace("[queues.support]", VIP), "utf-8")
        today = datetime.now(ZoneInfo(daemon.zone)).date()
        plan = AROUND_THE_CLOCK.format(first=today - timedelta(days=1), last=today + timedelta(days=1))
        (daemon.folder / "plan.toml").write_text(plan, "utf-8")
        try:
            daemon.seat("1001", "018")
            daemon.seat("1002", "019")
            daemon.start()
            folder = tmp_path_factory.mktemp("prometheus")
            with Prometheus(folder, f"127.0.0.1:{daemon.port}") as prometheus:
                yield _script(lab, cable, daemon, prometheus, seconds)
        finally:
            daemon.stop()


VIP = '[queues.support]\nservice_class = "vip"'


def _question(lab: Lab) -> None:
    """A tone stands for the question after the call (D8)."""
    made = f"sox -q -n -r 8000 -c 1 -b 16 {lab.server.prompts / 'survey-zh.wav'} synth 1 sine 500"
    subprocess.run(made.split(), check=True)
    lab.server.cli("dialplan set global CC_SURVEY yes")


def _queue_of_nobody(lab: Lab) -> None:
    file = lab.server.folder / "etc" / "queues.conf"
    file.write_text(f"{file.read_text('utf-8')}\n[{UNKNOWN}]\nstrategy = ringall\n", "utf-8")
    lab.server.cli("queue reload all")


def _voices(lab: Lab) -> float:
    """What seat and customer say in every call; how long it takes."""
    tracks, _ = conversation(lab.folder, TURNS, SEAT_VOICE, CALLER_VOICE)
    voices = {"seat": lab.folder / "spoken-seat.raw", "customer": lab.folder / "spoken-customer.raw"}
    for track, voice in ((tracks["seat"], voices["seat"]), (tracks["caller"], voices["customer"])):
        subprocess.run(["sox", "-q", track, "-t", "raw", "-e", "a-law", "-b", "8", voice], check=True)
    lab.phones.voices = voices
    return voices["customer"].stat().st_size / 8000


def _script(lab: Lab, cable: Cable, daemon: Daemon, prometheus: Prometheus, seconds: float) -> Seen:
    began_at = time.time()
    _hang_a_wallboard(daemon)
    prometheus.wait_scrapes(2)
    queues = {sample["metric"]["queue"] for sample in prometheus.query("callcenter_talk_seconds_count")}
    with daemon.watching("seat1001"):
        _calls(lab, daemon, seconds)
        _buttons(daemon)
        heard = "callcenter_transcribed_audio_seconds_total"
        wait_until(lambda: daemon.metric(heard) > 0, 120, f"the transcript; {daemon.log()}")
        solved = "callcenter_first_line_calls"
        wait_until(lambda: daemon.metric(solved, solved="yes") == 1, 60, "the solved call")
        prometheus.wait_scrapes(3)
        panels = answers(prometheus, prometheus.moment())
    menus = {query: chosen(prometheus, query) for query in VARIABLES}
    _outages(cable, daemon, prometheus)
    # A step beyond now: else what came within the last second, as the alert did, would lie behind the last step.
    during = {"start": began_at, "end": time.time() + 1, "step": "1s"}
    marks = {
        name: prometheus.get("query_range", query=filled(expr), **during)["result"] for name, expr in MARKS.items()
    }
    return Seen(panels, menus, marks, queues, began_at)


def _calls(lab: Lab, daemon: Daemon, seconds: float) -> None:
    # The seat hangs up, and the caller presses a key: very good.
    lab.phones.seat("1001", 1, Talk(seconds - 0.5), Hangup())
    lab.phones.customer(SPOKEN, "4000", Talk(seconds + 1), Digits("5"), Talk(4)).wait(60)
    lab.quiet()
    # Lost after the short time of who could not have been served, then called again: a callback that ended in time.
    lab.phones.seat("1001", None)
    lab.phones.customer(LOST, "4000", give_up=7).wait(40)
    lab.quiet()
    lab.phones.seat("1001", 1, Talk(1), Hold(1.5), Talk(1), Hangup())
    lab.phones.customer(LOST, "4000", Talk(5), Hangup()).wait(40)
    lab.quiet()
    # Nobody lifts: the announcement answers after three rings.
    lab.phones.seat("1001", None)
    lab.phones.customer(LADDER, "4000", Talk(30)).wait(60)
    lab.quiet()
    ended = "callcenter_calls_total"
    wait_until(lambda: daemon.metric(ended) == 4, 20, "the calls to be counted")
    wait_until(lambda: daemon.metric("callcenter_commands_total", kind="Announce", state="done") == 1, 5, "Announce")


def _buttons(daemon: Daemon) -> None:
    """The seat closes one ticket in its wrap-up, and leaves the other open."""
    tickets = {ticket["call_id"]: ticket["id"] for ticket in daemon.tickets()}
    browser = daemon.log_in("seat1001")
    press(daemon, browser, f"/api/tickets/{tickets[daemon.call(SPOKEN)['call_id']]}/close", {})
    press(daemon, browser, f"/api/tickets/{tickets[daemon.call(LOST)['call_id']]}/leave", {})


def _hang_a_wallboard(daemon: Daemon) -> None:
    """A screen that stays connected; it reads what it is told and shows it to nobody."""
    token = daemon.screen_token()
    request = urllib.request.Request(f"{daemon.address}/wallboard/live", headers={"Cookie": f"cc_wall={token}"})
    stream = urllib.request.urlopen(request, timeout=600)

    def read() -> None:
        try:
            while stream.read(1024):
                pass
        except (OSError, ValueError, http.client.HTTPException):
            return  # the daemon was restarted, or the test is over

    threading.Thread(target=read, daemon=True).start()


def _outages(cable: Cable, daemon: Daemon, prometheus: Prometheus) -> None:
    """The link is cut for some seconds; then the daemon is restarted until the alert of restarts fires."""
    up = "callcenter_link_state"
    cable.cut()
    wait_until(lambda: daemon.metric(up, state="up") == 0, 20, "the loss of the link")
    prometheus.wait_scrapes(2)
    cable.mend()
    wait_until(lambda: daemon.metric(up, state="up") == 1, 30, "the link")
    for _ in range(3):
        daemon.kill()
        daemon.start()
        prometheus.wait_scrapes(2)
    firing = 'count(ALERTS{alertname="CallcenterRestarting",alertstate="firing"})'
    wait_until(lambda: prometheus.value(firing) == 1, 20, "the alert")


def test_no_panel_is_empty(seen: Seen) -> None:
    assert len(seen.panels) == len(FOUND) > 60
    assert {key: FOUND[key] for key, samples in seen.panels.items() if not samples} == {}


def test_no_panel_says_nonsense(seen: Seen) -> None:
    assert nonsense(seen.panels) == {}


def test_every_menu_has_what_the_site_has(seen: Seen) -> None:
    menus = {query.split(", ")[1].rstrip(")"): set(values) for query, values in seen.menus.items()}
    assert menus["seat_group"] == {"day", "night", "none"}
    assert menus["queue"] >= {"support", "none"}
    assert menus["variant"] == {"abandons_bad"}


def test_every_queue_stands_at_zero_from_the_log_in(seen: Seen) -> None:
    """The settings name the first; of the last only Asterisk tells, for it has no members."""
    assert seen.queues >= {"support", "none", "plain02", UNKNOWN}


def value_of(seen: Seen, board: str, title: str, **labels: str) -> list[float]:
    samples = [s for (b, t, _), found in seen.panels.items() if (b, t) == (board, title) for s in found]
    return [float(s["value"][1]) for s in samples if all(s["metric"].get(k) == v for k, v in labels.items())]


def test_seats_and_tickets_are_told_by_group_and_level(seen: Seen) -> None:
    seats, levels = "callcenter-seats", "callcenter-levels"
    assert sum(value_of(seen, seats, "组内坐席状态", seat_group="day")) == 1
    assert sum(value_of(seen, seats, "每次振铃的结果（$__range）", seat_group="day", result="answered")) == 2
    assert sum(value_of(seen, seats, "每次振铃的结果（$__range）", seat_group="night", result="answered")) == 0
    assert value_of(seen, seats, "三声内接听（$__range，占已接来电）", seat_group="day") == [1.0, 2.0]
    (talk, hold, wrap_up, handle, answered) = value_of(
        seen, seats, "通话 · 保持 · 整理 · 处理时长（$__range，每通）", seat_group="day"
    )
    assert handle == pytest.approx(talk + hold + wrap_up)
    assert (answered, talk > 1, hold > 0.5) == (2, True, True)
    assert value_of(seen, levels, "工单：未结 · 承诺过期", level="vip", state="open") == [3]
    assert value_of(seen, levels, "工单：未结 · 承诺过期", level="standard", state="open") == [0]


def above_zero(series: list[dict[str, Any]]) -> list[tuple[float, float]]:
    """(moment, value) wherever Grafana would draw a mark."""
    return [(at, float(value)) for one in series for at, value in one["values"] if float(value) > 0]


@pytest.mark.parametrize("name", sorted(MARKS))
def test_every_mark_is_drawn(seen: Seen, name: str) -> None:
    """The link was cut, the daemon restarted, an announcement answered, an alert fired, and a shift runs."""
    assert above_zero(seen.marks[name]), MARKS[name]


def test_marks_are_drawn_of_what_happened(seen: Seen) -> None:
    marks = {name.split()[-1]: found for name, found in seen.marks.items()}
    (shift,) = {value / 1000 for _, value in above_zero(marks["starts"])}
    begun = datetime.fromtimestamp(shift, ZoneInfo("UTC"))
    assert 0 < seen.began_at - shift <= 86_400
    assert (begun.minute, begun.second) == (0, 0), "midnight in a zone of whole hours"
    (shifts,) = {one["metric"]["shift"] for one in marks["starts"]}
    assert shifts == "all"
    assert {one["metric"].get("alertname") for one in marks["alerts"]} >= {"CallcenterRestarting"}
    links = [one for one in marks["outages"] if one["metric"].get("state") == "up"]
    daemons = [one for one in marks["outages"] if "state" not in one["metric"]]
    assert above_zero(links), "the cut link"
    assert above_zero(daemons), "the restarts"
