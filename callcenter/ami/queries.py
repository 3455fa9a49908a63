"""What the daemon asks of Asterisk: actions that change nothing, and the log-in.

Place on the path: ``ami/link`` and ``ami/snapshot`` send these after every log-in; ``check`` sends the probes.

Promises: as ``ami/actions`` (validated fields, one message). Never: changes a call.

Source: docs.asterisk.org AMI actions; classes measured on 22.10 and 16.28.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from callcenter.ami import fields
from callcenter.ami.actions import CONTEXTS, Action, Header

READABLE_VARIABLES = frozenset(
    {
        "CHANNEL(linkedid)",
        "CC_CALL",
        "CC_QUEUE",
        "CC_RECORDING",
        "MIXMONITOR_FILENAME",
        "QUEUESTATUS",
        "DIALSTATUS",
    }
)
UTC_OFFSET = "STRFTIME(,,%z)"
HAS_CURL = "IFMODULE(func_curl.so)"
"""1 or 0; empty where func_module is not there either."""
READABLE_GLOBALS = frozenset(
    {"CC_RING_SECONDS", "CC_BACKUP_AFTER", "CC_HOOKS_URL", "CC_HOOKS_AGI", "CC_HOOKS_TOKEN", UTC_OFFSET, HAS_CURL}
)
HOOK_CONTEXTS = frozenset({"cc-hook-arrival", "cc-hook-ask"})


@dataclass(frozen=True, slots=True)
class Ping(Action):
    NAME: ClassVar[str] = "Ping"


@dataclass(frozen=True, slots=True)
class Login(Action):
    """``repr`` leaves the secret out. Events begin at once: nothing that happens after the log-in is missed."""

    NAME: ClassVar[str] = "Login"
    user: str
    secret: str

    def __post_init__(self) -> None:
        fields.match(fields.USER, "user", self.user, "the account's name in manager.conf")
        fields.secret(self.secret)

    def __repr__(self) -> str:
        return f"Login(user={self.user!r}, secret=***)"

    def headers(self) -> Iterator[Header]:
        yield "Username", self.user
        yield "Secret", self.secret
        yield "Events", "on"


@dataclass(frozen=True, slots=True)
class Logoff(Action):
    NAME: ClassVar[str] = "Logoff"


@dataclass(frozen=True, slots=True)
class CoreSettings(Action):
    """Version, system name. Class system or reporting."""

    NAME: ClassVar[str] = "CoreSettings"


@dataclass(frozen=True, slots=True)
class CoreStatus(Action):
    """Start-up time (Asterisk's local time), calls. Class system or reporting."""

    NAME: ClassVar[str] = "CoreStatus"


@dataclass(frozen=True, slots=True)
class ListCommands(Action):
    """The actions this account may use: the only honest word on its write classes."""

    NAME: ClassVar[str] = "ListCommands"


@dataclass(frozen=True, slots=True)
class CoreShowChannels(Action):
    NAME: ClassVar[str] = "CoreShowChannels"
    ENDS_WITH: ClassVar[str] = "CoreShowChannelsComplete"


@dataclass(frozen=True, slots=True)
class QueueStatus(Action):
    """Queues with their members and waiting callers: all, or one. Needs no class, and app_queue."""

    NAME: ClassVar[str] = "QueueStatus"
    ENDS_WITH: ClassVar[str] = "QueueStatusComplete"
    queue: str | None = None

    def __post_init__(self) -> None:
        if self.queue is not None:
            fields.queue(self.queue)

    def headers(self) -> Iterator[Header]:
        if self.queue is not None:
            yield "Queue", self.queue


@dataclass(frozen=True, slots=True)
class DeviceStateList(Action):
    NAME: ClassVar[str] = "DeviceStateList"
    ENDS_WITH: ClassVar[str] = "DeviceStateListComplete"


@dataclass(frozen=True, slots=True)
class Getvar(Action):
    NAME: ClassVar[str] = "Getvar"
    channel: str
    variable: str

    def __post_init__(self) -> None:
        fields.channel(self.channel)
        fields.one_of("variable", self.variable, READABLE_VARIABLES)

    def headers(self) -> Iterator[Header]:
        yield "Channel", self.channel
        yield "Variable", self.variable


@dataclass(frozen=True, slots=True)
class GetGlobal(Action):
    """A global variable, or a function that reads nothing of a call (Asterisk's offset from UTC)."""

    NAME: ClassVar[str] = "Getvar"
    variable: str

    def __post_init__(self) -> None:
        fields.one_of("variable", self.variable, READABLE_GLOBALS)

    def headers(self) -> Iterator[Header]:
        yield "Variable", self.variable


@dataclass(frozen=True, slots=True)
class ShowDialPlan(Action):
    """The extensions of one of our contexts; refused where it is not loaded. Class config or reporting."""

    NAME: ClassVar[str] = "ShowDialPlan"
    ENDS_WITH: ClassVar[str] = "ShowDialPlanComplete"
    context: str

    def __post_init__(self) -> None:
        fields.one_of("context", self.context, CONTEXTS | HOOK_CONTEXTS)

    def headers(self) -> Iterator[Header]:
        yield "Context", self.context


@dataclass(frozen=True, slots=True)
class ProbeForbidden(Action):
    """For ``callcenter check`` only: asks for something this account must not have, and hopes to be refused."""

    NAME: ClassVar[str] = "Command"

    def headers(self) -> Iterator[Header]:
        yield "Command", "core show uptime"


@dataclass(frozen=True, slots=True)
class ProbeEvent(Action):
    """For ``callcenter check`` only: an Originate on a technology that does not exist. No channel comes of it and no
    phone rings; Asterisk answers with the event OriginateResponse, which shows whether events arrive and bear times."""

    NAME: ClassVar[str] = "Originate"

    def headers(self) -> Iterator[Header]:
        yield "Channel", "CallcenterCheck/none"
        yield "Context", "cc-click"
        yield "Exten", "00"
        yield "Priority", "1"
        yield "Async", "true"


@dataclass(frozen=True, slots=True)
class ProbeVariable(Action):
    """For ``callcenter check`` only: sets a global variable that nobody reads. An account that reads the class
    ``dialplan``, which it must not, sees the event VarSet."""

    NAME: ClassVar[str] = "Setvar"

    def headers(self) -> Iterator[Header]:
        yield "Variable", "CALLCENTER_CHECK"
        yield "Value", "1"
