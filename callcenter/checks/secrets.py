"""Are the secret files that the settings name there, and ours alone? Also without an Asterisk.

As root they are read as systemd reads them for the service (LoadCredential in docker/callcenter.service).
Never: shows a secret.
"""

import stat
from pathlib import Path

from callcenter.checks.finding import Finding, bad, warn
from callcenter.settings import SecretError, Settings, read_secret, secret_files


def judge_secrets(settings: Settings) -> list[Finding]:
    """A finding for each that is missing, empty, unreadable or open to others."""
    named = ((key, path) for key, path in secret_files(settings) if path is not None)
    return [finding for key, path in named if (finding := _judge(key, path))]


def _judge(key: str, path: Path) -> Finding | None:
    try:
        read_secret(path, key)
        mode = path.stat().st_mode
    except SecretError as error:
        return lacking(key, path, error)
    except OSError:
        return None  # gone between the two looks
    if mode & (stat.S_IRGRP | stat.S_IROTH):
        return warn(f"{key}: {path}: others can read this secret.", f"chmod 600 {path}")
    return None


def lacking(key: str, path: Path | None, error: SecretError) -> Finding:
    """What is said of a secret that cannot be had."""
    where = f"{key}: {path}" if path is not None else key
    return bad(f"{where}: {error.cause}.", f"{error.remedy[0].upper()}{error.remedy[1:]}.")
