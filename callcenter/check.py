"""``callcenter check``: look at a real Asterisk and say what to change, and where.

Place on the path: beside it. Logs in as the daemon does, asks, provokes one event, watches for a moment, logs off;
``callcenter/checks`` judges what was found.

Promises: every finding that is not ``ok`` names its remedy; what could not be learned is said, not guessed; no call is
made and no phone rings. It leaves one trace in Asterisk: the global variable CALLCENTER_CHECK.
Never: raises for what it finds, or shows a caller's data.
"""

import asyncio
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from callcenter.ami.actions import CONTEXTS, Action
from callcenter.ami.codec import Decoder, Message
from callcenter.ami.login import Lost, Refused, log_in, tls_context
from callcenter.ami.parse import WANTED
from callcenter.ami.queries import (
    HAS_CURL,
    HOOK_CONTEXTS,
    UTC_OFFSET,
    CoreSettings,
    DeviceStateList,
    GetGlobal,
    ListCommands,
    Logoff,
    Ping,
    ProbeEvent,
    ProbeForbidden,
    ProbeVariable,
    QueueStatus,
    ShowDialPlan,
)
from callcenter.ami.rights import commands
from callcenter.ami.wire import Response, Wire
from callcenter.checks import rights, site
from callcenter.checks.alone import judge_alone, judge_names
from callcenter.checks.files import judge_files
from callcenter.checks.finding import Finding, bad, report, warn
from callcenter.checks.hooks import HookFacts, judge_hooks
from callcenter.checks.secrets import lacking
from callcenter.clock import Clock
from callcenter.day_files import days_in
from callcenter.errors import ActionRefused, ActionUnknown, NotConnected
from callcenter.settings import Asterisk, SecretError, Settings, SettingsError, read_secret
from callcenter.settings.addresses import is_loopback

__all__ = ["Finding", "check_alone", "report", "run_checks"]

EVENT_WITHIN_SECONDS = 3.0


def check_alone(settings: Settings) -> list[Finding]:
    """What can be said without an Asterisk; nothing where all is well."""
    return [*judge_alone(settings), *judge_names(settings)]


async def run_checks(settings: Settings, *, watch_seconds: float = 2.0, clock: Clock | None = None) -> list[Finding]:
    """All findings. ``watch_seconds``: how long to look at the events that arrive by themselves."""
    findings = site.judge_transport(settings.asterisk)
    clock = clock or Clock()
    probe = _Probe(settings.asterisk, clock)
    try:
        findings += await _look(probe, settings, watch_seconds)
    except Refused as refusal:
        findings += [bad(refusal.reason, refusal.remedy), *judge_names(settings)]
    except (Lost, NotConnected, ActionUnknown) as error:
        a = settings.asterisk
        remedy = f"Check that Asterisk runs and that AMI listens on {a.host}:{a.port} (manager.conf, firewall)."
        findings += [bad(f"Asterisk: {error}", remedy), *judge_names(settings)]
    finally:
        probe.close()
    today = datetime.fromtimestamp(clock.wall(), ZoneInfo(settings.site.timezone)).date()
    files = judge_files(settings.asterisk)
    # A secret that kept us from logging in is said once.
    return list(dict.fromkeys([*findings, *judge_alone(settings), *files, *site.judge_days(days_in(settings), today)]))


async def _look(probe: "_Probe", settings: Settings, watch_seconds: float) -> list[Finding]:
    await probe.open()
    findings = rights.judge_write(commands((await probe.ask(ListCommands())).message))
    findings.append(rights.judge_forbidden(await probe.try_ask(ProbeForbidden()) is None))
    core = await probe.try_ask(CoreSettings())
    findings += site.judge_core(core.message) + site.judge_live(settings, core.message) if core else []
    findings.append(site.judge_clock(await probe.clock_offset()))
    findings.append(site.judge_dialplan([c for c in CONTEXTS if await probe.try_ask(ShowDialPlan(c)) is None]))
    findings.append(site.judge_rings(await probe.variable("CC_RING_SECONDS"), settings))
    findings.append(judge_hooks(await _hooks(probe, settings.asterisk), settings, _hooks_token(settings)))
    findings += _judge_zone(await probe.variable(UTC_OFFSET), settings)
    queues = await probe.try_ask(QueueStatus())
    findings += site.judge_queues(queues.items, settings) if queues else []
    findings += judge_names(settings, {item.get("Queue", "") for item in queues.items} if queues else set())
    devices = await probe.try_ask(DeviceStateList())
    known = {item.get("Device", "") for item in devices.items} if devices else set()
    findings += site.judge_trunks(settings.asterisk.trunks, known)
    stamped = await probe.provoke()
    await asyncio.sleep(watch_seconds)
    findings.append(rights.judge_timestamps(stamped, probe.refusal))
    findings += rights.judge_read(probe.classes, not probe.refusal)
    findings.append(rights.judge_filters(probe.names, WANTED.keys()))
    if probe.wire.decoder.counts["hostile"]:
        findings.append(warn("Forged or malformed events arrived during the check.", rights.REMEDY))
    await probe.try_ask(Logoff())
    return findings


