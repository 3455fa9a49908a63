"""Records tests/captures: every story is played by real phones on a real Asterisk, and kept as raw AMI bytes.

    python -m tests.captures.record [--jobs 4] [--out FOLDER] [STORY...]

For each story: STORY.ami (an account that reads everything), STORY.least.ami (the product's account with its event
filters) and STORY.expected.json (what the phones did; AMI was not asked). CALLCENTER_ASTERISK_ROOT names the Asterisk.
"""

from __future__ import annotations

import argparse
import csv
import json
import re
import sys
import time
import traceback
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import quote

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "asterisk"), str(HERE.parents[1])]

from handset import Handset  # noqa: E402
from lab import Lab, Recorder, wait_until  # noqa: E402
from twoline import TwoLinePhone  # noqa: E402

from callcenter.demo.phones import Phone  # noqa: E402
from callcenter.demo.server import TRUNK_HOST  # noqa: E402

Call = dict[str, Any]


class Stage:
    """One story on its own Asterisk: phones, and the two recorded streams."""

    def __init__(self, lab: Lab) -> None:
        self.lab = lab
        self.phones = lab.phones
        self.noisy: Recorder = lab.recorder("noisy")
        self.least: Recorder = lab.recorder("callcenter")
        self.others: list[TwoLinePhone] = []
        self.streams: dict[str, list[bytes]] = {"ami": [], "least.ami": []}

    def seats(self, *names: str, after: float | None = None) -> list[Phone]:
        """Phones that ring until they are cancelled, or answer and talk until the caller hangs up."""
        return [self.phones.seat(name, after) for name in names]

    def two_lines(self, seat: str) -> TwoLinePhone:
        phone = TwoLinePhone(seat, self.lab.server.ports[f"SEAT{seat}"], self.lab.server.ports["SIP"])
        self.others.append(phone)
        return phone

    def handset(self, seat: str, place: str = "") -> Handset:
        """A seat's telephone, played by hand; *place*: at the address of another."""
        ports = self.lab.server.ports
        phone = Handset(seat, ports[f"SEAT{place or seat}"], ports["SIP"])
        self.others.append(phone)
        return phone

    def outside(self, number: str, line: bool = False) -> Handset:
        """A customer's telephone, played by hand; *line*: the one that outgoing calls reach."""
        ports = self.lab.server.ports
        port = ports["TRUNK"] if line else self.lab.server.block.take(host=TRUNK_HOST)
        phone = Handset(number, port, ports["SIP"], TRUNK_HOST)
        self.others.append(phone)
        return phone

    def action(self, name: str, **fields: str) -> None:
        self.noisy.action(name, **fields)

    def channel(self, prefix: str) -> str:
        """The newest channel whose name begins so."""
        rows = [line.split("!")[0] for line in self.lab.server.cli("core show channels concise").splitlines()]
        found = sorted(row for row in rows if row.startswith(prefix))
        if not found:
            raise AssertionError(f"no channel {prefix}")
        return found[-1]

    def gate(self, seat: str) -> str:
        """The waiting half of a backup member's Local channel."""
        found = re.search(rf"Channel: (Local/{seat}@cc-backup\S+;2)", bytes(self.noisy.data).decode("utf-8", "replace"))
        if found is None:
            raise AssertionError(f"no gate of {seat}")
        return found[1]

    def hear(self, text: str, times: int = 1, seconds: float = 30) -> None:
        """Until the noisy account has heard *text* so many times, and a moment more for the rest of the burst."""
        wait_until(lambda: self.noisy.data.count(text.encode()) >= times, seconds, text)
        time.sleep(0.2)

    def talking(self) -> None:
        """Until two channels talk."""
        wait_until(lambda: b"BridgeNumChannels: 2" in self.noisy.data, 40, "two channels in a bridge")
        time.sleep(0.2)

    def snapshot(self) -> None:
        """Ask on both sessions what a daemon asks after its log-in."""
        for recorder in (self.noisy, self.least):
            for name in (
                "CoreSettings",
                "CoreStatus",
                "CoreShowChannels",
                "BridgeList",
                "QueueStatus",
                "DeviceStateList",
            ):
                recorder.action(name, ActionID=name)
            recorder.action("Status", ActionID="Status", Variables="CC_QUEUE,CC_RECORDING")
            recorder.wait_for(b"Event: StatusComplete")

    def linkedid(self, number: int = 0) -> str:
        """The first that the noisy account heard of, or a later one: for a call that will leave no call record."""
        found = list(dict.fromkeys(re.findall(rb"\r\nLinkedid: (\S+)", self.noisy.data)))
        if len(found) <= number:
            raise AssertionError("no such channel yet")
        return found[number].decode()

    def finish(self) -> None:
        self.lab.quiet()
        self.cut()

    def cut(self) -> None:
        """End both streams here."""
        self.streams["ami"].append(self.noisy.close())
        self.streams["least.ami"].append(self.least.close())

    def again(self) -> None:
        """Begin a second pair of streams, after an interruption."""
        self.noisy, self.least = self.lab.recorder("noisy"), self.lab.recorder("callcenter")

    def identify(self, calls: list[Call]) -> None:
        """call_id: the linkedid that Asterisk's own call records give to the caller's number."""
        path = self.lab.server.cdr_file
        rows = list(csv.reader(path.open(encoding="utf-8", errors="replace"))) if path.exists() else []
        for call in calls:
            if call["call_id"] is None:
                ids = {row[0] for row in rows if row[6] == call["caller_number"]}
                if len(ids) != 1:
                    raise AssertionError(f"{len(ids)} call records for one call")
                call["call_id"] = ids.pop()


