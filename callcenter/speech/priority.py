"""How a process that hears in the background gives way to everything else, and for how long a silent one had the CPU.

Place on the path of a call: after its end; ``worker`` gives way as it starts, ``workers`` looks at one that is silent.
Promises: gives way as far as the kernel lets it and never fails for that; a process that waits for the CPU is not taken
for one that hangs; one that is stopped, sleeps for ever or runs in circles is.
Never: raises a priority, or touches another process.

Where calls have work, the class ``SCHED_IDLE`` gets about 0.3 % of a core, is preempted at once, and reads from disks
that know priorities after everybody else (the kernel takes the disk's class from it). Where it is refused, nice 19 gets
1.5 % and is preempted at the next turn. Both count within a session only where the kernel groups processes by session
(``sched_autogroup_enabled``, the default of most distributions): there the session itself gives way, too.
"""

import contextlib
import os
import time
from pathlib import Path

LOWEST_NICE = 19
LOW_NICE = 10
PRIORITIES = ("idle", "low")
"""``idle``: what nobody else wants. ``low``: nice 10, about a tenth of a core where everybody wants it."""
_AUTOGROUP = Path("/proc/self/autogroup")
_AUTOGROUP_TRIES = 5
"""The kernel takes one such order in a tenth of a second, on the whole machine, and refuses the others."""


def give_way(priority: str) -> None:
    """Puts the calling process, which leads its session, where ``PRIORITIES`` says."""
    nice = LOW_NICE if priority == "low" else LOWEST_NICE
    with contextlib.suppress(OSError):
        os.setpriority(os.PRIO_PROCESS, 0, nice)
    _session_gives_way(nice)
    if priority != "low" and hasattr(os, "SCHED_IDLE"):
        with contextlib.suppress(OSError):
            os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))


def _session_gives_way(nice: int) -> None:
    for _ in range(_AUTOGROUP_TRIES):
        try:
            _AUTOGROUP.write_text(str(nice))
        except BlockingIOError:
            time.sleep(0.11)
        except OSError:
            return  # a kernel without such groups
        else:
            return


class OwnTime:
    """Of a silent process: how long it could have said something. Time in which it only waited for the CPU is not its
    own; without /proc all of it is."""

    def __init__(self, pid: int) -> None:
        self._pid = pid
        self._ran, _ = _look(pid)
        self._looked_at = time.monotonic()
        self.seconds = 0.0

    def look(self) -> float:
        """``seconds``, brought up to now."""
        ran, runnable = _look(self._pid)
        now = time.monotonic()
        self.seconds += ran - self._ran if runnable else now - self._looked_at
        self._ran, self._looked_at = ran, now
        return self.seconds


def _look(pid: int) -> tuple[float, bool]:
    """(seconds of CPU that a process had, whether it is running or waits for the CPU: proc_pid_stat(5))."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()
    except OSError:
        return 0.0, False
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK"), fields[0] == b"R"
