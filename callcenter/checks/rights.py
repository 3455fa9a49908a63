"""Has the AMI account the rights it needs, and none that it must not have? Pure.

Write classes come from ``ami/rights``. Read classes: every event names its classes in ``Privilege``; what never arrived
cannot be judged, and is said so.
"""

from collections.abc import Mapping, Set

from callcenter.ami.rights import READ, WRITE, Commands, excess, excess_classes, missing_classes
from callcenter.checks.finding import Finding, bad, ok, warn

LINE = "'read = call,agent,user,reporting' and 'write = originate,agent,call,reporting'"
REMEDY = f"In manager.conf give the account {LINE}, as in dialplans/manager-callcenter.conf; then 'manager reload'."
_MODULES = {"QueueStatus": "app_queue", "MixMonitorMute": "app_mixmonitor", "BlindTransfer": "the AMI core"}


def judge_write(known: Commands) -> list[Finding]:
    """Needed classes there, others absent, needed modules loaded."""
    findings = []
    missing = missing_classes(known)
    if missing:
        findings.append(bad(f"The account lacks the write class {', '.join(sorted(missing))}.", REMEDY))
    if beyond := excess(known):
        held, examples = _list(excess_classes(known)), ", ".join(sorted(beyond)[:3])
        findings.append(bad(f"The account may do too much: write class {held} (allows {examples}).", REMEDY))
    if not findings:
        findings.append(ok(f"The account's write classes are {', '.join(WRITE)} and no other."))
    for action, module in _MODULES.items():
        if action not in known and not (action == "MixMonitorMute" and "call" in missing):
            findings.append(
                bad(f"{module} is not loaded: the action {action} is missing.", f"Load {module}.so (modules.conf).")
            )
    return findings


def judge_forbidden(refused: bool) -> Finding:
    """The answer to asking for a console command."""
    if refused:
        return ok("A console command is refused, as it must be.")
    return bad("A console command was carried out: whoever steals the secret owns the machine.", REMEDY)


def judge_read(classes: Set[str], provoked: bool = True) -> list[Finding]:
    """``classes``: every class that stood in the ``Privilege`` of an event that came; ``provoked``: whether Asterisk
    agreed to make one of the class call."""
    findings = []
    extra = classes - set(READ) - {"all", "originate"}
    if "dialplan" in extra:
        what = "The account reads the class dialplan: a caller's text with a line end in it can forge whole events."
        findings.append(bad(what, REMEDY))
    if others := extra - {"dialplan"}:
        findings.append(warn(f"The account reads classes that nobody uses: {_list(others)}.", REMEDY))
    seen = [cls for cls in READ if cls in classes]
    unseen = [cls for cls in READ if cls not in classes]
    if provoked and "call" not in classes:
        findings.append(bad("No event of the class call arrives.", REMEDY + " An eventfilter may also hold them back."))
    elif unseen:
        what = f"Read classes seen: {_list(seen) or 'none'}; not seen, for nothing happened: {_list(unseen)}."
        findings.append(ok(what + " A call during the check shows them."))
    else:
        findings.append(ok("Every read class that is needed was seen."))
    return findings


def judge_filters(names: Mapping[str, int], wanted: Set[str]) -> Finding:
    """``names``: events that came during the check, with how often."""
    unwanted = sorted(set(names) - wanted)
    if unwanted:
        what = f"Events that nobody uses leave Asterisk: {', '.join(unwanted[:6])}."
        remedy = (
            "Put the eventfilter lines of dialplans/manager-callcenter.conf into the account; 16 and 18 ignore the "
        )
        return warn(what, remedy + "form eventfilter(name(X)) and need 'eventfilter = Event: X'.")
    return ok(f"No unwanted event arrived ({sum(names.values())} events seen).")


def judge_timestamps(stamped: bool | None, refusal: str = "") -> Finding:
    """``stamped``: whether the provoked event bore a time, ``None`` if none came; ``refusal``: why none could."""
    if refusal:
        what = f"No event could be provoked ({refusal}), so nothing can be said of the events' times."
        return bad(what, "Give the write class originate, and load the dialplan (context cc-click); then check again.")
    if stamped is None:
        what = (
            "The event that the check provoked (OriginateResponse) did not arrive, so nothing can be said of its time."
        )
        return bad(what, "Give the read class call, and let OriginateResponse pass the eventfilter.")
    if not stamped:
        remedy = "Set 'timestampevents = yes' in [general] of manager.conf, then 'manager reload'."
        return bad("Events bear no time: ring and wait times would be those of their arrival here.", remedy)
    return ok("Events bear Asterisk's own time.")


def _list(classes: Set[str] | list[str]) -> str:
    return ", ".join(sorted(classes) if isinstance(classes, (set, frozenset)) else classes)
