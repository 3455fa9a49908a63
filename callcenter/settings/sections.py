"""What can be set, a dataclass for each table of the file, and the tree of them all.

Promises: frozen; units stand in the names; each default is what a site without the key gets.
Never: reads a file; a rule between two tables is in ``together``.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType

from callcenter.hooks.choices import Greeting, Route
from callcenter.metrics.service_levels import Target, Targets, Variant
from callcenter.rules.cadence import BY_COUNTRY, Cadence
from callcenter.settings.levels import Calendar, Callbacks, Clocks, Dispatch, Levels, Severities, Survey
from callcenter.settings.reader import limited, one_of
from callcenter.settings.webhooks import Webhook


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
    supported_users: int = limited(0, 0, 100_000_000)
    """Whom the hotline serves: two seats are needed for each thousand (A6). 0: not told."""


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
    queue_log_file: Path | None = None
    """What Queue() itself writes; compared with the calls and the call records ([books])."""
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
    """Which tickets a seat may read and write: all of the hotline's, or those of calls that rang at it."""


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
class Traces:
    """One trace for each call, brought to an OpenTelemetry collector; needs the extra ``traces``."""

    endpoint: str = ""
    """Where OTLP over HTTP is taken, such as http://127.0.0.1:4318/v1/traces; without it nothing is traced."""
    headers_file: Path | None = None
    """A secret file with a header on each line, such as ``Authorization: Bearer ...``."""
    sample_share: float = limited(1.0, 0, 1)
    """Of all calls; which ones is decided by the call, so that a trace is whole or not there."""
    timeout_seconds: float = limited(5.0, 0.1, 60)
    max_waiting_spans: int = limited(20_000, 100, 1_000_000)


@dataclass(frozen=True, slots=True)
class Log:
    """What the daemon writes to its standard error."""

    format: str = one_of("text", "text", "json")
    level: str = one_of("INFO", "DEBUG", "INFO", "WARNING", "ERROR")


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
    memory_mb: int = limited(2_048, 128, 65_536)
    """Of each worker."""
    silent_seconds: float = limited(60.0, 1, 3_600)
    """A worker that says nothing for so long, waiting for the CPU apart, is stopped, and the recording tried again."""
    priority: str = one_of("idle", "idle", "low")
    """What the workers get of the CPU: what nobody else wants, or (nice 10) about a tenth where everybody wants it."""
    mask_from_digits: int = limited(7, 0, 30)
    """Spoken numbers of so many digits are stored without all but their last two; 0 stores them whole."""


@dataclass(frozen=True, slots=True)
class Recordings:
    """A store that the recordings of ended calls are copied to; needs the extra ``s3``. Off without ``store_url``."""

    store_url: str = ""
    """``s3://BUCKET/PREFIX`` of any S3-compatible store, or ``file:///FOLDER``."""
    endpoint_url: str = ""
    """Of a store that is not Amazon's."""
    key_file: Path | None = None
    secret_file: Path | None = None
    """Without both, what the machine itself gives is used (environment, instance role)."""
    keep_local_days: int = limited(0, 0, 36_500)
    """So long after its copy a local file goes; 0 keeps it."""


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
    scorecard: Path | None = None
    """The questions that its calls are reviewed by (TOML, docs/scorecards.md); the shipped ones without."""
    keep_recordings_days: int = limited(0, 0, 36_500)
    """So long after a call its recording and transcript are erased; 0 keeps them for ever."""
    live: bool = False
    """Whether its calls are listened to while they run (needs ``[live] model``)."""
    service_level_seconds: float = limited(0.0, 0, 3_600)
    """The threshold of its service level; 0: the site's."""
    service_class: str = one_of("standard", "standard", "advanced", "vip")
    """The class of service it is for (D1)."""
    callback_minutes: float = limited(0.0, 0, 10_080)
    """D11: within how many a caller who was not spoken to is called back; 0: those of its class in [callbacks]."""


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
    memory_mb: int = limited(2_048, 128, 262_144)
    not_seats: tuple[str, ...] = ()
    """Extensions that are never listened to."""
    tell_supervisors: bool = False
    """Whether a forbidden phrase is shown to supervisors at once."""


