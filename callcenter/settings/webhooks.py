"""Systems of the site's own that are told of calls ([webhooks.NAME]), see docs/webhooks.md.

Promises: pure; one sentence for each problem. Never: opens a file or a connection.
"""

import base64
import binascii
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from callcenter.settings.addresses import is_near
from callcenter.settings.reader import limited

WEBHOOK_EVENTS = ("call.ended",)
WHSEC = "whsec_"
"""How a secret begins that Standard Webhooks' libraries show."""


@dataclass(frozen=True, slots=True)
class Webhook:
    """A system of the site's own that is told of ended calls, see docs/webhooks.md."""

    url: str = ""
    """https://..., or http:// to this machine or a private address."""
    secret_file: Path | None = None
    """What messages are signed with."""
    events: tuple[str, ...] = WEBHOOK_EVENTS
    queues: tuple[str, ...] = ()
    """Calls of these alone; () tells of all."""
    with_number: bool = False
    """Whether the caller's number is told."""
    timeout_seconds: float = limited(10.0, 0.5, 60)


def key_of(secret: str) -> bytes:
    """The bytes of a secret: base64 behind ``whsec_``, as receivers' libraries show it, or else the text itself."""
    if secret.startswith(WHSEC):
        try:
            return base64.b64decode(secret.removeprefix(WHSEC), validate=True)
        except binascii.Error:
            pass
    return secret.encode()


def webhook_problems(webhooks: Mapping[str, Webhook]) -> Iterator[str]:
    for name, webhook in webhooks.items():
        yield from _problems(name, webhook)


def _problems(name: str, webhook: Webhook) -> Iterator[str]:
    key = f"webhooks.{name}"
    if not re.fullmatch(r"[a-z][a-z0-9_]{0,31}", name):
        why = "; no environment variable, such as that of its secret_file, could name a '-'" if "-" in name else ""
        yield f"{key[:60]!r}: is no name of a system; use 1 to 32 small letters, digits and '_', such as crm{why}."
    if not re.fullmatch(r"https?://[^\s@#]+", webhook.url) or not (host := _host(webhook.url)):
        yield f"{key}.url: must be https://HOST/PATH, without a password; what is sent is signed with secret_file."
    elif webhook.url.startswith("http://") and not is_near(host):
        yield f"{key}.url: calls would cross the network in the open; use https, or an address that is private."
    if webhook.secret_file is None:
        yield f"{key}.secret_file: is not set; name a file with a secret that the receiving system knows, too."
    for event in webhook.events:
        if event not in WEBHOOK_EVENTS:
            yield f"{key}.events: {event[:40]!r} is none; there is {', '.join(WEBHOOK_EVENTS)}."
    if not webhook.events:
        yield f"{key}.events: names none, so nothing would be told; write {list(WEBHOOK_EVENTS)}."


def _host(url: str) -> str:
    """The host of an address; empty where it has none, or no port that there is."""
    try:
        parts = urlsplit(url)
        return (parts.hostname or "") if parts.port != 0 else ""
    except ValueError:
        return ""
