"""The configuration: one frozen tree from a TOML file, the environment and secret files.

Promises: everything is checked before anything starts; every mistake is listed at once, each with the key and the
remedy; units stand in the names; secrets are read from files when they are needed and never held in the tree.
Never: reads a clock, opens a connection, or accepts a key it does not know.

Environment: ``CALLCENTER_ASTERISK__PORT=5039`` overrides ``port`` in ``[asterisk]`` (two underscores between levels).
"""

import os
import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from ipaddress import ip_address
from pathlib import Path
from types import MappingProxyType
from typing import Any
from zoneinfo import ZoneInfo

from callcenter.hooks.choices import Greeting, Route
from callcenter.metrics.service_levels import Target, Targets, Variant
from callcenter.rules.cadence import BY_COUNTRY, Cadence
from callcenter.settings_reader import Reader, limited, one_of

PREFIX = "CALLCENTER_"
MAX_WAIT_BOUNDS = 16
"""Different thresholds of service levels: each makes a series more for every queue and outcome."""


class SettingsError(Exception):
    """The configuration cannot be used. ``problems``: one sentence each, naming the key and the remedy."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


@dataclass(frozen=True, slots=True)
class Site:
    company: str = "示例服务"
    """Spoken and shown in the greeting (A2)."""
    language: str = one_of("zh", "zh", "en")
    timezone: str = "Asia/Shanghai"
    hotline_number: str = ""
    """Shown beside the closing phrase (B7), for the caller who asks where to call."""
    categories: tuple[str, ...] = ()
    """What a ticket may be filed under; without any the field takes free text."""


@dataclass(frozen=True, slots=True)
class Asterisk:
    name: str = "pbx"
    host: str = "127.0.0.1"
    port: int = limited(5038, 1, 65535)
    tls: bool = False
    ca_file: Path | None = None
    verify_host: bool = True
    user: str = "callcenter"
    secret_file: Path | None = None
    ping_every_seconds: float = limited(5.0, 0.1, 60)
    answer_within_seconds: float = limited(10.0, 0.1, 60)
    connect_timeout_seconds: float = limited(10.0, 0.1, 60)
    reconnect_min_seconds: float = limited(0.5, 0.01, 60)
    reconnect_max_seconds: float = limited(3.0, 0.1, 600)
    refused_retry_seconds: float = limited(30.0, 0.1, 3600)
    action_timeout_seconds: float = limited(5.0, 0.1, 60)
    max_message_bytes: int = limited(262_144, 32_768, 16_777_216)
    cdr_file: Path | None = None
    """Asterisk's own call records, as dialplans/cdr_custom-callcenter.conf writes them."""
    recordings_dir: Path | None = None
    pause_limit_seconds: float = limited(180.0, 5, 3_600)
    """So long a recording may be paused (a card number is read) before it goes on by itself."""
    trunks: tuple[str, ...] = ("trunk",)
    """Endpoint names that are lines to the outside, not seats."""


@dataclass(frozen=True, slots=True)
class Web:
    host: str = "127.0.0.1"
    port: int = limited(8080, 0, 65535)
    public_url: str = ""
    proxies: tuple[str, ...] = ()
    """Addresses of proxies that append the browser's address to X-Forwarded-For: log-ins are slowed by that one."""
    session_idle_minutes: int = limited(720, 1, 10_080)
    session_absolute_hours: int = limited(24, 1, 720)
    metrics_token_file: Path | None = None
    """Who may read /metrics from another machine; without it only this machine may."""
    max_body_bytes: int = limited(65_536, 1_024, 1_048_576)
    max_streams: int = limited(1_000, 1, 100_000)
    seats_see: str = one_of("hotline", "hotline", "own")
    """Which tickets a seat may read: all of the hotline's, or those of calls that rang at it."""


