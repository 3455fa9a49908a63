"""Are the files that Asterisk writes there and readable: call records, recordings; is the secret ours alone?"""

import os
import stat
from pathlib import Path

from callcenter.calls.records import COLUMNS, parse_rows
from callcenter.checks.finding import Finding, bad, ok, warn
from callcenter.settings import Asterisk

TAIL_BYTES = 65_536
_COLUMNS = (
    f"Its columns must be {', '.join(COLUMNS)}, times as epoch seconds: use dialplans/cdr_custom-callcenter.conf."
)


def judge_files(asterisk: Asterisk) -> list[Finding]:
    return [*_secret(asterisk.secret_file), _records(asterisk.cdr_file), _recordings(asterisk.recordings_dir)]


def _secret(path: Path | None) -> list[Finding]:
    try:
        mode = path.stat().st_mode if path is not None else 0
    except OSError:
        return []  # the log-in has its own word on that
    if mode & (stat.S_IRGRP | stat.S_IROTH):
        return [warn(f"{path}: others can read the AMI secret.", f"chmod 600 {path}")]
    return []


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
        remedy = "Make one call; if it is still missing, load dialplans/cdr_custom-callcenter.conf and check the path."
        return warn(f"{path}: there are no call records yet.", remedy)
    except OSError as error:
        remedy = "Let the daemon's user read it (group asterisk), or correct asterisk.cdr_file."
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
    except OSError as error:
        remedy = (
            "Let the daemon's user read the folder and its files (group asterisk), or correct asterisk.recordings_dir."
        )
        return bad(f"{path}: the recordings cannot be read ({error.strerror}).", remedy)
    return ok(f"{path}: recordings are readable ({len(files)} files).")
