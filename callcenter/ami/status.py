"""What the link tells about itself, and to whom it hands its events. Pure."""

from dataclasses import dataclass
from typing import Literal, Protocol

from callcenter.ami.events import Event


class Sink(Protocol):
    """Takes events in order. It must only enqueue: it is called from the connection's read."""

    def events(self, events: list[Event]) -> None: ...


@dataclass(frozen=True, slots=True)
class LinkStatus:
    """What /readyz and ``callcenter check`` tell. Instants: epoch seconds by our clock."""

    state: Literal["connecting", "refused", "up", "lost"] = "connecting"
    since: float = 0.0
    reason: str = ""
    remedy: str = ""
    asterisk_version: str = ""
    system_name: str = ""
    started: str = ""
    """Asterisk's start-up moment in its own local time: it changes when Asterisk was restarted."""
    below_floor: bool = False
    warning: str = ""
    """The version, or the account's rights, are not what they should be; the link works all the same."""
    last_pong_at: float | None = None
    clock_offset_seconds: float = 0.0
    """Asterisk's clock minus ours."""
