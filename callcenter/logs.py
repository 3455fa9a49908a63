"""The daemon's log: one line for one event, as text or as JSON, with the call it is about, without anybody's data.

Beside the path of a call: whoever has something to say about a call says so with ``extra={"call_id": ...}``.
Promises: a record is one line, whatever was put into it; an exception is told by its type and the places it came
through, never by its text, which may hold what a caller sent; what nobody caught is told the same way. Of libraries
only warnings and worse are written, and of those the sentence without the values put into it.
Never: a number, a name or a text of a person.
"""

import asyncio
import json
import logging
import re
import sys
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, TextIO
from weakref import WeakKeyDictionary

from callcenter.errors import places
from callcenter.settings import Log

OURS = "callcenter"
MAX_CHARS = 2_000
_CALL_ID = re.compile(r"[A-Za-z0-9_.-]{1,64}")
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
_NO_FILE_LEFT = "socket.accept() out of system resource"
"""asyncio's words. It tries again by itself, as often as thousands of times a second."""
_NO_FILE_LEFT_EVERY_SECONDS = 60.0
_no_file_left_at: WeakKeyDictionary[asyncio.AbstractEventLoop, float] = WeakKeyDictionary()
_log = logging.getLogger(__name__)

TraceOf = Callable[[str], str | None]
"""The trace of a call, for whoever follows it; ``None`` where it has none."""


def set_up(settings: Log, trace_of: TraceOf = lambda call_id: None, stream: TextIO | None = None) -> None:
    """All of this process writes so from here on, also what nobody caught. ``level`` is that of our own records."""
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(JsonLines(trace_of) if settings.format == "json" else TextLines())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    # A library's own chatter holds whole statements with their values, and messages as they came.
    root.setLevel(logging.WARNING)
    logging.getLogger(OURS).setLevel(settings.level)
    logging.raiseExceptions = False  # a record that cannot be written must not be printed with its values
    sys.excepthook = _uncaught
    threading.excepthook = lambda args: _uncaught(args.exc_type, args.exc_value, args.exc_traceback)
    sys.unraisablehook = lambda found: _uncaught(found.exc_type, found.exc_value, found.exc_traceback)


def on_loop_fault(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """For ``loop.set_exception_handler``: asyncio's own handler prints tasks, and with them what they were given."""
    error = context.get("exception")
    kind = str(context.get("message", "fault")).partition(":")[0]
    if kind == _NO_FILE_LEFT:
        _no_file_left(loop)
        return
    fault = (type(error), error, error.__traceback__) if error is not None else None
    _log.error("event loop: %s", kind[:120], exc_info=fault)


def _no_file_left(loop: asyncio.AbstractEventLoop) -> None:
    told_at = _no_file_left_at.get(loop)
    if told_at is None or loop.time() - told_at >= _NO_FILE_LEFT_EVERY_SECONDS:
        _no_file_left_at[loop] = loop.time()
        _log.error(
            "no open file is left, so connections wait outside: raise the limit on open files "
            "(LimitNOFILE of the unit, ulimit -n); this is told once a minute"
        )


def _uncaught(kind: type[BaseException], error: BaseException | None, trace: TracebackType | None) -> None:
    if issubclass(kind, KeyboardInterrupt):
        return
    _log.critical("a fault of the program", exc_info=(kind, error or kind(), trace))


def said(record: logging.LogRecord) -> str:
    """The record's sentence on one line. Of a library it is the sentence that its author wrote, before values."""
    ours = record.name == OURS or record.name.startswith(OURS + ".")
    try:
        text = record.getMessage() if ours else str(record.msg)
    except (TypeError, ValueError):  # the sentence and its values do not fit: the sentence alone still says something
        text = str(record.msg)
    if not ours and not record.args:
        text = text.partition("\n")[0]  # below the first line asyncio and others print what they hold
    return _CONTROL.sub(lambda found: f"\\x{ord(found[0]):02x}", text[:MAX_CHARS])


def call_of(record: logging.LogRecord) -> str | None:
    """The call a record is about. What is no id of Asterisk's is left out: it came from outside."""
    found = getattr(record, "call_id", None)
    return found if isinstance(found, str) and _CALL_ID.fullmatch(found) else None


def _error(record: logging.LogRecord) -> BaseException | None:
    error = record.exc_info[1] if isinstance(record.exc_info, tuple) else None
    while isinstance(error, BaseExceptionGroup):  # the wrapping of a group of tasks; what happened is inside
        error = error.exceptions[0]
    return error


class TextLines(logging.Formatter):
    """For people who read along: time, level, who, what, [call]."""

    def format(self, record: logging.LogRecord) -> str:
        line = f"{_time(record)} {record.levelname} {record.name}: {said(record)}"
        if call := call_of(record):
            line += f" [call {call}]"
        if (error := _error(record)) is not None:
            line += f" [{type(error).__name__} at {' < '.join(reversed(places(error)))}]"
        return line


class JsonLines(logging.Formatter):
    """For a program that collects logs: an object on each line, every key always of the same kind."""

    def __init__(self, trace_of: TraceOf = lambda call_id: None) -> None:
        super().__init__()
        self._trace_of = trace_of

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {
            "time": _time(record),
            "level": record.levelname.lower(),
            "logger": record.name,
            "event": said(record),
        }
        if call := call_of(record):
            line["call_id"] = call
            if trace := self._trace_of(call):
                line["trace_id"] = trace
        if (error := _error(record)) is not None:
            line["error"] = {"type": type(error).__name__, "at": places(error)}
        return json.dumps(line, ensure_ascii=False, separators=(",", ":"))


def _time(record: logging.LogRecord) -> str:
    at = datetime.fromtimestamp(record.created, UTC)
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