@dataclass(frozen=True, slots=True)
class Metrics:
    """Where the figures can be had but at /metrics on the web's port; ``web.metrics_token_file`` says by whom."""

    host: str = "127.0.0.1"
    port: int = limited(0, 0, 65535)
    """A port of their own; then the web's has them no more. 0: none."""
    push_url: str = ""
    """A Pushgateway that they are brought to as well."""
    push_token_file: Path | None = None
    """Sent to it as a bearer token."""
    push_every_seconds: float = limited(15.0, 1, 3_600)
    push_timeout_seconds: float = limited(5.0, 0.1, 60)


@dataclass(frozen=True, slots=True)
class Hooks:
    token_file: Path | None = None
    agi_host: str = "127.0.0.1"
    agi_port: int = limited(4573, 0, 65535)
    deadline_ms: int = limited(300, 10, 5_000)
    """How long one call of a hook may take here; the dialplan itself waits 400 ms."""
    max_sessions: int = limited(200, 1, 10_000)
    max_body_bytes: int = limited(4_096, 512, 65_536)
    variable_names: tuple[str, ...] = ("*",)
    """Which variables the hook ``variable`` may put on a ticket: names, "*" stands for any characters."""
    max_value_chars: int = limited(200, 1, 1_000)


@dataclass(frozen=True, slots=True)
class Store:
    url: str = "sqlite:///callcenter.db"
    password_file: Path | None = None
    synchronous: str = one_of("FULL", "FULL", "NORMAL")
    log_keep_hours: float = limited(24.0, 0.1, 720)


@dataclass(frozen=True, slots=True)
class Speech:
    """Hearing the recordings; needs the extra ``speech``."""

    enabled: bool = False
    model: Path | None = None
    """The folder of a model, for vosk or sherpa-onnx; ``callcenter models install`` makes one."""
    workers: int = limited(1, 1, 64)
    """Processes that listen; never more than the machine's cores less one."""
    memory_mb: int = limited(4_096, 128, 65_536)
    """Of each worker."""
    silent_seconds: float = limited(60.0, 1, 3_600)
    """A worker that says nothing for so long is stopped, and the recording tried again."""
    mask_from_digits: int = limited(7, 0, 30)
    """Spoken numbers of so many digits are stored without all but their last two; 0 stores them whole."""


@dataclass(frozen=True, slots=True)
class Intake:
    """How events are gathered into one commit."""

    batch_ms: int = limited(10, 0, 1_000)
    batch_events: int = limited(4_000, 1, 10_000)
    max_waiting_events: int = limited(200_000, 1_000, 10_000_000)


@dataclass(frozen=True, slots=True)
class Step:
    """One step of the ladder of A1: at the ``start`` or the ``end`` of ring ``ring``, ``do`` widen or announce."""

    ring: int = limited(2, 1, 20)
    at: str = one_of("start", "start", "end")
    do: str = one_of("widen", "widen", "announce")

    def after_seconds(self, cadence: Cadence) -> float:
        """Seconds from the caller's first ring. The end of a ring is where the next one would begin."""
        return cadence.starts_after(self.ring if self.at == "start" else self.ring + 1)


DEFAULT_LADDER = (Step(2, "start", "widen"), Step(3, "end", "announce"))


@dataclass(frozen=True, slots=True)
class Queue:
    title: str = ""
    company: str = ""
    language: str = one_of("", "", "zh", "en")
    rings: int = limited(3, 1, 20)
    """A1: rings within which a seat answers."""
    ladder: tuple[Step, ...] = DEFAULT_LADDER
    wrapup_seconds: int = limited(60, 0, 3_600)
    priority: int = limited(0, 0, 20)
    """Told to the dialplan at arrival; Asterisk's QUEUE_PRIO, a higher one is served first."""
    script: Path | None = None
    """The phrase script that its calls are judged by (TOML or YAML, docs/phrases.md); the shipped one without."""
    keep_recordings_days: int = limited(0, 0, 36_500)
    """So long after a call its recording and transcript are erased; 0 keeps them for ever."""
    live: bool = False
    """Whether its calls are listened to while they run (needs ``[live] model``)."""
    service_level_seconds: float = limited(0.0, 0, 3_600)
    """The threshold of its service level; 0: the site's."""
    service_class: str = one_of("standard", "standard", "advanced", "vip")
    """The class of service it is for (D1)."""


