"""The configuration: one frozen tree from a TOML file, the environment and secret files.

Promises: everything is checked before anything starts; every mistake is listed at once, each with the key and the
remedy; units stand in the names; secrets are read from files when they are needed and never held in the tree.
Never: reads a clock, opens a connection, or accepts a key it does not know.

Environment: ``CALLCENTER_ASTERISK__PORT=5039`` overrides ``port`` in ``[asterisk]`` (two underscores between levels).

Its sections are in ``sections``, what must hold between them in ``together``; ``environment`` reads the variables.
"""

import os
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from callcenter.settings.environment import PREFIX, merge
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
from callcenter.settings.together import check_together, is_zone
from callcenter.settings.webhooks import Webhook

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
    "SecretError",
    "ServiceLevel",
    "Settings",
    "SettingsError",
    "Site",
    "Speech",
    "Step",
    "Store",
    "Traces",
    "Web",
    "Webhook",
    "load",
    "read_secret",
    "secret_files",
]


class SettingsError(Exception):
    """The configuration cannot be used. ``problems``: one sentence each, naming the key and the remedy. ``settings``:
    what was right of it, with defaults for the rest; only to look for further mistakes in the files that it names."""

    def __init__(self, problems: list[str], settings: Settings | None = None) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems
        self.settings = settings


class SecretError(SettingsError):
    """A secret cannot be had: ``cause`` and ``remedy`` of its one sentence, without the secret or its path."""

    def __init__(self, key: str, cause: str, remedy: str) -> None:
        super().__init__([f"{key}: {cause}; {remedy}."])
        self.cause = cause
        self.remedy = remedy


def load(path: Path | None, environment: Mapping[str, str] = os.environ) -> Settings:
    """The settings of a file and the environment. Raises ``SettingsError`` with every problem found."""
    problems: list[str] = []
    table = _table(path) if path is not None else {}
    merge(table, environment, Settings, problems)
    base = path.parent if path is not None else Path()
    settings: Settings = Reader(problems, base).build(Settings, table, "")
    check_together(settings, problems)
    if not problems:
        return settings
    if not is_zone(settings.site.timezone):
        settings = replace(settings, site=replace(settings.site, timezone=Site().timezone))
    raise SettingsError(problems, settings)


def _table(path: Path) -> dict[str, Any]:
    try:
        data = path.read_bytes()
    except OSError as error:
        raise SettingsError([f"{path}: cannot be read ({error.strerror}); name a readable file."]) from None
    try:
        return tomllib.loads(data.decode("utf-8"))
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise SettingsError([f"{path}: line {line} is not UTF-8; save the file in that encoding."]) from None
    except ValueError as error:  # also a number of more digits than Python reads
        twice = "this key or table stands there for the second time, leave one of them"
        remedy = twice if str(error).startswith("Cannot ") else "correct the file there"
        what = str(error).partition(";")[0]
        raise SettingsError([f"{path}: is not valid TOML: {what}; {remedy}."]) from None
    except RecursionError:
        raise SettingsError([f"{path}: is not valid TOML: too deep; take brackets out."]) from None


def read_secret(path: Path | None, key: str) -> str:
    """The secret in a file, read anew each time so that it can be changed. Raises ``SecretError``."""
    if path is None:
        raise SecretError(key, "is not set", "name a file that holds the secret")
    try:
        secret = path.read_text("utf-8").strip()
    except FileNotFoundError:
        raise SecretError(key, "the secret file is missing", "write the secret into it, or correct the path") from None
    except PermissionError:
        remedy = "let the daemon's account read it, as a service by LoadCredential (callcenter.service)"
        raise SecretError(key, "the secret file cannot be read (Permission denied)", remedy) from None
    except OSError as error:
        what = f"the secret file cannot be read ({error.strerror})"
        raise SecretError(key, what, "name a file with nothing but the secret") from None
    except UnicodeDecodeError:
        raise SecretError(key, "the secret file is not UTF-8", "write the secret anew, as plain text") from None
    if not secret:
        raise SecretError(key, "the secret file is empty", "write the secret into it")
    return secret


def secret_files(settings: Settings) -> Sequence[tuple[str, Path | None]]:
    """Every key that names a secret, with what it names."""
    return (
        ("asterisk.secret_file", settings.asterisk.secret_file),
        ("store.password_file", settings.store.password_file),
        ("hooks.token_file", settings.hooks.token_file),
        ("web.metrics_token_file", settings.web.metrics_token_file),
        ("metrics.push_token_file", settings.metrics.push_token_file),
        ("traces.headers_file", settings.traces.headers_file),
        ("recordings.key_file", settings.recordings.key_file),
        ("recordings.secret_file", settings.recordings.secret_file),
        *((f"webhooks.{name}.secret_file", webhook.secret_file) for name, webhook in settings.webhooks.items()),
    )
