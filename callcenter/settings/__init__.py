"""The configuration: one frozen tree from a TOML file, the environment and secret files.

Promises: everything is checked before anything starts; every mistake is listed at once, each with the key and the
remedy; units stand in the names; secrets are read from files when they are needed and never held in the tree.
Never: reads a clock, opens a connection, or accepts a key it does not know.

Environment: ``CALLCENTER_ASTERISK__PORT=5039`` overrides ``port`` in ``[asterisk]`` (two underscores between levels).

Its sections are in ``sections``, what must hold between them in ``together``.
"""

import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from callcenter.settings.levels import Calendar, Callbacks
from callcenter.settings.reader import Reader
from callcenter.settings.sections import (
    DEFAULT_LADDER,
    Asterisk,
    Books,
    Hooks,
    Intake,
    Live,
    Log,
    Metrics,
    Queue,
    Recordings,
    Rings,
    Roster,
    SeatGroup,
    ServiceLevel,
    Settings,
    Site,
    Speech,
    Step,
    Store,
    Traces,
    Web,
)
from callcenter.settings.together import check_together

__all__ = [
    "DEFAULT_LADDER",
    "PREFIX",
    "Asterisk",
    "Books",
    "Calendar",
    "Callbacks",
    "Hooks",
    "Intake",
    "Live",
    "Log",
    "Metrics",
    "Queue",
    "Recordings",
    "Rings",
    "Roster",
    "SeatGroup",
    "ServiceLevel",
    "Settings",
    "SettingsError",
    "Site",
    "Speech",
    "Step",
    "Store",
    "Traces",
    "Web",
    "load",
    "read_secret",
]

PREFIX = "CALLCENTER_"


class SettingsError(Exception):
    """The configuration cannot be used. ``problems``: one sentence each, naming the key and the remedy."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


def load(path: Path | None, environment: Mapping[str, str] = os.environ) -> Settings:
    """The settings of a file and the environment. Raises ``SettingsError`` with every problem found."""
    problems: list[str] = []
    table: dict[str, Any] = {}
    if path is not None:
        try:
            table = tomllib.loads(path.read_text("utf-8"))
        except OSError as error:
            raise SettingsError([f"{path}: cannot be read ({error.strerror}); name a readable file."]) from None
        except ValueError as error:  # also a number of more digits than Python reads
            twice = "; this key or table stands there for the second time, leave one of them"
            why = f"{error}{twice if str(error).startswith('Cannot ') else ''}"
            raise SettingsError([f"{path}: is not valid TOML in UTF-8: {why}."]) from None
        except RecursionError:
            raise SettingsError([f"{path}: is not valid TOML in UTF-8: too deep."]) from None
    _merge_environment(table, environment, problems)
    base = path.parent if path is not None else Path()
    settings: Settings = Reader(problems, base).build(Settings, table, "")
    check_together(settings, problems)
    if problems:
        raise SettingsError(problems)
    return settings


def read_secret(path: Path | None, key: str) -> str:
    """The secret in a file, read anew each time so that it can be changed. Raises ``SettingsError``."""
    if path is None:
        raise SettingsError([f"{key}: is not set; name a file that holds the secret."])
    try:
        secret = path.read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise SettingsError([f"{key}: the secret file cannot be read ({reason}); check its path and owner."]) from None
    if not secret:
        raise SettingsError([f"{key}: the secret file is empty; write the secret into it."])
    return secret


def _merge_environment(table: dict[str, Any], environment: Mapping[str, str], problems: list[str]) -> None:
    for name in sorted(environment):
        if not name.startswith(PREFIX) or "__" not in name:
            continue
        *parents, last = name.removeprefix(PREFIX).lower().split("__")
        level = table
        for parent in parents:
            below = level.setdefault(parent, {})
            if not isinstance(below, dict):
                problems.append(f"{name}: {parent} is no table; check the name of the variable.")
                break
            level = below
        else:
            level[last] = environment[name]
