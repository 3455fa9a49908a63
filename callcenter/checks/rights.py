"""Has the AMI account the rights it needs, and none that it must not have? Pure.

Write classes: ``ListCommands`` lists exactly the actions that the account may use, each with the classes that allow
it. Read classes: every event names its classes in ``Privilege``; what never arrived cannot be judged and is said so.
Measured on 22.10 and 16.28.
"""

import re
from collections.abc import Mapping, Set

from callcenter.ami.codec import Message
from callcenter.checks.finding import Finding, bad, ok, warn

WRITE = ("originate", "agent", "call", "reporting")
READ = ("call", "agent", "user", "cdr", "reporting")
LINE = "'read = call,agent,user,cdr,reporting' and 'write = originate,agent,call,reporting'"
REMEDY = f"In manager.conf give the account {LINE}, as in dialplans/manager-callcenter.conf; then 'manager reload'."
# An action of each class -> the class: its absence proves that the class is missing.
_NEEDS = {"Originate": "originate", "QueuePause": "agent", "Redirect": "call", "CoreShowChannels": "reporting"}
_MODULES = {"QueueStatus": "app_queue", "MixMonitorMute": "app_mixmonitor", "BlindTransfer": "the AMI core"}
_PRIVILEGES = re.compile(r"\(Priv: ([^)]*)\)\s*$")


def commands(answer: Message) -> dict[str, frozenset[str]]:
    """Action -> the classes of which one allows it (none for everybody), from the answer to ``ListCommands``."""
    found = {}
    for name, synopsis in answer.items():
        match = _PRIVILEGES.search(synopsis)
        if match:
            found[name] = frozenset(match[1].split(",")) - {"<none>", "all"}
    return found


def judge_write(known: Mapping[str, frozenset[str]]) -> list[Finding]:
    """Needed classes there, others absent, needed modules loaded."""
    findings = []
    missing = {cls for action, cls in _NEEDS.items() if action not in known and not _unloaded(action, known)}
    if missing:
        findings.append(bad(f"The account lacks the write class {', '.join(sorted(missing))}.", REMEDY))
    extra = {name: classes for name, classes in known.items() if classes and not classes & set(WRITE)}
    if extra:
        held = {cls for classes in extra.values() if len(classes) == 1 for cls in classes} or set().union(
            *extra.values()
        )
        examples = ", ".join(sorted(extra)[:3])
        findings.append(bad(f"The account may do too much: write class {_list(held)} (allows {examples}).", REMEDY))
    if not findings:
        findings.append(ok(f"The account's write classes are {', '.join(WRITE)} and no other."))
    for action, module in _MODULES.items():
        if action not in known and not (action == "MixMonitorMute" and "call" in missing):
            findings.append(
                bad(f"{module} is not loaded: the action {action} is missing.", f"Load {module}.so (modules.conf).")
            )
    return findings


def _unloaded(action: str, known: Mapping[str, frozenset[str]]) -> bool:
    return action == "QueuePause" and "QueueStatus" not in known


def judge_forbidden(refused: bool) -> Finding:
    """The answer to asking for a console command."""
    if refused:
        return ok("A console command is refused, as it must be.")
    return bad("A console command was carried out: whoever steals the secret owns the machine.", REMEDY)


def judge_read(classes: Set[str]) -> list[Finding]:
    """``classes``: every class that stood in the ``Privilege`` of an event that came."""
    findings = []
    extra = classes - set(READ) - {"all", "originate"}
    if "dialplan" in extra:
        what = "The account reads the class dialplan: a caller's text with a line end in it can forge whole events."
        findings.append(bad(what, REMEDY))
    if others := extra - {"dialplan"}:
        findings.append(warn(f"The account reads classes that nobody uses: {_list(others)}.", REMEDY))
    seen = [cls for cls in READ if cls in classes]
    unseen = [cls for cls in READ if cls not in classes]
    if "call" not in classes:
        findings.append(bad("No event of the class call arrives.", REMEDY + " An eventfilter may also hold them back."))
    elif unseen:
        what = f"Read classes seen: {_list(seen)}; not seen, for nothing happened: {_list(unseen)}."
        findings.append(ok(what + " A call during the check shows them."))
    else:
        findings.append(ok("Every read class that is needed was seen."))
    return findings


def judge_filters(names: Mapping[str, int], wanted: Set[str]) -> Finding:
    """``names``: events that came during the check, with how often."""
    unwanted = sorted(set(names) - wanted)
    if unwanted:
        what = f"Events that nobody uses leave Asterisk: {', '.join(unwanted[:6])}."
        return warn(what, "Put the eventfilter lines of dialplans/manager-callcenter.conf into the account.")
    return ok(f"No unwanted event arrived ({sum(names.values())} events seen).")


def judge_timestamps(stamped: bool | None) -> Finding:
    """``stamped``: whether the provoked event bore a time, ``None`` if none came."""
    if stamped is None:
        what = (
            "The event that the check provoked (OriginateResponse) did not arrive, so nothing can be said of its time."
        )
        return bad(what, "See the other findings: read class call, eventfilter, and the context cc-click.")
    if not stamped:
        remedy = "Set 'timestampevents = yes' in [general] of manager.conf and restart Asterisk or 'manager reload'."
        return bad("Events bear no time: ring and wait times would be those of their arrival here.", remedy)
    return ok("Events bear Asterisk's own time.")


def _list(classes: Set[str] | list[str]) -> str:
    return ", ".join(sorted(classes) if isinstance(classes, (set, frozenset)) else classes)