@dataclass(frozen=True, slots=True)
class Live:
    """Words of running calls on the seat's window. Off without a model; a queue says ``live = true`` for its calls."""

    model: Path | None = None
    """Folder of a Vosk model for 8 kHz."""
    host: str = "127.0.0.1"
    """Where Asterisk brings the sound to; both listened on and told to Asterisk."""
    port: int = limited(0, 0, 65535)
    calls: int = limited(4, 1, 200)
    """Calls that are listened to at once; further ones are not, and their windows say so."""
    threads: int = limited(0, 0, 64)
    """0: one less than the machine has cores."""
    memory_mb: int = limited(4_096, 128, 262_144)
    not_seats: tuple[str, ...] = ()
    """Extensions that are never listened to."""
    tell_supervisors: bool = False
    """Whether a forbidden phrase is shown to supervisors at once."""


@dataclass(frozen=True, slots=True)
class Rings:
    """The cadence by country, or by its own two figures."""

    country: str = one_of("cn", *sorted(BY_COUNTRY))
    on_seconds: float = limited(0.0, 0, 10)
    off_seconds: float = limited(0.0, 0, 30)

    @property
    def cadence(self) -> Cadence:
        own = Cadence(self.on_seconds, self.off_seconds)
        return own if own.period_seconds > 0 else BY_COUNTRY[self.country]


@dataclass(frozen=True, slots=True)
class ServiceLevel:
    """How the service level is counted: the share of calls answered within ``seconds``."""

    seconds: float = limited(15.0, 0.1, 3_600)
    """The threshold; 15 s is where three rings of cadence cn end (A1)."""
    short_abandon_seconds: float = limited(5.0, 0, 60)
    """Given up within this, nobody could have lifted: shown apart."""
    variant: str = one_of("abandons_bad", *Variant)
    """How the contract counts who gave up; named on every screen."""


@dataclass(frozen=True, slots=True)
class Settings:
    site: Site = field(default_factory=Site)
    asterisk: Asterisk = field(default_factory=Asterisk)
    web: Web = field(default_factory=Web)
    metrics: Metrics = field(default_factory=Metrics)
    hooks: Hooks = field(default_factory=Hooks)
    store: Store = field(default_factory=Store)
    intake: Intake = field(default_factory=Intake)
    speech: Speech = field(default_factory=Speech)
    rings: Rings = field(default_factory=Rings)
    live: Live = field(default_factory=Live)
    service_level: ServiceLevel = field(default_factory=ServiceLevel)
    queue_defaults: Queue = field(default_factory=Queue)
    queues: Mapping[str, Queue] = field(default_factory=lambda: MappingProxyType({}))
    greetings: tuple[Greeting, ...] = ()
    """Which greeting is played (A2): the first that matches; the standard one if none does."""
    routes: tuple[Route, ...] = ()
    """Which queue a call goes to: the first that matches; the one the dialplan named if none does."""

    def queue(self, name: str | None) -> Queue:
        """The rules of a queue; those of ``[queue_defaults]`` for one that is not configured."""
        return self.queues.get(name or "", self.queue_defaults)

    @property
    def targets(self) -> Targets:
        """What the service level of each queue is counted by."""
        return Targets(self._target(self.queue_defaults), {name: self._target(q) for name, q in self.queues.items()})

    def _target(self, queue: Queue) -> Target:
        level = self.service_level
        seconds = queue.service_level_seconds or level.seconds
        return Target(seconds, level.short_abandon_seconds, queue.service_class)


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
            raise SettingsError([f"{path}: is not valid TOML in UTF-8: {error}."]) from None
    _merge_environment(table, environment, problems)
    base = path.parent if path is not None else Path()
    settings: Settings = Reader(problems, base).build(Settings, table, "")
    _check_together(settings, problems)
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


