"""What the AMI account may do, by Asterisk's own word. Pure.

``ListCommands`` lists exactly the actions that the account may use, each with the classes of which one allows it.
With the classes ``system``, ``command`` or ``config`` a stolen secret runs programs on Asterisk's machine, so having
more than is needed is as much a finding as having less. Measured on 22.10 and 16.28.
"""

import re
from collections.abc import Mapping

from callcenter.ami.codec import Message

WRITE = ("originate", "agent", "call", "reporting")
READ = ("call", "agent", "user", "reporting")
# An action of each class -> the class: its absence proves that the class is missing.
_NEEDS = {"Originate": "originate", "QueuePause": "agent", "Redirect": "call", "CoreShowChannels": "reporting"}
_PRIVILEGES = re.compile(r"\(Priv: ([^)]*)\)\s*$")

Commands = Mapping[str, frozenset[str]]
"""Action -> the classes of which one allows it; none where everybody may."""


def commands(answer: Message) -> Commands:
    """From the answer to ``ListCommands``."""
    found = {}
    for name, synopsis in answer.items():
        match = _PRIVILEGES.search(synopsis)
        if match:
            found[name] = frozenset(match[1].split(",")) - {"<none>", "all"}
    return found


def missing_classes(known: Commands) -> set[str]:
    """Write classes that the account needs and has not. An action can also be missing with its module."""
    has_queues = "QueueStatus" in known
    return {cls for action, cls in _NEEDS.items() if action not in known and (has_queues or action != "QueuePause")}


def excess(known: Commands) -> dict[str, frozenset[str]]:
    """Actions that none of the needed classes allows, so some other class does."""
    return {name: classes for name, classes in known.items() if classes and not classes & set(WRITE)}


def excess_classes(known: Commands) -> set[str]:
    """The classes that the account has and must not have; where no action proves one alone, all that may be it."""
    beyond = excess(known)
    proven = {cls for classes in beyond.values() if len(classes) == 1 for cls in classes}
    return proven or {cls for classes in beyond.values() for cls in classes}


def warning(known: Commands) -> str:
    """One sentence if the account has not exactly the rights it needs; empty if it has."""
    parts = []
    if beyond := excess_classes(known):
        parts.append(f"may do too much ({', '.join(sorted(beyond))})")
    if missing := missing_classes(known):
        parts.append(f"lacks {', '.join(sorted(missing))}")
    return f"The AMI account {' and '.join(parts)}; see 'callcenter check'." if parts else ""
