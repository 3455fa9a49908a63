"""Callbacks (D11, B5) on a real Asterisk, with real SIP at both ends: who was lost, cut off, tried and reached."""

import json
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from typing import Any

import pytest

from callcenter.demo import scenario
from callcenter.demo.phones import Phone
from callcenter.demo.scenario import Hangup, Talk
from callcenter.demo.server import TRUNK_HOST
from tests.asterisk.conftest import old_program
from tests.asterisk.daemon import Daemon
from tests.asterisk.lab import Lab, wait_until

RTP_TIMEOUT = 3
"""Seconds without sound after which chan_pjsip ends a call; a site sets it in pjsip.conf."""
GONE = "Reason: SIP;cause=503;text=Service-Unavailable"
"""What a trunk that broke says in its BYE."""


@pytest.fixture(scope="module", params=["new", pytest.param("old", marks=pytest.mark.asterisk16)])
def lab(request: pytest.FixtureRequest) -> Iterator[Lab]:
    lab = Lab(program=old_program() if request.param == "old" else None)
    lab.server.configure()
    pjsip = lab.server.folder / "etc" / "pjsip.conf"
    pjsip.write_text(pjsip.read_text().replace("type = endpoint\n", f"type = endpoint\nrtp_timeout = {RTP_TIMEOUT}\n"))
    lab.server.configure = lambda: None  # type: ignore[method-assign]
    with lab:
        yield lab


@pytest.fixture(scope="module")
def daemon(lab: Lab) -> Iterator[Daemon]:
    daemon = Daemon(lab, "[service_level]\nshort_abandon_seconds = 2\n")
    for extension, number in (("1001", "018"), ("1002", "019"), ("1003", "020"), ("2001", "030")):
        daemon.seat(extension, number)
    daemon.start()
    yield daemon
    daemon.stop()


@pytest.fixture(autouse=True)
def nobody_else(lab: Lab) -> None:
    """Only the seats that a story names have a phone."""
    for seat in tuple(lab.phones.seats):
        lab.phones.seats.pop(seat).stop()


def callbacks(daemon: Daemon, number: str) -> list[dict[str, Any]]:
    return daemon.rows("SELECT * FROM callbacks WHERE number_key = ? ORDER BY id", number)


def one(daemon: Daemon, number: str, state: str = "open", seconds: float = 15) -> dict[str, Any]:
    """The only callback of this number, once it is in this state."""
    wait_until(
        lambda: [row["state"] for row in callbacks(daemon, number)][-1:] == [state], seconds, f"a callback {state}"
    )
    (found,) = callbacks(daemon, number)
    return found


def lose(lab: Lab, number: str, seconds: float = 4) -> None:
    """A caller who gives up."""
    lab.phones.seat("1001", None)
    lab.phones.customer(number, "4000", give_up=seconds).wait(40)
    lab.quiet()


def press(daemon: Daemon, path: str, body: dict[str, object], name: str = "seat1001") -> int:
    """A button of the page of callbacks."""
    browser = daemon.log_in(name)
    page = browser.open(daemon.address + "/callbacks", timeout=10).read().decode()
    csrf = page.split('name="csrf-token" content="')[1].split('"')[0]
    headers = {"X-CSRF-Token": csrf, "Origin": daemon.address, "Content-Type": "application/json"}
    try:
        with browser.open(
            urllib.request.Request(daemon.address + path, json.dumps(body).encode(), headers), timeout=10
        ) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code


