"""What Asterisk's names say: which seat, endpoint or line a channel, a queue's member or a dial string stands for.

On the path of a call: asked by ``calls/fold`` once per channel, and by what reads the evidence.
Never: keeps state, or knows a call.
"""

import re
from functools import lru_cache
from sys import intern

from callcenter.ami.events import MemberState

_INSTANCE = re.compile(r"-[0-9a-fA-F]+(;[12])?$")
_WRAPPERS = ("AsyncGoto/", "Surrogate/", "Transfered/", "Bridge/", "Parked/")
_GROUP = re.compile(r"[gGrRi]\d+")
"""A group or span of DAHDI lines."""
_CLICK = re.compile(r"click-\d+-([1-9]\d{0,14})")
_FAR_URI = re.compile(r"sips?:(\+?\d{7,})@")
"""An address with a telephone number; a phone's own contact has its extension or a word there."""


def is_line(dial_string: str, name: str) -> bool:
    """Whether a dial string sends a number over an endpoint ("13800138000@trunk", "trunk/13800138000",
    "trunk/sip:13800138000@192.0.2.9", "g0/13800138000") rather than ringing the endpoint itself ("1001",
    "1001/sip:1001@192.0.2.5")."""
    if dial_string.endswith("@" + name) and "/" not in dial_string[: -len(name)]:
        return True
    line, slash, number = dial_string.partition("/")
    if not slash or (line != name and not _GROUP.fullmatch(line)):
        return False
    if number == name:
        return False
    return number.lstrip("+").isdigit() or bool(_FAR_URI.match(number) and not name.isdigit())


def dialled_number(dial_string: str, name: str) -> str:
    """The number that was sent over the line ``name``."""
    _, slash, number = dial_string.partition("/")
    if slash:
        uri = _FAR_URI.match(number)
        return uri[1] if uri else number
    return dial_string.removesuffix("@" + name)


def click_id(milliseconds: int, ticket_id: int | None) -> str:
    """The id of a call that a click begins, with the ticket from which it is dialled."""
    return f"click-{milliseconds}-{ticket_id or 0}"


def clicked_from(call_id: str) -> int | None:
    """The ticket from which a call was dialled, where its id tells."""
    found = _CLICK.fullmatch(call_id)
    return int(found[1]) if found else None


def greeted_seat(greeting: str) -> str:
    """The seat that a greeting's recording tells of."""
    return greeting.rpartition("-")[2]


def seat_of(member: MemberState) -> str:
    """The seat that a queue member stands for: its device, or what its hint is named by. A state of the site's own
    making (Custom:) names none."""
    state = member.state_interface
    return device(member.interface if not state or state.startswith("Custom:") else state)


@lru_cache(maxsize=20_000)
def device(interface: str) -> str:
    """What a queue's interface names, which unlike a channel's name ends in no instance: "PJSIP/desk-1" -> "desk-1",
    "Local/1001@agents/n" -> "1001", "hint:1001@inside" -> "1001"."""
    technology, _, name = interface.partition("/")
    if not name:
        technology, _, name = interface.partition(":")
    return name.partition("@")[0] if technology.lower() in ("local", "hint") else name


def endpoint(channel: str) -> str:
    """The endpoint in a channel's name: "PJSIP/1001-0000002a" -> "1001", "Local/1001@seats-00000001;2" -> "1001"."""
    name = unwrapped(channel).partition("/")[2]
    name = _INSTANCE.sub("", name)
    if channel.startswith("Local/"):
        name = name.partition("@")[0]
    elif channel.startswith("DAHDI/"):
        name = name.partition("/")[0]  # DAHDI/i1/13800000001-2 is span i1
    return intern(name)


def unwrapped(channel: str) -> str:
    """A channel's own name: Asterisk writes wrappers in front while it moves a channel about."""
    for wrapper in _WRAPPERS:
        channel = channel.removeprefix(wrapper)
    return channel.partition("<")[0]
