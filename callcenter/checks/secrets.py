"""Are the secret files that the settings name there, and ours alone? Also without an Asterisk.

As root they are read as systemd reads them for the service (LoadCredential in docker/callcenter.service); whether the
installed unit hands them on is asked, too. Never: shows a secret.
"""

import os
import re
import stat
from pathlib import Path

from callcenter.checks.files import as_the_service
from callcenter.checks.finding import Finding, bad, warn
from callcenter.settings import SecretError, Settings, read_secret, secret_files

UNIT = Path("/etc/systemd/system/callcenter.service")
CONTAINERS = Path("/run/secrets")
"""What is mounted there nobody else sees, whatever its mode (docker/make-secrets)."""


def judge_secrets(settings: Settings) -> list[Finding]:
    """A finding for each that is missing, empty, unreadable, open to others, or kept from the service by its unit."""
    named = [(key, path) for key, path in secret_files(settings) if path is not None]
    unit = _unit() if os.geteuid() == 0 else ""
    found = ((_judge(key, path) or _judge_unit(key, path, unit)) for key, path in named)
    return [finding for finding in found if finding is not None]


def _judge(key: str, path: Path) -> Finding | None:
    try:
        read_secret(path, key)
        mode = path.stat().st_mode
    except SecretError as error:
        return lacking(key, path, error)
    except OSError:
        return None  # gone between the two looks
    if mode & (stat.S_IRGRP | stat.S_IROTH) and not path.is_relative_to(CONTAINERS):
        return warn(f"{key}: {path}: others can read this secret.", f"chmod 600 {path}")
    return None


def _unit() -> str:
    """The installed unit with what was added to it; nothing where it runs under an account of somebody's choice."""
    try:
        drop_ins = sorted(UNIT.with_name(f"{UNIT.name}.d").glob("*.conf"))
        text = "\n".join(file.read_text("utf-8", "replace") for file in (UNIT, *drop_ins))
    except OSError:
        return ""  # no service here
    return text if re.search(r"^DynamicUser=(yes|true|1|on)$", text, re.MULTILINE) else ""


def _judge_unit(key: str, path: Path, unit: str) -> Finding | None:
    variable = f"CALLCENTER_{key.replace('.', '__').upper()}"
    if not unit or re.search(rf"^Environment=.*\b{variable}=", unit, re.MULTILINE):
        return None
    with as_the_service():
        if os.access(path, os.R_OK, effective_ids=True):
            return None
    what = f"{key}: {path}: the service cannot read this secret, and its unit does not hand it on."
    if key.startswith("webhooks."):
        return bad(what, "Give it to the service by LoadCredential in a drop-in, as docs/webhooks.md shows.")
    remedy = (
        f"Take the # from the two lines that go with {variable} in {UNIT}; then systemctl daemon-reload, "
        "systemctl restart callcenter (docs/SECURITY.md)."
    )
    return bad(what, remedy)


def lacking(key: str, path: Path | None, error: SecretError) -> Finding:
    """What is said of a secret that cannot be had."""
    where = f"{key}: {path}" if path is not None else key
    return bad(f"{where}: {error.cause}.", f"{error.remedy[0].upper()}{error.remedy[1:]}.")