def test_who_gives_up_is_owed_one_call_and_reached_by_a_click(lab: Lab, daemon: Daemon) -> None:
    """Two abandoned calls of one caller are one task; the seat clicks, the customer lifts: it is over, and told."""
    number, ended = "13800000051", "callcenter_callbacks_ended_total"
    figures = (
        ("callcenter_callbacks", {"rule": "D11", "state": "open"}),
        (ended, {"rule": "D11", "result": "reached"}),
        ("callcenter_callbacks_in_time_total", {"rule": "D11"}),
    )
    still_open, reached, in_time = (daemon.metric(name, **labels) for name, labels in figures)
    lose(lab, number)
    first = one(daemon, number)
    call = daemon.call(number)
    assert (first["rule"], first["reason"], first["due_at"]) == ("D11", "abandoned", call["ended_at"] + 3600)
    assert first["ticket_id"] == next(t["id"] for t in daemon.tickets() if t["call_id"] == call["call_id"])
    lose(lab, number)
    wait_until(lambda: callbacks(daemon, number)[0]["losses"] == 2, 15, "the second loss")
    assert len(callbacks(daemon, number)) == 1
    assert callbacks(daemon, number)[0]["due_at"] == first["due_at"], "the earliest due time stays"
    wait_until(
        lambda: daemon.metric("callcenter_callbacks", rule="D11", state="open") == still_open + 1, 10, "the gauge"
    )
    page = daemon.log_in("seat1001").open(daemon.address + "/callbacks").read().decode()
    assert "138 0000 0051" in page
    lab.phones.seat("1001", 1.0)
    line = lab.phones.line(1.0, Talk(2), Hangup())
    assert press(daemon, f"/api/callbacks/{first['id']}/dial", {}) == 200
    done = one(daemon, number, "ended", 20)
    assert (done["result"], done["ended_by"]) == ("reached", "1001")
    kinds = daemon.rows("SELECT kind, by FROM callback_calls WHERE callback_id = ? ORDER BY id", first["id"])
    assert [(row["kind"], row["by"]) for row in kinds] == [("lost", ""), ("lost", ""), ("reached", "1001")]
    wait_until(lambda: daemon.metric(ended, rule="D11", result="reached") == reached + 1, 10, "the figure")
    assert daemon.metric("callcenter_callbacks_in_time_total", rule="D11") == in_time + 1
    wait_until(lambda: daemon.metric("callcenter_callbacks", rule="D11", state="open") == still_open, 10, "the gauge")
    (spoken,) = daemon.rows("SELECT count(*) AS n FROM callbacks WHERE result IN ('reached', 'called_again')")
    page = daemon.log_in("seat1001").open(daemon.address + "/callbacks").read().decode()
    assert f"今日已回拨 {spoken['n']}，按时 100 %" in page
    lab.quiet()
    line.stop()


def test_a_customer_who_does_not_lift_is_an_attempt_and_a_deskphone_reaches_without_a_click(
    lab: Lab, daemon: Daemon
) -> None:
    number = "13800000052"
    lose(lab, number)
    owed = one(daemon, number)
    lab.phones.seat("1001", 1.0)
    line = lab.phones.line(None, manner="busy")
    assert press(daemon, f"/api/callbacks/{owed['id']}/dial", {}) == 200
    wait_until(lambda: callbacks(daemon, number)[0]["tries"] == 1, 20, "the attempt")
    tried = daemon.rows("SELECT * FROM callback_calls WHERE callback_id = ? AND kind = 'tried'", owed["id"])
    assert [row["by"] for row in tried] == ["1001"]
    assert one(daemon, number)["claimed_by"] == "seat1001", "in hand until the claim runs out"
    lab.quiet()
    line.stop()
    line = lab.phones.line(1.0, Talk(2), Hangup())
    lab.phones.dial("1002", "90" + number, Talk(6))  # the digit for the outside line, and the trunk zero
    assert one(daemon, number, "ended", 20)["result"] == "reached"
    lab.quiet()
    line.stop()


def test_who_calls_again_and_is_answered_is_owed_nothing(lab: Lab, daemon: Daemon) -> None:
    number = "13800000053"
    lose(lab, number)
    one(daemon, number)
    lab.phones.seat("1001", 1.0)
    lab.phones.customer(number, "4000", Talk(3), Hangup())
    assert one(daemon, number, "ended", 20)["result"] == "called_again"
    lab.quiet()
    assert len(callbacks(daemon, number)) == 1, "an ordinary hang-up asks for nothing"


def cut_off(lab: Lab, daemon: Daemon, number: str, who: str) -> dict[str, Any]:
    """A conversation in which a telephone dies; the callback that it makes."""
    seat = lab.phones.seat("1001", 1.0)
    customer = lab.phones.customer(number, "4000", Talk(60), Hangup())
    daemon.wait_call(number, lambda call: call["phase"] == "talking")
    time.sleep(3)  # sound flows both ways; the greeting is over
    (seat if who == "seat" else customer).stop()
    if who == "seat":
        lab.phones.seats.pop("1001")
    found = one(daemon, number, "open", RTP_TIMEOUT + 15)
    customer.stop()
    lab.quiet()
    return found


