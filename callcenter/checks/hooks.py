"""Is the dialplan set up to ask the daemon (arrival hook), and would the daemon's door open to it? Pure.

The arrival hook is what makes the ladder exact (A1): by its answer the dialplan moves its own limits behind the
daemon's steps. Never: shows a token.
"""

import hmac
from collections.abc import Set
from dataclasses import dataclass
from urllib.parse import urlsplit

from callcenter.checks.finding import Finding, bad, ok, warn
from callcenter.settings import Settings

SET_UP = (
    "Set it up as in the README, step 3: the includes extensions-hooks.conf and extensions-curl.conf, CC_HOOKS_URL and "
    "CC_HOOKS_TOKEN in [globals], hooks.token_file here; then 'dialplan reload'."
)
_LOOPBACK = ("127.0.0.1", "localhost", "::1")


@dataclass(frozen=True, slots=True, repr=False)
class HookFacts:
    """What Asterisk says of the hooks. ``contexts``: those that are loaded; ``agi``: whether the questions go by
    FastAGI; ``address``: CC_HOOKS_URL or CC_HOOKS_AGI; ``curl``: whether func_curl is there, ``None`` if unknown;
    ``token``: CC_HOOKS_TOKEN, ``None`` where it was not asked for lest it cross a network in the clear."""

    contexts: Set[str] = frozenset()
    agi: bool = False
    address: str = ""
    curl: bool | None = None
    token: str | None = None


def judge_hooks(facts: HookFacts, settings: Settings, our_token: str | None) -> Finding:
    """``our_token``: the content of hooks.token_file, ``None`` where it is not set or cannot be read."""
    lacks = _lacking(facts, settings, our_token)
    if lacks:
        what = (
            f"The arrival hook is not set up ({lacks}): the dialplan's own limits act before the daemon's steps (A1)."
        )
        return warn(what, SET_UP)
    variable = "CC_HOOKS_AGI" if facts.agi else "CC_HOOKS_URL"
    ours = settings.hooks.agi_port if facts.agi else settings.web.port
    if (port := _loopback_port(facts.address, facts.agi)) and ours and port != ours:
        key = "hooks.agi_port" if facts.agi else "web.port"
        remedy = f"Correct {variable} in [globals] of extensions.conf, then 'dialplan reload'; or {key} here."
        return bad(
            f"{variable} leads to port {port}, the daemon listens on {ours} ({key}): no hook gets there.", remedy
        )
    if facts.curl is False and not facts.agi:
        remedy = "Load func_curl.so (modules.conf), or include extensions-agi.conf in place of extensions-curl.conf."
        return bad("Asterisk has no func_curl, by which the dialplan asks the hooks.", remedy)
    if facts.token and our_token and not hmac.compare_digest(facts.token.encode(), our_token.encode()):
        remedy = "Write the content of the file into CC_HOOKS_TOKEN in [globals] of extensions.conf; 'dialplan reload'."
        return bad("CC_HOOKS_TOKEN is not the token of hooks.token_file: the daemon refuses every hook.", remedy)
    return ok(f"The arrival hook is set up ({variable}): the dialplan's limits then stand behind the daemon's (A1).")


def _lacking(facts: HookFacts, settings: Settings, our_token: str | None) -> str:
    if "cc-hook-arrival" not in facts.contexts:
        return "no context cc-hook-arrival"
    if "cc-hook-ask" not in facts.contexts:
        return "no context cc-hook-ask, which carries the questions"
    if not facts.address:
        return f"{'CC_HOOKS_AGI' if facts.agi else 'CC_HOOKS_URL'} is not set in [globals]"
    if facts.token == "":
        return "CC_HOOKS_TOKEN is not set in [globals]"
    if settings.hooks.token_file is None:
        return "hooks.token_file is not set"
    return "" if our_token else "hooks.token_file cannot be read or is empty"


def _loopback_port(address: str, agi: bool) -> int | None:
    """The port where the address is on this machine; a proxy elsewhere is the site's own business."""
    try:
        parts = urlsplit(f"agi://{address}" if agi else address)
        default = 4573 if agi else {"https": 443}.get(parts.scheme, 80)
        return (parts.port or default) if parts.hostname in _LOOPBACK else None
    except ValueError:
        return None
