"""Runs a command as systemd would let a service run it: under the system calls of a unit, or with some refused.

python -m tests.fakes.sandbox unit FILE COMMAND...      what SystemCallFilter= leaves out kills, as it does there
python -m tests.fakes.sandbox refused CALL COMMAND...   this call alone fails, with EPERM
"""

import ctypes
import errno
import os
import subprocess
import sys
from pathlib import Path

KILL_PROCESS, ALLOW, REFUSE = 0x80000000, 0x7FFF0000, 0x00050000 | errno.EPERM
NO_NEW_PRIVILEGES = 38


def named(group: str) -> set[str]:
    """The system calls of a group (@resources), those of groups within it, too."""
    told = subprocess.run(
        ["systemd-analyze", "syscall-filter", group], capture_output=True, text=True, check=True
    ).stdout
    lines = [line.strip() for line in told.splitlines()[1:]]
    found: set[str] = set()
    for line in lines:
        if line and not line.startswith("#"):
            found |= named(line) if line.startswith("@") else {line}
    return found


def allowed(unit: Path) -> set[str]:
    """By systemd.exec(5): the first line begins a list of what is allowed; later ones add to it, or take away (~)."""
    calls = named("@default") | {"execve"}
    for line in unit.read_text().splitlines():
        if line.startswith("SystemCallFilter="):
            names = line.partition("=")[2]
            these = {c for name in names.lstrip("~").split() for c in (named(name) if name[0] == "@" else {name})}
            calls = calls - these if names.startswith("~") else calls | these
    return calls


def confine(otherwise: int, rule: int, calls: set[str]) -> None:
    """``calls`` have the ``rule`` from now on, for this process and all that come of it."""
    library = ctypes.CDLL("libseccomp.so.2")
    library.seccomp_init.restype = ctypes.c_void_p
    library.seccomp_rule_add.argtypes = [ctypes.c_void_p, ctypes.c_uint32, ctypes.c_int, ctypes.c_uint]
    library.seccomp_load.argtypes = [ctypes.c_void_p]
    made = library.seccomp_init(otherwise)
    for call in sorted(calls):
        number = library.seccomp_syscall_resolve_name(call.encode())
        if number >= 0 and library.seccomp_rule_add(made, rule, number, 0):
            sys.exit(f"no rule for {call}")
    if ctypes.CDLL(None).prctl(NO_NEW_PRIVILEGES, 1, 0, 0, 0) or library.seccomp_load(made):
        sys.exit("the kernel takes no filter")


if __name__ == "__main__":
    how, what, *command = sys.argv[1:]
    if how == "unit":
        confine(KILL_PROCESS, ALLOW, allowed(Path(what)))
    else:
        confine(ALLOW, REFUSE, {what})
    os.execvp(command[0], command)
