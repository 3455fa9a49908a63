"""The configuration files themselves: what they promise to each other and to the daemon, read without an Asterisk."""

import re
from pathlib import Path

import pytest

from callcenter.ami.actions import CONTEXTS
from callcenter.ami.parse import WANTED
from callcenter.calls.records import COLUMNS

FOLDER = Path(__file__).parents[2] / "dialplans"
HOTLINE = (FOLDER / "extensions-callcenter.conf").read_text(encoding="utf-8")
UNREADABLE = {"VarSet", "FullyBooted", "Shutdown", "QueueMember"}
"""Classes that the account does not read (dialplan, system), and an event that only comes in answers."""


def test_filters_name_exactly_what_the_daemon_reads() -> None:
    new = (FOLDER / "manager-callcenter.conf").read_text()
    legacy = (FOLDER / "manager-callcenter-legacy.conf").read_text()
    wanted = set(WANTED) - UNREADABLE
    assert set(re.findall(r"^eventfilter\(name\((\w+)\)\)", new, re.MULTILINE)) == wanted
    pattern = re.search(r"^eventfilter = \^Event: \(([\w|]+)\)", legacy, re.MULTILINE)
    assert pattern is not None
    assert set(pattern[1].split("|")) == wanted


@pytest.mark.parametrize("name", ["manager-callcenter.conf", "manager-callcenter-legacy.conf"])
def test_account_has_the_least_rights(name: str) -> None:
    text = (FOLDER / name).read_text()
    rights = dict(re.findall(r"^(read|write) = (.*)$", text, re.MULTILINE))
    assert set(rights["read"].split(",")) == {"call", "agent", "user", "reporting"}
    assert set(rights["write"].split(",")) == {"originate", "agent", "call", "reporting"}
    assert "eventfilter" in text


def test_contexts_are_ours_and_complete() -> None:
    contexts = set(re.findall(r"^\[([^\]]+)\]", HOTLINE, re.MULTILINE))
    assert all(context.startswith("cc-") for context in contexts)
    assert contexts >= CONTEXTS
    called = set(re.findall(r"(?:Gosub|Goto)\((cc-[a-z-]+)", HOTLINE))
    hooks = (FOLDER / "examples" / "extensions-hooks.conf").read_text(encoding="utf-8")
    assert called <= contexts | set(re.findall(r"^\[([^\]]+)\]", hooks, re.MULTILINE))


def test_call_records_have_the_columns_of_the_contract() -> None:
    text = (FOLDER / "cdr_custom-callcenter.conf").read_text()
    assert tuple(re.findall(r"CDR\((\w+)", text)) == COLUMNS


def test_no_text_of_a_caller_is_written_raw() -> None:
    """UserEvent ends a header at a comma or a line end: whatever a caller or a hook can set goes through URIENCODE."""
    for line in HOTLINE.splitlines():
        if "UserEvent(" in line:
            for value in re.findall(r": (\$\{[^,]*\})", line):
                assert value.startswith(("${URIENCODE(", "${CHANNEL(linkedid)")), line


def test_patterns_do_not_match_after_one_digit() -> None:
    """A pattern that ends in "!" matches as soon as it can: a transfer would take the first digit alone."""
    assert not re.findall(r"^exten => _[^,]*!,", HOTLINE, re.MULTILINE)
