"""The time at the sites that tests look at: a workday's morning in Shanghai, whatever the hour at which they run.

Promises: it goes on as time does, never meets a midnight in a run, and is the same in every process that a test starts
(a server that is killed and started again goes on from where it was).
"""

import os
import time
from datetime import datetime
from zoneinfo import ZoneInfo

BEGINS = datetime(2026, 11, 26, 9, 31, tzinfo=ZoneInfo("Asia/Shanghai")).timestamp()
_AHEAD = float(os.environ.setdefault("CALLCENTER_TESTS_AHEAD_SECONDS", str(BEGINS - time.time())))
"""Set by the first process, taken by those that it starts."""


def now() -> float:
    """Epoch seconds."""
    return time.time() + _AHEAD
