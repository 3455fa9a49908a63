"""The phones of the demonstration: one whose call is over is not kept as a dead child of it."""

import subprocess
from pathlib import Path
from typing import Any

from callcenter.demo.phones import Phone, Phones


def test_a_phone_whose_call_is_over_is_let_go(tmp_path: Path) -> None:
    server: Any = None
    ended, calls = subprocess.Popen(["true"]), subprocess.Popen(["sleep", "60"])
    phones = Phones(server, tmp_path)
    phones.running = [Phone("ended", tmp_path, ended, True), Phone("calls", tmp_path, calls, True)]
    try:
        while [phone.name for phone in phones.running] != ["calls"]:
            phones.reap()
        assert ended.returncode == 0, "waited for: it is no longer in the process table"
    finally:
        phones.stop()
