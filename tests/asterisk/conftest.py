"""Fixtures for the stories on a real Asterisk. Without an Asterisk they fail and say how to get one: no skipping."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from callcenter.demo.server import Program, find_program
from tests.asterisk.lab import Lab


def old_program() -> Program:
    """The tested fallback, 16.28: CALLCENTER_ASTERISK_OLD_ROOT names its tree (scripts/asterisk --suite bullseye)."""
    root = os.environ.get("CALLCENTER_ASTERISK_OLD_ROOT", "")
    if not Path(root, "asterisk").exists():
        pytest.fail(
            "CALLCENTER_ASTERISK_OLD_ROOT does not name an old Asterisk: "
            "scripts/asterisk --suite bullseye TARGET makes one"
        )
    return find_program({"CALLCENTER_ASTERISK_ROOT": root})


@pytest.fixture
def lab() -> Iterator[Lab]:
    """A running Asterisk 22 of its own for this test, with the project's dialplans; stopped whatever happens."""
    with Lab() as lab:
        yield lab


@pytest.fixture(params=["new", pytest.param("old", marks=pytest.mark.asterisk16)])
def any_lab(request: pytest.FixtureRequest) -> Iterator[Lab]:
    """The same story on the newest Asterisk and on 16.28."""
    with Lab(program=old_program() if request.param == "old" else None) as lab:
        yield lab
