"""Commands as rows of the outbox and back."""

import json

import pytest

from callcenter.rules.commands import Announce, OpenGate, Performed, from_row, to_row

COMMANDS: list[Performed] = [
    OpenGate("A1/pbx/1.1/0/x", "pbx", "1.1", "2001", "Local/2001@cc-backup-1;2", 12.5),
    Announce("A1/pbx/1.1/1", "pbx", "1.1", "PJSIP/trunk-1", None, 12.5),
    Announce("A1/pbx/1.1/1", "pbx", "1.1", "PJSIP/trunk-1", "售后", 12.5),
]


@pytest.mark.parametrize("command", COMMANDS)
def test_there_and_back_through_json(command: Performed) -> None:
    kind, payload = to_row(command)
    assert from_row(kind, json.loads(json.dumps(payload))) == command


def test_a_kind_of_another_version_is_refused() -> None:
    with pytest.raises(KeyError):
        from_row("Teleport", {})
