"""The process's log is one for all tests: whoever sets it up puts it back."""

import logging
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def log_put_back() -> Iterator[None]:
    root, ours = logging.getLogger(), logging.getLogger("callcenter")
    handlers, level, ours_level = root.handlers[:], root.level, ours.level
    hooks = sys.excepthook, sys.unraisablehook, threading.excepthook, logging.raiseExceptions
    try:
        yield
    finally:
        root.handlers[:] = handlers
        root.setLevel(level)
        ours.setLevel(ours_level)
        sys.excepthook, sys.unraisablehook, threading.excepthook, logging.raiseExceptions = hooks
