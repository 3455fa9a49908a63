"""Does Asterisk's configuration fit ours: version, clock, zone, rings, dialplan, queues, lines? Pure."""

from collections.abc import Iterable, Sequence, Set
from datetime import date

from callcenter.ami import version
from callcenter.ami.codec import Message
from callcenter.checks.finding import Finding, bad, ok, warn
from callcenter.days import REMEDY, Days
from callcenter.settings import Asterisk, Settings
from callcenter.settings.addresses import is_loopback

AUDIOSOCKET_SINCE = (18, 0, 0)
"""The first release with chan_audiosocket; docs/speech-live.md."""
MAX_CLOCK_OFFSET_SECONDS = 2.0
DEFAULT_RING_SECONDS = 14.0
"""What the dialplan takes where CC_RING_SECONDS is not set (extensions-callcenter.conf, cc-defaults)."""


def judge_core(settings: Message) -> list[Finding]:
    """The answer to ``CoreSettings``."""
    running = settings.get("AsteriskVersion", "")
    warning = version.warning(running)
    findings = [warn(warning, "Upgrade Asterisk.") if warning else ok(f"Asterisk {running}.")]
    if version.loses_sound(running):
        what = (
            f"Asterisk {running} is built from Debian's package: in about half of the calls, after a greeting or "
            "transfer, the seat's words are missing from the recording and live transcription, for up to 11 minutes."
        )
        remedy = (
            "Rebuild the package without debian/patches/2016_opus_plc.patch, as docker/build-asterisk.sh does, or use "
            "Asterisk built from its own sources (asterisk.org)."
        )
        findings.append(warn(what, remedy))
    if settings.get("SystemName"):
        findings.append(ok(f"systemname is {settings['SystemName']}."))
    else:
        what = "systemname is not set: unique ids of calls may repeat after a change of the clock or on another server."
        findings.append(warn(what, "Set 'systemname = pbx' in [options] of asterisk.conf and restart Asterisk."))
    if settings.get("CoreCDRenabled", "Yes") != "Yes":
        what = "Call records are switched off: calls made while the daemon is down get no ticket (C1)."
        findings.append(bad(what, "Set 'enable = yes' in [general] of cdr.conf, then 'module reload cdr'."))
    return findings


def judge_live(settings: Settings, core: Message) -> list[Finding]:
    """Whether this Asterisk can bring the sound of running calls to where it is listened to."""
    running = version.parse(core.get("AsteriskVersion", ""))
    heard = any(queue.live for queue in (settings.queue_defaults, *settings.queues.values()))
    if not heard or running is None or running >= AUDIOSOCKET_SINCE:
        return []
    what = (
        f"Asterisk {'.'.join(map(str, running))} has no AudioSocket channels: calls of queues with live = true are not "
        "listened to, no words stand on the seat's window, and no forbidden phrase is told while the call runs."
    )
    remedy = "Upgrade to Asterisk 18 or newer, or set live = false; recordings are transcribed all the same."
    return [warn(what, remedy)]


def judge_days(days: Days, today: date) -> list[Finding]:
    """How far holidays and workdays are known; nothing where no calendar is asked."""
    end = days.known_until()
    if end is None:
        return []
    ends = days.warning(today)
    return [warn(ends, REMEDY) if ends else ok(f"Holidays and workdays are known until {end.isoformat()}.")]


def judge_transport(asterisk: Asterisk) -> list[Finding]:
    """A log-in without TLS shows the secret to the network."""
    if asterisk.tls or is_loopback(asterisk.host):
        return []
    remedy = "Set asterisk.tls = true and asterisk.ca_file here, tlsenable = yes with a certificate in manager.conf."
    return [warn("The link to Asterisk crosses the network without TLS.", remedy)]


def judge_clock(offset_seconds: float | None) -> Finding:
    if offset_seconds is None:
        return warn("Asterisk's clock cannot be read: its pong bears no time.", "Nothing to change; note the version.")
    if abs(offset_seconds) > MAX_CLOCK_OFFSET_SECONDS:
        what = f"Asterisk's clock is {offset_seconds:+.1f} s from ours."
        return warn(what, "Let NTP keep both machines (chrony or systemd-timesyncd).")
    return ok(f"Asterisk's clock is {round(offset_seconds * 1000):+d} ms from ours.")


def judge_zone(asterisk_offset: str, our_offset: str, zone: str) -> list[Finding]:
    """Offsets from UTC as ``+0800``; an empty one of Asterisk's cannot be judged."""
    if not asterisk_offset or asterisk_offset == our_offset:
        return []
    what = f"Asterisk lives at UTC{asterisk_offset}, site.timezone {zone} at UTC{our_offset}: greetings by hour differ."
    return [warn(what, "Set the time zone of Asterisk's machine, or site.timezone.")]