@pytest.mark.parametrize(("who", "number"), [("customer", "13800000054"), ("seat", "13800000055")])
def test_a_telephone_that_dies_in_the_middle_is_called_back_in_two_minutes(
    lab: Lab, daemon: Daemon, who: str, number: str
) -> None:
    owed, call = cut_off(lab, daemon, number, who), daemon.call(number)
    assert (owed["rule"], owed["reason"], owed["due_at"]) == ("B5", "no_sound", call["ended_at"] + 120)
    assert (call["outcome"], call["ended_by"]) == ("answered", "system")
    wait_until(lambda: daemon.metric("callcenter_callbacks", rule="B5", state="open") >= 1, 10, "the gauge")


def broken_trunk(lab: Lab, number: str) -> Phone:
    """A customer whose trunk says BYE with a network's reason after two seconds."""
    talks = (Talk(2), Hangup())
    text = scenario.customer("4000", f"<sip:{number}@[local_ip]>", lab.phones._voice("customer"), talks)
    at = text.index("Max-Forwards: 70", text.index("BYE sip:"))
    text = text[:at] + GONE + "\n" + text[at:]
    return lab.phones._call(f"broken-{number}", text, TRUNK_HOST, lab.server.block.take(host=TRUNK_HOST))


def test_a_trunk_that_says_why_is_believed_where_asterisk_tells_it(lab: Lab, daemon: Daemon) -> None:
    """22 hands the SIP reason on; 16.28 calls it an ordinary hang-up, and what is not observed is not claimed."""
    number = "13800000056"
    lab.phones.seat("1001", 1.0)
    broken_trunk(lab, number)
    daemon.wait_call(number, lambda call: call["phase"] == "ended", 20)
    lab.quiet()
    if lab.server.version()[0] >= 22:
        assert one(daemon, number)["reason"] == "network"
    else:
        assert callbacks(daemon, number) == []


def test_nobody_is_owed_for_a_short_an_internal_or_a_nameless_call(lab: Lab, daemon: Daemon) -> None:
    before = len(daemon.rows("SELECT id FROM callbacks"))
    lab.phones.seat("1001", None)
    lab.phones.customer("13800000057", "4000", give_up=0.8).wait(20)
    lab.phones.customer("anonymous", "4000", give_up=4).wait(20)
    lab.phones.customer("%3Cscript%3E58", "4000", give_up=4, name="<b>").wait(20)
    lab.phones.dial("1002", "1001", give_up=4).wait(20)
    lab.quiet()
    wait_until(lambda: all(call["phase"] == "ended" for call in daemon.calls()), 15, "the ends")
    assert len(daemon.rows("SELECT id FROM callbacks")) == before
    page = daemon.log_in("seat1001").open(daemon.address + "/callbacks").read().decode()
    assert "未显示号码" in page


def test_killed_in_the_middle_each_loss_is_one_callback(lab: Lab, daemon: Daemon) -> None:
    """kill -9 while callers wait; one gives up unobserved, another comes and goes while nobody is there: each has one
    callback afterwards, from Asterisk's records, and a second kill makes no more."""
    numbers = [f"138000000{n}" for n in range(61, 65)]
    lab.phones.seat("1001", None)
    for number in numbers[:3]:
        lab.phones.customer(number, "4000", give_up=6)
    daemon.wait_call(numbers[2], lambda call: call["phase"] != "ended")
    daemon.kill()
    lab.quiet()
    lab.phones.customer(numbers[3], "4000", give_up=5)
    lab.quiet()
    wait_until(lambda: numbers[3] in lab.server.cdr_file.read_text(), 30, "the record of the last call")
    daemon.start()
    for number in numbers:
        assert one(daemon, number, "open", 60)["losses"] == 1
    daemon.kill()
    daemon.start()
    wait_until(lambda: daemon.metric("callcenter_callbacks", rule="D11", state="open") >= 4, 15, "the gauge")
    for number in numbers:
        (found,) = callbacks(daemon, number)
        assert (found["rule"], found["losses"]) == ("D11", 1)
    assert daemon.command("erase", "--number", numbers[0], "--yes").startswith("Erased")
    assert callbacks(daemon, numbers[0]) == []