def neutral(data: bytes, lab: Lab) -> bytes:
    """The only change to the bytes: the folder of this run becomes a folder of an ordinary installation."""
    run = str(lab.server.folder)
    root = str(lab.server.program.data).removesuffix("/usr/share/asterisk")
    for ours, usual in (
        (f"{run}/spool", "/var/spool/asterisk"),
        (f"{run}/sounds", "/usr/share/asterisk/sounds/callcenter"),
        (run, "/etc/asterisk"),
        (str(lab.folder), "/srv"),
        (root or "/usr", "" if root else "/usr"),
    ):
        data = data.replace(ours.encode(), usual.encode()).replace(
            quote(ours, safe="").encode(), quote(usual, safe="").encode()
        )
    return data


Story = Callable[[Stage], list[Call]]


def record(name: str, story: Story, out: Path) -> str:
    """Play one story and write its files. Returns a line for the person watching."""
    with Lab(elsewhere=name.startswith("elsewhere-")) as lab:
        stage = Stage(lab)
        try:
            calls = story(stage)
            stage.finish() if not stage.streams["ami"] or stage.noisy.thread.is_alive() else None
            stage.identify(calls)
        except BaseException:
            journal = "".join(
                f"{phone.name}: {[m.line for m in phone.journal()]} {phone.errors()}\n"
                for phone in [*lab.phones.running, *stage.others]
            )
            log = lab.server.log_file.read_text(errors="replace")[-6000:]
            return f"FAILED {name}\n{traceback.format_exc()}{journal}{log}"
        finally:
            for phone in stage.others:
                phone.stop()
        for suffix, parts in stage.streams.items():
            (out / f"{name}.{suffix}").write_bytes(neutral(b"".join(parts), lab))
        for call in calls:
            if call["recording"]:
                call["recording"] = neutral(call["recording"].encode(), lab).decode()
    text = json.dumps(
        {"story": " ".join((story.__doc__ or "").split()), "tolerance_seconds": 0.25, "calls": calls},
        ensure_ascii=False,
        indent=1,
    )
    (out / f"{name}.expected.json").write_text(text + "\n", encoding="utf-8")
    sizes = {suffix: sum(map(len, parts)) for suffix, parts in stage.streams.items()}
    return f"ok     {name} {sizes['ami']} bytes, {sizes['least.ami']} by the least account"


def main() -> int:
    from tests.captures.stories import STORIES

    parser = argparse.ArgumentParser(description="Record AMI captures of real calls")
    parser.add_argument(
        "stories", nargs="*", metavar="STORY", help="names of stories, or their beginnings; all by default"
    )
    parser.add_argument("--jobs", type=int, default=3)
    parser.add_argument("--out", type=Path, default=HERE)
    parser.add_argument(
        "--table", action="store_true", help="print the stories as the table of README.md, and record nothing"
    )
    options = parser.parse_args()
    if options.table:
        print("| story | what each phone did, and when |\n| --- | --- |")
        print("\n".join(f"| {name} | {' '.join((story.__doc__ or '').split())} |" for name, story in STORIES.items()))
        return 0
    wanted = {
        name: story
        for name, story in STORIES.items()
        if not options.stories or any(name.startswith(part) for part in options.stories)
    }
    options.out.mkdir(parents=True, exist_ok=True)
    failed = 0
    with ThreadPoolExecutor(options.jobs) as pool:
        for line in pool.map(lambda item: record(*item, options.out), wanted.items()):
            failed += line.startswith("FAILED")
            print(line, flush=True)
    return 1 if failed or not wanted else 0


if __name__ == "__main__":
    sys.exit(main())
