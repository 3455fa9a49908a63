"""Why there is no transcript: stable codes for what the sentences say, kept on the job, counted, and shown translated.

Place on the path of a call: after its end; workers give the codes, ``service`` writes them down and counts them.
Promises: a closed set, fit for a metric's label and for translation. Never: tells anything of a person or a file.
"""

from typing import Literal, get_args

from callcenter.errors import BadInput, BrokenWorld, CallcenterError
from callcenter.riff import Reason

Code = Literal[
    Reason, "gone", "killed", "crashed", "hung", "memory", "cut_off", "read_error", "lost", "other", "model", "store",
    "folder", "store_damaged", "not_started", "fault",
]  # fmt: skip
CODES: tuple[str, ...] = get_args(Code)
"""Of ``riff``: what is wrong with a file. ``gone``: no track is there. ``killed`` to ``other``: what ended an attempt
(``lost``: with the program around the worker). ``model``, ``store``, ``folder``, ``store_damaged``: what the recording
waits for, or what its copy has become. ``not_started``: the machine has no room for a worker. ``fault``: of this
program."""

NO_ROOM = 3
"""A worker's exit code where it had no memory left even to say so."""


class NoTranscript(CallcenterError):
    """No transcript this time. ``code``: one of ``CODES``."""

    def __init__(self, text: str, code: str) -> None:
        super().__init__(text)
        self.code = code if code in CODES else "other"


class Unhearable(NoTranscript, BadInput):
    """This recording will never do."""


class AttemptFailed(NoTranscript, BrokenWorld):
    """Another attempt may do."""