def judge_rings(ring_seconds: str, settings: Settings) -> Finding:
    """``ring_seconds``: the dialplan's CC_RING_SECONDS, empty where it is not set. The dialplan keeps A1 when the
    daemon is down, so both must mean the same moment."""
    try:
        theirs = float(ring_seconds) if ring_seconds else DEFAULT_RING_SECONDS
    except ValueError:
        return bad(
            "CC_RING_SECONDS is no number.", "Correct it in [globals] of extensions.conf; then 'dialplan reload'."
        )
    rings = settings.queue_defaults.rings
    ours = settings.rings.cadence.starts_after(rings + 1)
    last_tone_ends = ours - settings.rings.cadence.off_seconds
    if not last_tone_ends <= theirs <= ours:
        what = f"The dialplan lets phones ring {theirs:g} s, but {rings} rings of our cadence last {ours:g} s (A1)."
        return warn(what, f"Set CC_RING_SECONDS={ours - 1:g} in [globals] of extensions.conf, or correct [rings] here.")
    return ok(f"{rings} rings last {ours:g} s; the dialplan alone stops after {theirs:g} s, before the next one (A1).")


def judge_dialplan(missing: Sequence[str]) -> Finding:
    """``missing``: contexts of ours that Asterisk does not have."""
    if missing:
        what = f"The dialplan is not loaded: no {', '.join(sorted(missing))}."
        remedy = "Add '#include \"callcenter/extensions-callcenter.conf\"' to extensions.conf, then 'dialplan reload'."
        return bad(what, remedy)
    return ok("The dialplan of this project is loaded.")


def judge_queues(items: Iterable[Message], settings: Settings) -> list[Finding]:
    """The items of ``QueueStatus`` against the configured queues."""
    items = list(items)
    names = {item["Queue"] for item in items if item.get("Event") == "QueueParams" and "Queue" in item}
    findings = []
    for name in sorted(set(settings.queues) - names):
        remedy = f"Add [{name}] to queues.conf and 'queue reload all', or remove [queues.{name}] here."
        findings.append(bad(f"The configured queue {name} does not exist in Asterisk.", remedy))
    if not names:
        remedy = "Include dialplans/queues-callcenter.conf in queues.conf, then 'queue reload all'."
        findings.append(warn("Asterisk has no queue.", remedy))
    members = [item for item in items if item.get("Event") == "QueueMember"]
    for name in sorted(names - {item.get("Queue") for item in members}):
        findings.append(warn(f"The queue {name} has no member.", "Add 'member =>' lines to queues.conf."))
    findings += [finding for member in members if (finding := _judge_member(member))]
    if names and not findings:
        findings.append(ok(f"{len(names)} queue(s) with {len(members)} member(s), all phones known."))
    return findings


def _judge_member(member: Message) -> Finding | None:
    interface, state = member.get("Location", ""), member.get("StateInterface", "")
    name = f"Member {interface} of queue {member.get('Queue', '')}"
    if interface.startswith("Local/") and state in ("", interface):
        remedy = "Write the phone as the fourth value: member => Local/1001@cc-seat/n,0,1001,PJSIP/1001"
        return bad(f"{name} has no state interface: Asterisk cannot know whether the phone is busy.", remedy)
    if member.get("Status") == "4":
        maker = "hint in the dialplan" if state.startswith("hint:") else "endpoint in pjsip.conf"
        remedy = f"Create the {maker}, or correct the member in queues.conf ({state})."
        return bad(f"{name}: the phone {state} does not exist.", remedy)
    if member.get("Status") == "5":
        return warn(
            f"{name}: the phone {state} is not reachable.",
            "Switch it on; check its registration ('pjsip show endpoints').",
        )
    return None


def judge_trunks(trunks: Sequence[str], devices: Set[str]) -> list[Finding]:
    """``devices``: names from ``DeviceStateList``. A line that is not known would be taken for a seat."""
    known = {device.split("/", 1)[-1] for device in devices}
    missing = [trunk for trunk in trunks if trunk not in known]
    if not missing:
        return [ok(f"The lines {', '.join(trunks)} are known to Asterisk.")] if trunks else []
    remedy = "Set asterisk.trunks to the endpoint names of the lines in pjsip.conf."
    return [warn(f"Asterisk knows no line {', '.join(missing)} (asterisk.trunks).", remedy)]
