"""FastAGI as text: the block that Asterisk opens with, commands, replies.

On the path of a call: ``web/fastagi`` moves the bytes, this says what they mean.
Promises: total on any bytes; a header that comes twice is refused, since a caller's name with a line end would forge
one; a command is one line whatever its values hold; no refusal holds a value.
Never: reads a socket or a clock.

Source of the protocol: Asterisk's res/res_agi.c (setup_env, agi_handle_command).
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from callcenter.errors import BadInput
from callcenter.hooks.requests import TAKES, Hook, hook_named
from callcenter.hooks.text import form

MAX_ENVIRONMENT_BYTES = 8_192
MAX_ENVIRONMENT_LINES = 160
MAX_REPLY_BYTES = 4_096
TOKEN_VARIABLE = "CC_HOOKS_TOKEN"  # noqa: S105 - the name of a variable
ASK_TOKEN = f"GET FULL VARIABLE ${{GLOBAL({TOKEN_VARIABLE})}}\n".encode()
"""The global, so that no channel variable (a header of the caller, say) can stand in for it."""

_REPLY = re.compile(r"(\d{3}) result=(-?\d+)(?: \((.*)\))?")
_DEFAULTS = {"uniqueid": "agi_uniqueid", "caller": "agi_callerid", "dialled": "agi_dnid"}
_VARIABLE = re.compile(r"[A-Z_]{1,40}", re.ASCII)


@dataclass(frozen=True, slots=True)
class AgiRequest:
    hook: Hook
    fields: Mapping[str, str]
    token: str | None
    """As an argument; ``None`` if the channel is to be asked for it."""


@dataclass(frozen=True, slots=True)
class Reply:
    """``ok``: the command was carried out. ``value``: what stood in parentheses, for GET FULL VARIABLE."""

    ok: bool
    value: str = ""


def environment(block: bytes) -> dict[str, str]:
    """The headers of an opening block, without its empty line. Raises ``BadInput``."""
    lines = block.decode("utf-8", "replace").removesuffix("\n\n").split("\n")
    if len(block) > MAX_ENVIRONMENT_BYTES or len(lines) > MAX_ENVIRONMENT_LINES:
        raise BadInput("the AGI request is too long: pass fewer and shorter arguments")
    found: dict[str, str] = {}
    for line in lines:
        name, colon, value = line.partition(":")
        if not colon or not name.startswith("agi_"):
            raise BadInput("this is no AGI request: only Asterisk's application AGI() may call this port")
        if name in found:
            raise BadInput("the AGI request names a header twice: filter line ends out of the caller's name")
        found[name] = value.strip()
    return found


def request(headers: Mapping[str, str]) -> AgiRequest:
    """The hook and its fields. Raises ``BadInput``."""
    script, question, _ = headers.get("agi_network_script", "").partition("?")
    if question:
        raise BadInput("the address has a '?': pass fields and token as arguments, for addresses are logged everywhere")
    hook = hook_named(script.strip("/"))
    given = "&".join(value for name, value in headers.items() if name.startswith("agi_arg_") and value)
    fields = form(given.encode())
    token = fields.pop("token", None)
    return AgiRequest(hook, _defaults(hook, headers) | fields, token)


def _defaults(hook: Hook, headers: Mapping[str, str]) -> dict[str, str]:
    """What Asterisk tells of the channel by itself."""
    told = {
        name: headers.get(header, "") for name, header in _DEFAULTS.items() if name == "uniqueid" or name in TAKES[hook]
    }
    return {name: value for name, value in told.items() if value and value != "unknown"}


def set_variable(name: str, value: str) -> bytes:
    """``name`` is one of ours: capital letters and "_"."""
    assert _VARIABLE.fullmatch(name), "not the name of an answer's variable"
    return f"SET VARIABLE {name} {_quoted(value)}\n".encode()


def verbose(sentence: str) -> bytes:
    """A line in Asterisk's own log, where whoever wrote the dialplan looks first."""
    return f"VERBOSE {_quoted('callcenter hook: ' + sentence)} 1\n".encode()


def reply(line: bytes) -> Reply | None:
    """What a command was answered; ``None`` for the notice that the channel has hung up."""
    text = line.decode("utf-8", "replace").rstrip("\r\n")
    if text == "HANGUP":
        return None
    found = _REPLY.fullmatch(text)
    if found is None or found[1] != "200":
        return Reply(False)
    return Reply(True, found[3] or "")


def _quoted(value: str) -> str:
    one_line = "".join(c if c.isprintable() else " " for c in value)
    return '"' + one_line.replace("\\", "\\\\").replace('"', '\\"') + '"'