def _check_together(settings: Settings, problems: list[str]) -> None:
    asterisk = settings.asterisk
    try:
        ZoneInfo(settings.site.timezone)
    except (KeyError, ValueError, OSError):
        problems.append(
            f"site.timezone: {settings.site.timezone!r} is no time zone; use a name such as 'Asia/Shanghai'."
        )
    if not re.fullmatch(r"[\w.-]{1,64}", asterisk.name):
        problems.append("asterisk.name: use 1 to 64 letters, digits, '_', '-' and '.'.")
    if asterisk.reconnect_min_seconds > asterisk.reconnect_max_seconds:
        problems.append("asterisk.reconnect_min_seconds: is above reconnect_max_seconds; make it smaller.")
    if not re.match(r"sqlite(\+\w+)?:///.|postgresql(\+\w+)?://.", settings.store.url):
        problems.append("store.url: must begin with sqlite:/// (four slashes for an absolute path) or postgresql://.")
    problems += _addresses(settings)
    if settings.speech.enabled and (settings.speech.model is None or asterisk.recordings_dir is None):
        problems.append("speech.enabled: needs speech.model and asterisk.recordings_dir; set both, or set it to false.")
    listened = any(queue.live for queue in (settings.queue_defaults, *settings.queues.values()))
    if listened and settings.live.model is None:
        problems.append("live.model: a queue has live = true, but there is no model; name the folder of a Vosk model.")
    rings = settings.rings
    if (rings.on_seconds > 0) != (rings.off_seconds > 0):
        problems.append("rings: on_seconds and off_seconds belong together; set both or neither.")
    problems += _service_levels(settings)
    for key, choices in (("greetings", settings.greetings), ("routes", settings.routes)):
        for number, choice in enumerate(choices, 1):
            problems += choice.problems(f"{key}[{number}]")
    for name, queue in (("queue_defaults", settings.queue_defaults), *_named(settings.queues)):
        moments = [step.after_seconds(rings.cadence) for step in queue.ladder]
        if moments != sorted(moments):
            problems.append(f"{name}.ladder: the steps are not in the order of their rings; sort them.")


def _service_levels(settings: Settings) -> Iterator[str]:
    level, targets = settings.service_level, settings.targets
    if level.short_abandon_seconds > min(target.seconds for target in (targets.default, *targets.queues.values())):
        yield "service_level.short_abandon_seconds: is above a queue's threshold; make it smaller."
    if len(targets.bounds) > MAX_WAIT_BOUNDS:
        yield f"queues: more than {MAX_WAIT_BOUNDS - 1} different service_level_seconds; use fewer."


def _addresses(settings: Settings) -> Iterator[str]:
    """Problems of what is connected to, listened on and believed."""
    asterisk, web, hooks = settings.asterisk, settings.web, settings.hooks
    hosts = {"asterisk.host": asterisk.host, "web.host": web.host, "hooks.agi_host": hooks.agi_host}
    hosts |= {"live.host": settings.live.host, "metrics.host": settings.metrics.host}
    for key, host in hosts.items():
        if not _is_host(host):
            yield f"{key}: {host[:80]!r} is no host; name an address or a host, such as '127.0.0.1'."
    push_url = settings.metrics.push_url
    if push_url and not re.fullmatch(r"https?://[^\s@?#]+", push_url):
        yield "metrics.push_url: must be http://HOST:PORT or https://..., without a password; see push_token_file."
    for proxy in web.proxies:
        if not _is_address(proxy):
            yield f"web.proxies: {proxy!r} is no IP address; name the proxy's, such as '127.0.0.1'."


def _is_host(text: str) -> bool:
    """Also false for nothing, which would listen on every interface."""
    try:
        return bool(text.encode("idna")) and " " not in text
    except UnicodeError:
        return False


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True


def _named(queues: Mapping[str, Queue]) -> list[tuple[str, Queue]]:
    return [(f"queues.{name}", queue) for name, queue in queues.items()]
