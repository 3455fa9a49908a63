"""What can go wrong, in three kinds, and what each means for whoever catches it.

* ``BadInput``: somebody gave us something we refuse (a field, a file, a configuration). Its text is one sentence that
  names the cause and the remedy, and is fit to be shown.
* ``BrokenWorld``: Asterisk, the store or the network does not do its part. Report it, wait, try again where safe.
* Anything else (``AssertionError``, ``TypeError`` ...) is a broken program: it is logged, never caught to go on. Only
  ``speech/service`` goes on, with the next recording: calls must not end for one that cannot be judged.

Promises: no text here ever holds a caller's number, name or digits, nor a secret.
"""

import sys
import traceback
from pathlib import Path

MAX_PLACES = 12


class CallcenterError(Exception):
    """Base of every error that this project raises on purpose; ``str()`` of it is one clear sentence."""


class BadInput(CallcenterError, ValueError):
    """Refused input: the sentence names the field and what would be right. Also a ``ValueError``."""


class BrokenWorld(CallcenterError):
    """Something outside does not work: worth reporting and, where safe, trying again."""


class NotConnected(BrokenWorld):
    """There is no logged-in link to Asterisk, so the action was not sent: safe to try again later."""


class ActionRefused(BrokenWorld):
    """Asterisk answered the action with an error: it did not happen. ``reason`` is Asterisk's own text."""

    def __init__(self, action: str, reason: str) -> None:
        super().__init__(f"Asterisk refused {action}: {reason}")
        self.action = action
        self.reason = reason


class ActionUnknown(BrokenWorld):
    """The action was sent and no answer came (deadline, link lost): it may or may not have happened.

    Never send it again blindly; look at the next snapshot first."""

    def __init__(self, action: str, reason: str) -> None:
        super().__init__(f"The outcome of {action} is unknown: {reason}")
        self.action = action
        self.reason = reason


def extra_remedy(extra: str) -> str:
    """How an extra is added to an installation as the README makes one: with the pip of the folder that we run in, from
    the sources that it was installed from."""
    return f"Run {sys.prefix}/bin/pip install '/usr/local/src/callcenter[{extra}]' (or where the sources lie)"


def places(error: BaseException) -> list[str]:
    """Where an exception came through, the innermost last: ``pipeline.py:120 step``. No line of code, no value."""
    frames = traceback.extract_tb(error.__traceback__)[-MAX_PLACES:]
    return [f"{Path(frame.filename).name}:{frame.lineno} {frame.name}" for frame in frames]


def shown(text: str) -> str:
    """For a terminal: a character that would command it, or that nobody sees, stands as its escape."""
    return "".join(c if c.isprintable() or c in "\n\t" else ascii(c)[1:-1] for c in text)
