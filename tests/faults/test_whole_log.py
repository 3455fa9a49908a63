"""The log of the whole daemon, at its most talkative, while hostile callers ring and the store goes away."""

import json
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.asterisk.lab import wait_until
from tests.fakes.whole import Pbx, daemon_of, parts

NUMBERS = ("13812345678", "+8613900001111", "4008001234", "138\n1234\n5678")
NAMES = ("王小明", "x\r\nEvent: Hangup", '"; DROP TABLE calls', "\x1b[31mrot", "a" * 300 + "尾")


@pytest.fixture
def pbx() -> Iterator[Pbx]:
    with Pbx() as pbx:
        yield pbx


def hostile(pbx: Pbx, serial: int, number: str, name: str) -> tuple[str, bytes]:
    """A call whose caller says such things of himself."""
    call_id = f"lab-1795000000.{serial}"
    caller = [("Channel", f"PJSIP/trunk-{serial:08x}"), ("Uniqueid", call_id), ("Linkedid", call_id)]
    who = [("CallerIDNum", number.replace("\n", "")), ("CallerIDName", name.replace("\r\n", " "))]
    event = pbx.fake.event
    return call_id, b"".join(
        (
            event("Newchannel", *caller, *who, ("ChannelStateDesc", "Ring"), ("Exten", "support")),
            event("Newstate", *caller, *who, ("ChannelStateDesc", "Up")),
            event("UserEvent", *caller, ("UserEvent", "Callcenter"), ("What", "variable"), ("Value", number)),
            event("Nonsense", *caller, *who),
            event("Hangup", *caller, *who, ("Cause", "16")),
            event("Hangup", *caller, *who, ("Cause", "junk " + number.replace("\n", ""))),
        )
    )


def test_a_talkative_log_holds_the_calls_and_nobodys_data(tmp_path: Path, pbx: Pbx) -> None:
    daemon = daemon_of(tmp_path, pbx, '[log]\nformat = "json"\nlevel = "DEBUG"\n')
    file, away = daemon.folder / "callcenter.db", daemon.folder / "away"
    calls = [(number, name) for number in NUMBERS for name in NAMES]
    told = [hostile(pbx, serial, *one) for serial, one in enumerate(calls, 1)]
    daemon.start()
    try:
        pbx.do(pbx.fake.send, b"".join(data for _, data in told[:10]))
        wait_until(lambda: len(daemon.tickets()) == 10, 30, "the first tickets")
        os.rename(file, away)
        pbx.do(pbx.fake.send, b"".join(data for _, data in told[10:]))
        wait_until(lambda: not parts(daemon)["store"]["ready"], 30, "/readyz to say so")
        os.rename(away, file)
        wait_until(lambda: len(daemon.tickets()) == len(told), 30, "all tickets")
        pbx.do(pbx.fake.drop)
        wait_until(lambda: parts(daemon)["asterisk"]["ready"], 20, "the link to be up again")
        assert daemon.process is not None
        daemon.process.send_signal(signal.SIGTERM)
        assert daemon.process.wait(20) == 0
    finally:
        daemon.stop()
    text = (daemon.folder / "log").read_text()
    lines = [json.loads(line) for line in text.splitlines()]
    assert {call_id for call_id, _ in told} <= {line.get("call_id") for line in lines}
    assert any("the store does not take a batch" in line["event"] for line in lines)
    written = [digits for number in NUMBERS for digits in (number, number.replace("\n", "")[-8:])]
    for personal in (*written, "王小明", "小明", "DROP", "rot", "尾", "aaaa"):
        assert personal not in text, personal
