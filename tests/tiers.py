"""Runs all tests in tiers, each with as many workers as suits it, and sums them up. Started by scripts/test.

Promises: every test file belongs to a tier; a tier without tests, one that hangs, and a skipped test fail the run (what
was skipped is listed with its reason); the last line is ``N passed, N failed, N skipped``.
Never: repeats a failed test until it passes.
"""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree as ET
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TESTS = ROOT / "tests"
FOUND_NOTHING = 5
"""pytest's exit code when it collected no test."""


@dataclass(frozen=True)
class Tier:
    """``workers``: pytest processes. Stories on Asterisk mostly wait, so there are more of them than cores."""

    name: str
    title: str
    folders: tuple[str, ...]
    workers: int
    marked: str = "not alone"
    limit_seconds: int = 900


TIERS = (
    Tier("fast", "unit, properties, scenarios", ("unit", "properties", "scenarios"), 2),
    Tier("store", "store on SQLite and PostgreSQL", ("store", "postgres"), 2),
    Tier("faults", "faults", ("faults",), 2),
    Tier("browser", "browser (Chromium)", ("browser",), 2, limit_seconds=1500),
    Tier("asterisk", "real Asterisk 22", ("asterisk",), 4, "not asterisk16 and not alone", 1200),
    Tier("asterisk16", "main stories on Asterisk 16.28", ("asterisk",), 4, "asterisk16 and not alone"),
    Tier("alone", "alone: what measures time or load", (".",), 0, "alone", 2100),
)


@dataclass
class Result:
    """What one tier came to. ``problem``: why it counts as failed beyond its failed tests."""

    tier: Tier
    passed: int = 0
    failed: int = 0
    skipped: list[tuple[str, str]] = field(default_factory=list)
    seconds: float = 0.0
    problem: str = ""


def homeless(tests: Path = TESTS) -> list[str]:
    """Test files that no tier would run."""
    folders = {tests / folder for tier in TIERS for folder in tier.folders} - {tests / "."}
    files = sorted(tests.rglob("test_*.py"))
    return [str(file.relative_to(tests)) for file in files if not folders & set(file.parents)]


def read_report(result: Result, report: Path) -> None:
    """Add what pytest's JUnit file says. Raises ``OSError`` or ``ET.ParseError`` where there is none."""
    for case in ET.parse(report).getroot().iter("testcase"):
        skipped = case.find("skipped")
        if case.find("failure") is not None or case.find("error") is not None:
            result.failed += 1
        elif skipped is not None:
            name = f"{case.get('classname')}::{case.get('name')}"
            result.skipped.append((name, skipped.get("message") or "no reason given"))
        else:
            result.passed += 1


def run_tier(tier: Tier, folder: Path) -> Result:
    print(f"\n=== {tier.name}: {tier.title}", flush=True)
    report = folder / f"{tier.name}.xml"
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-p",
        "no:cacheprovider",
        f"--junitxml={report}",
        "-m",
        tier.marked,
    ]
    if tier.workers > 1:
        command += ["-n", str(tier.workers), "--dist", "worksteal"]
    began = time.monotonic()
    code = _run([*command, *(str(TESTS / name) for name in tier.folders)], tier.limit_seconds)
    result = Result(tier, seconds=time.monotonic() - began)
    try:
        read_report(result, report)
    except (OSError, ET.ParseError):
        result.problem = "pytest left no report"
    if code is None:
        result.problem = f"was not done after {tier.limit_seconds} s and was ended"
    elif code == FOUND_NOTHING:
        result.problem = "no test was found"
    elif code and not result.failed:
        result.problem = f"pytest ended with code {code}"
    return result


def _run(command: Sequence[str], limit_seconds: int) -> int | None:
    """The exit code; ``None`` for one that had to be ended: by Ctrl-C's signal, so that fixtures clean up."""
    process = subprocess.Popen(command, cwd=ROOT, start_new_session=True)
    try:
        return process.wait(limit_seconds)
    except subprocess.TimeoutExpired:
        return None
    finally:
        for number, patience in ((signal.SIGINT, 30), (signal.SIGKILL, 5)):
            if process.poll() is None:
                os.killpg(process.pid, number)
                try:
                    process.wait(patience)
                except subprocess.TimeoutExpired:
                    continue


def summary(results: Sequence[Result], homeless_files: Sequence[str], allow_skips: bool) -> tuple[str, bool]:
    """The text to end with, and whether all is well."""
    lines = ["", f"{'tier':<12}{'passed':>8}{'failed':>8}{'skipped':>9}{'seconds':>9}"]
    for one in results:
        row = f"{one.tier.name:<12}{one.passed:>8}{one.failed:>8}{len(one.skipped):>9}{one.seconds:>9.0f}"
        lines.append(row + (f"   {one.problem}" if one.problem else ""))
    skipped = [entry for one in results for entry in one.skipped]
    lines += [f"skipped: {name}: {reason}" for name, reason in skipped]
    lines += [f"in no tier: {name}; put it into a folder of tests/tiers.py" for name in homeless_files]
    failed = sum(one.failed for one in results)
    broken = bool(failed or homeless_files or any(one.problem for one in results))
    if skipped and not allow_skips:
        lines.append("A skipped test proves nothing, so it fails the run; --allow-skips lets it pass.")
        broken = True
    lines.append(f"{sum(one.passed for one in results)} passed, {failed} failed, {len(skipped)} skipped")
    return "\n".join(lines), not broken


def main(arguments: Sequence[str]) -> int:
    names = [tier.name for tier in TIERS]
    wanted = [name for name in arguments if name != "--allow-skips"]
    if unknown := [name for name in wanted if name not in names]:
        print(f"scripts/test: {unknown[0]} is no tier; there are {', '.join(names)}", file=sys.stderr)
        return 2
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # so that what runs is ended and cleaned up, too
    folder = Path(tempfile.mkdtemp(prefix="callcenter-tests-"))
    try:
        results = [run_tier(tier, folder) for tier in TIERS if not wanted or tier.name in wanted]
    except KeyboardInterrupt:
        return 130
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    text, well = summary(results, homeless(), "--allow-skips" in arguments)
    print(text, flush=True)
    return 0 if well else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