@dataclass(frozen=True, slots=True)
class Books:
    """The comparison of our calls with Asterisk's call records and queue_log."""

    after_seconds: float = limited(180.0, 2, 3_600)
    """From a call's end to its comparison: Asterisk may write its records in batches."""
    nightly_at: str = "03:30"
    """When the whole last day is compared, by the site's clock; empty: never."""
    keep_days: int = limited(400, 1, 36_500)
    """So long the differences are kept."""


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
    target_percent: float = limited(80.0, 1, 99.9)
    """What the contract demands: seats are worked out for it (A6), and alerts are told below it, of an hour's calls."""
    three_rings_target_percent: float = limited(90.0, 0, 100)
    """Alerts are told below it: the share of answered calls within three rings (A1)."""
    abandoned_limit_percent: float = limited(10.0, 0, 100)
    """Alerts are told above it; who gave up within ``short_abandon_seconds`` is not counted."""


@dataclass(frozen=True, slots=True)
class SeatGroup:
    """A team. Reports count the calls that its seats answered together."""

    seats: tuple[str, ...] = ()
    """Extensions; each in one group at most."""


@dataclass(frozen=True, slots=True)
class Roster:
    """The duty plan (A5); without files there is none, and nothing is shown of it."""

    files: tuple[Path, ...] = ()
    """Each with the days of its own; read again when one has changed. See docs/roster.md."""
    missing_after_minutes: float = limited(10.0, 0.1, 240)
    """A seat that is late for so long is missing."""
    prepare_minutes: float = limited(10.0, 0, 120)
    """So long before its shift a seat is ready to begin."""
    keep_days: int = limited(400, 1, 36_500)
    """So long it is kept who was there when."""


WALL_USUAL = (
    *("service", "answered", "lost", "wait", "owed", "satisfaction", "said"),
    *("waiting", "tickets", "queues", "roster", "seats"),
)
"""``roster`` is not there where there is none."""
WALL_TILES = (*WALL_USUAL, "clocks")


@dataclass(frozen=True, slots=True)
class Wallboard:
    """The big screen: /wallboard."""

    title: str = ""
    """At the top; the company without one."""
    language: str = one_of("", "", "zh", "en")
    """On screens that a link opened; the site's without one."""
    tiles: tuple[str, ...] = WALL_USUAL
    """What is shown."""
    queues: tuple[str, ...] = ()
    """Whose calls are shown, in this order; all queues without any."""
    most_queues: int = limited(8, 1, 8)
    """Lines; of more queues those that need looking at have one of their own, and the others share the last."""
    seats: str = one_of("number", "number", "name")
    """What a seat is called: its work number or the person's name."""
    max_screens: int = limited(300, 1, 10_000)
    """Open wallboards and supervisors' desks at once."""


@dataclass(frozen=True, slots=True)
class Settings:
    site: Site = field(default_factory=Site)
    asterisk: Asterisk = field(default_factory=Asterisk)
    web: Web = field(default_factory=Web)
    metrics: Metrics = field(default_factory=Metrics)
    log: Log = field(default_factory=Log)
    traces: Traces = field(default_factory=Traces)
    hooks: Hooks = field(default_factory=Hooks)
    store: Store = field(default_factory=Store)
    intake: Intake = field(default_factory=Intake)
    speech: Speech = field(default_factory=Speech)
    recordings: Recordings = field(default_factory=Recordings)
    rings: Rings = field(default_factory=Rings)
    live: Live = field(default_factory=Live)
    books: Books = field(default_factory=Books)
    service_level: ServiceLevel = field(default_factory=ServiceLevel)
    callbacks: Callbacks = field(default_factory=Callbacks)
    survey: Survey = field(default_factory=Survey)
    levels: Levels = field(default_factory=Levels)
    severities: Severities = field(default_factory=Severities)
    dispatch: Dispatch = field(default_factory=Dispatch)
    calendar: Calendar = field(default_factory=Calendar)
    clocks: Clocks = field(default_factory=Clocks)
    wallboard: Wallboard = field(default_factory=Wallboard)
    roster: Roster = field(default_factory=Roster)
    queue_defaults: Queue = field(default_factory=Queue)
    queues: Mapping[str, Queue] = field(default_factory=lambda: MappingProxyType({}))
    seat_groups: Mapping[str, SeatGroup] = field(default_factory=lambda: MappingProxyType({}))
    webhooks: Mapping[str, Webhook] = field(default_factory=lambda: MappingProxyType({}))
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

    def callback_seconds(self, queue: str | None, rule: str) -> float:
        """From the end of a call to when its caller is to be called back by that rule."""
        if rule == "B5":
            return self.callbacks.cut_off_minutes * 60
        of, every = self.queue(queue), self.callbacks
        of_class = every.vip_minutes if of.service_class == "vip" else every.minutes
        return (of.callback_minutes or of_class) * 60

    def _target(self, queue: Queue) -> Target:
        level = self.service_level
        seconds = queue.service_level_seconds or level.seconds
        return Target(seconds, level.short_abandon_seconds, queue.service_class)