async def _hooks(probe: "_Probe", asterisk: Asterisk) -> HookFacts:
    shown = {context: await probe.try_ask(ShowDialPlan(context)) for context in sorted(HOOK_CONTEXTS)}
    ask = shown["cc-hook-ask"]
    agi = ask is not None and any(item.get("Application") == "AGI" for item in ask.items)
    curl = await probe.variable(HAS_CURL)
    private = asterisk.tls or is_loopback(asterisk.host)
    return HookFacts(
        {context for context, answer in shown.items() if answer is not None},
        agi,
        await probe.variable("CC_HOOKS_AGI" if agi else "CC_HOOKS_URL"),
        {"0": False, "1": True}.get(curl),
        await probe.variable("CC_HOOKS_TOKEN") if private else None,
    )


def _hooks_token(settings: Settings) -> str | None:
    try:
        return read_secret(settings.hooks.token_file, "hooks.token_file")
    except SettingsError:
        return None


def _judge_zone(asterisk_offset: str, settings: Settings) -> list[Finding]:
    zone = settings.site.timezone
    ours = datetime.now(UTC).astimezone(ZoneInfo(zone)).strftime("%z")
    return site.judge_zone(asterisk_offset, ours, zone)


class _Probe:
    """One connection of the daemon's account that keeps note of which events came."""

    def __init__(self, settings: Asterisk, clock: Clock) -> None:
        self._settings = settings
        self._clock = clock
        self._connection: Wire | None = None
        self._banner: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self._originated: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self.names: Counter[str] = Counter()
        self.classes: set[str] = set()
        self.refusal = ""

    @property
    def wire(self) -> Wire:
        assert self._connection is not None
        return self._connection

    async def open(self) -> None:
        s = self._settings
        try:
            secret = read_secret(s.secret_file, "asterisk.secret_file")
        except SecretError as error:
            finding = lacking("asterisk.secret_file", s.secret_file, error)
            raise Refused(finding.what, finding.remedy) from None
        tls = tls_context(s)
        self._connection = Wire(s.host, s.port, tls, Decoder(None, s.max_message_bytes), self._received)
        await log_in(self._connection, self._banner, s, secret)

    def close(self) -> None:
        if self._connection is not None:
            self._connection.drop("the check is over")

    async def ask(self, action: Action) -> Response:
        return await self.wire.ask(action, self._settings.answer_within_seconds)

    async def try_ask(self, action: Action) -> Response | None:
        """``None`` where Asterisk refuses."""
        try:
            return await self.ask(action)
        except ActionRefused:
            return None

    async def variable(self, name: str) -> str:
        answer = await self.try_ask(GetGlobal(name))
        value = answer.message.get("Value", "").strip() if answer else ""
        return "" if value == "(null)" else value

    async def clock_offset(self) -> float | None:
        sent = self._clock.wall()
        pong = (await self.ask(Ping())).message
        try:
            return float(pong.get("Timestamp", "")) - (sent + self._clock.wall()) / 2
        except ValueError:
            return None

    async def provoke(self) -> bool | None:
        """Whether the provoked event bore a time; ``None`` if none came."""
        await self.try_ask(ProbeVariable())
        try:
            await self.ask(ProbeEvent())
        except ActionRefused as refusal:
            self.refusal = refusal.reason
            return None
        done, _ = await asyncio.wait({self._originated}, timeout=EVENT_WITHIN_SECONDS)
        return self._originated.result() if done else None

    def _received(self, messages: Sequence[Message]) -> None:
        for message in messages:
            if "Banner" in message and not self._banner.done():
                self._banner.set_result(message["Banner"])
            name = message.get("Event")
            if name is None:
                continue
            # Asterisk writes FullyBooted to a new session itself, past all filters.
            self.names[name] += name != "FullyBooted"
            self.classes |= set(message.get("Privilege", "").split(",")) - {""}
            if name == "OriginateResponse" and not self._originated.done():
                self._originated.set_result("Timestamp" in message)
