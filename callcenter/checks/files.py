"""Are the files that Asterisk writes there and readable: call records, recordings?

Root may read everything and would prove nothing: run as root, the files are looked at with the rights that the service
has (docker/callcenter.service), an account of its own in the group asterisk.
"""

import grp
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from callcenter.calls.records import COLUMNS, parse_rows
from callcenter.checks.finding import Finding, bad, ok, warn
from callcenter.settings import Asterisk

TAIL_BYTES = 65_536
_COLUMNS = (
    f"Its columns must be {', '.join(COLUMNS)}, times as epoch seconds: use dialplans/cdr_custom-callcenter.conf."
)


READABLE = "chgrp asterisk and chmod g+rx each folder on the way that is closed to it; or correct the path here."
GROUP = "asterisk"
NOBODY = 65534


def judge_files(asterisk: Asterisk) -> list[Finding]:
    with as_the_service():
        return [_records(asterisk.cdr_file), _recordings(asterisk.recordings_dir)]


@contextmanager
def as_the_service() -> Iterator[None]:
    """Root's rights laid down for a moment; nothing changes for anybody else, or where there is no such group."""
    group = _group() if os.geteuid() == 0 else None
    if group is None:
        yield
        return
    groups, gid = os.getgroups(), os.getegid()
    try:
        os.setgroups([group])
        os.setegid(NOBODY)
        os.seteuid(NOBODY)
        yield
    finally:
        os.seteuid(0)
        os.setegid(gid)
        os.setgroups(groups)


def _group() -> int | None:
    try:
        return grp.getgrnam(GROUP).gr_gid
    except KeyError:
        return None


def _records(path: Path | None) -> Finding:
    if path is None:
        what = "asterisk.cdr_file is not set: calls made while the daemon is down get no ticket (C1)."
        return bad(what, "Load dialplans/cdr_custom-callcenter.conf and set asterisk.cdr_file to the file it writes.")
    try:
        with path.open("rb") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(0, size - TAIL_BYTES))
            lines = file.read().decode("utf-8", "replace").splitlines()
    except FileNotFoundError:
        remedy = (
            "Make one call; if it is still missing, load dialplans/cdr_custom-callcenter.conf "
            "('module load cdr_custom') and check the path."
        )
        return warn(f"{path}: there are no call records yet.", remedy)
    except OSError as error:
        remedy = f"Let the service's account, in the group asterisk, read it: {READABLE}"
        return bad(f"{path}: the call records cannot be read ({error.strerror}).", remedy)
    whole = lines[1:] if size > TAIL_BYTES else lines
    records, unreadable = parse_rows(whole)
    if unreadable:
        return bad(
            f"{path}: {unreadable} of the last {unreadable + len(records)} call records have other columns.", _COLUMNS
        )
    return ok(f"{path}: call records are readable ({len(records)} looked at).")


def _recordings(path: Path | None) -> Finding:
    if path is None:
        what = "asterisk.recordings_dir is not set: recordings cannot be played."
        return warn(what, "Set it to the folder that CC_RECORDINGS names in the dialplan.")
    try:
        files = sorted(path.glob("*.wav"), key=lambda p: p.stat().st_mtime)
        os.scandir(path).close()
        if files:
            files[-1].open("rb").close()
    except FileNotFoundError:
        remedy = "Correct asterisk.recordings_dir: it is the folder that CC_RECORDINGS names in the dialplan."
        return bad(f"{path}: there is no such folder for recordings.", remedy)
    except OSError as error:
        remedy = f"Let the service's account, in the group asterisk, read the folder and its files: {READABLE}"
        return bad(f"{path}: the recordings cannot be read ({error.strerror}).", remedy)
    return ok(f"{path}: recordings are readable ({len(files)} files).")
