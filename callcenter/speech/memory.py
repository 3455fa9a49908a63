"""Whether the machine gives daemon and workers the memory that the settings allow them.

Place on the path of a call: at the start of the daemon, in its own control group, once.
Promises: a sentence that names both figures and what to change; nothing where no limit is set or none can be read.
Never: stops the start: calls come before transcripts.
"""

from pathlib import Path

from callcenter.settings import Settings
from callcenter.speech.workers import at_most

DAEMON_MB = 1024
"""What the daemon itself may need on a busy day, with room."""
_MEGABYTE = 1024 * 1024


def limit_mb(process: Path = Path("/proc/self/cgroup"), groups: Path = Path("/sys/fs/cgroup")) -> int | None:
    """The lowest limit of this process's control group and those above it (cgroup v2); ``None`` without any."""
    try:
        lines = process.read_text().splitlines()
    except OSError:
        return None
    own = next((line[3:] for line in lines if line.startswith("0::/")), None)
    if own is None:
        return None
    group = groups / own.lstrip("/")
    limits = [_limit(one) for one in (group, *group.parents) if one == groups or groups in one.parents]
    return min((one for one in limits if one is not None), default=None)


def _limit(group: Path) -> int | None:
    try:
        return int((group / "memory.max").read_text()) // _MEGABYTE
    except (OSError, ValueError):  # the root has none; "max" is none
        return None


def needed_mb(settings: Settings) -> int:
    """What daemon, workers and live listening may take together."""
    workers = at_most(settings.speech.workers) * settings.speech.memory_mb if settings.speech.enabled else 0
    return DAEMON_MB + workers + (settings.live.memory_mb if settings.live.model is not None else 0)


def shortage(settings: Settings, limit: int | None) -> str | None:
    """What is wrong with a limit of so many megabytes, one sentence; ``None`` if it will do."""
    needed = needed_mb(settings)
    if limit is None or needed <= limit or needed == DAEMON_MB:
        return None
    return (
        f"The service may use {limit} MB of memory, and the settings let it need {needed} MB ({DAEMON_MB} for itself, "
        "memory_mb for each of speech.workers, and live.memory_mb): raise MemoryMax= of the unit (mem_limit of the "
        "container), or lower speech.memory_mb, speech.workers or live.memory_mb."
    )
