"""The whole daemon, told endless names by Asterisk: no page and no figure grows by more than a line."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.asterisk.daemon import PASSWORD, Daemon
from tests.asterisk.lab import wait_until
from tests.fakes.whole import Pbx, daemon_of

ENDLESS = "q" * 200_000
PAGES = ("/supervise", "/wallboard", "/tickets", "/reports", "/callbacks", "/status")
MORE_BYTES = 8_000
MEMBER = (("Interface", "PJSIP/1001"), ("StateInterface", "PJSIP/1001"), ("Status", "1"), ("Paused", "1"))


@pytest.fixture
def pbx() -> Iterator[Pbx]:
    with Pbx() as pbx:
        yield pbx


def abandoned(pbx: Pbx, serial: int, queue: str, name: str) -> None:
    """A call that a queue kept waiting, and that gave up; its seat is paused. One endless word a message: more are
    beyond what a message may be."""
    fake, call_id = pbx.fake, f"lab-1795000900.{serial}"
    caller = [("Channel", f"PJSIP/trunk-9{serial:07x}"), ("Uniqueid", call_id), ("Linkedid", call_id)]
    events = [
        fake.event("Newchannel", *caller, ("ChannelStateDesc", "Ring"), ("CallerIDNum", f"1390000{serial:04d}"),
                   ("CallerIDName", name), ("Exten", "support")),
        fake.event("QueueCallerJoin", *caller, ("Queue", queue), ("Count", "1")),
        fake.event("QueueMemberStatus", ("Queue", queue), *MEMBER, ("MemberName", "1001"), ("PausedReason", "lunch")),
        fake.event("QueueMemberStatus", ("Queue", "it"), *MEMBER, ("MemberName", name), ("PausedReason", "lunch")),
        fake.event("QueueMemberPause", ("Queue", "it"), *MEMBER, ("MemberName", "1001"), ("PausedReason", name)),
        fake.event("QueueCallerLeave", *caller, ("Queue", queue), ("Count", "0")),
        fake.event("HangupRequest", *caller),
        fake.event("Hangup", *caller, ("Cause", "16")),
    ]  # fmt: skip
    pbx.do(fake.send, b"".join(events))


def sizes(daemon: Daemon) -> dict[str, int]:
    person = daemon.log_in("boss")
    told = {}
    for path in PAGES:
        with person.open(daemon.address + path, timeout=20) as answer:
            told[path] = len(answer.read())
    daemon.get("/metrics")
    return told | {"/metrics": len(daemon.get("/metrics"))}


def test_endless_names_make_no_page_endless(tmp_path: Path, pbx: Pbx) -> None:
    daemon = daemon_of(tmp_path / "house", pbx)
    daemon.command("user", "add", "boss", "--role", "supervisor", "--password-stdin", text=PASSWORD + "\n")
    daemon.start()
    try:
        for serial, (queue, name) in enumerate([("other", "name"), (ENDLESS, ENDLESS)], 1):
            before = sizes(daemon)
            abandoned(pbx, serial, queue, name)
            wait_until(lambda serial=serial: len(daemon.tickets()) == serial, 20, "the ticket of the call")
            wait_until(
                lambda serial=serial: daemon.metric("callcenter_calls_total", queue="other") == serial, 20, "figure"
            )
        grown = {path: size - before[path] for path, size in sizes(daemon).items()}
        assert {path: more for path, more in grown.items() if more > MORE_BYTES} == {}
        assert {len(call["queue"]) for call in daemon.calls()} == {5, 80}
    finally:
        daemon.stop()
