"""The log: one line for one event, with its call, and with nobody's data, whatever goes wrong."""

import asyncio
import io
import json
import logging
import os
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callcenter import logs
from callcenter.settings import Log
from tests.fakes.logs import log_put_back

NUMBER, NAME = "13800138000", "王小明\r\n2026-01-01 CRITICAL forged: line\x1b[31m"


@pytest.fixture
def log() -> Iterator[Any]:
    """Sets the log up as ``format, level`` say; gives what was written."""
    written = io.StringIO()

    def set_up(kind: str = "json", level: str = "DEBUG", **more: Any) -> io.StringIO:
        logs.set_up(Log(kind, level), stream=written, **more)
        return written

    with log_put_back():
        yield set_up


def ours() -> logging.Logger:
    return logging.getLogger("callcenter.somewhere")


def lines(written: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in written.getvalue().splitlines()]


def test_a_record_is_an_object_on_a_line_with_its_call_and_trace(log: Any) -> None:
    written = log(trace_of=lambda call_id: f"trace-of-{call_id}")
    ours().warning("the recording was not %s", "paused", extra={"call_id": "pbx-1795000000.7"})
    (line,) = lines(written)
    assert line.pop("time").endswith("Z")
    assert line == {
        "level": "warning",
        "logger": "callcenter.somewhere",
        "event": "the recording was not paused",
        "call_id": "pbx-1795000000.7",
        "trace_id": "trace-of-pbx-1795000000.7",
    }


def test_people_read_text_with_the_call_at_the_end(log: Any) -> None:
    written = log("text")
    ours().info("it was done", extra={"call_id": "pbx-1.7"})
    time, _, rest = written.getvalue().partition(" ")
    assert time.endswith("Z")
    assert rest == "INFO callcenter.somewhere: it was done [call pbx-1.7]\n"


@pytest.mark.parametrize("kind", ["json", "text"])
def test_an_exception_is_its_type_and_its_places(log: Any, kind: str) -> None:
    written = log(kind)
    try:
        int(NUMBER + NAME)
    except ValueError:
        ours().exception("it broke")
    text = written.getvalue()
    assert "ValueError" in text
    assert "test_an_exception_is_its_type_and_its_places" in text
    assert NUMBER not in text
    assert "王" not in text
    assert len(text.splitlines()) == 1


def test_of_a_group_of_tasks_the_fault_inside_is_told(log: Any) -> None:
    written = log()
    try:
        raise ExceptionGroup("tasks", [KeyError(NUMBER)])
    except ExceptionGroup:
        ours().exception("it broke")
    assert lines(written)[0]["error"]["type"] == "KeyError"


@given(st.text(), st.text())
def test_whatever_is_written_it_is_one_line(text: str, call_id: str) -> None:
    record = logging.LogRecord("callcenter.x", logging.INFO, "x.py", 1, "%s", (text,), None)
    record.call_id = call_id
    for formatter in (logs.TextLines(), logs.JsonLines()):
        line = formatter.format(record)
        assert len(line.splitlines()) == 1
        line.encode()
    told = json.loads(logs.JsonLines().format(record))
    assert told.get("call_id", call_id) == call_id
    assert len(told["event"]) <= 4 * logs.MAX_CHARS


def test_libraries_say_only_what_their_authors_wrote(log: Any) -> None:
    written = log(level="DEBUG")
    library = logging.getLogger("aiosqlite")
    library.debug("executing %s", NUMBER)
    library.info("executing %s", NUMBER)
    library.warning("this took long: %s", NUMBER)
    logging.getLogger("asyncio").error(f"Task exception was never retrieved\nfuture: <Task {NUMBER}>")
    assert [line["event"] for line in lines(written)] == [
        "this took long: %s",
        "Task exception was never retrieved",
    ]


def test_values_that_do_not_fit_their_sentence_are_left_out(log: Any) -> None:
    written = log()
    ours().warning("%d calls of", NUMBER)
    assert lines(written)[0]["event"] == "%d calls of"


@pytest.mark.parametrize("call_id", [NUMBER + "\n", NAME, 7, "x" * 65])
def test_what_is_no_call_id_is_left_out(log: Any, call_id: Any) -> None:
    written = log()
    ours().warning("it happened", extra={"call_id": call_id})
    assert "call_id" not in lines(written)[0]


def test_a_task_that_nobody_looked_at_is_told_without_what_it_held(log: Any) -> None:
    written = log()

    async def broken(number: str) -> None:
        raise ValueError(f"{number} {NAME}")

    async def main() -> None:
        asyncio.get_running_loop().set_exception_handler(logs.on_loop_fault)
        task = asyncio.ensure_future(broken(NUMBER))
        task.set_name(NUMBER)
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        del task

    asyncio.run(main())
    (line,) = lines(written)
    assert line["error"]["type"] == "ValueError"
    assert NUMBER not in written.getvalue()


def test_a_lack_of_open_files_is_told_once_a_minute_with_the_remedy(log: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    written, now = log(), 0.0
    loop = asyncio.new_event_loop()
    monkeypatch.setattr(loop, "time", lambda: now)
    context = {"message": "socket.accept() out of system resource", "exception": OSError(24, "x"), "socket": NUMBER}
    for now in (5.0, 5.0, 6.0, 64.9, 65.0, 66.0):  # noqa: B007
        logs.on_loop_fault(loop, context)
    logs.on_loop_fault(loop, {"message": "Task exception was never retrieved"})
    logs.on_loop_fault(loop, {"message": "Task exception was never retrieved"})
    loop.close()
    told = [line["event"] for line in lines(written)]
    assert len(told) == 4
    assert told[0] == told[1]
    assert "LimitNOFILE" in told[0]
    assert told[2] == told[3] == "event loop: Task exception was never retrieved"


@pytest.mark.parametrize("where", ["main", "thread", "del"])
def test_what_nobody_caught_is_told_without_values(where: str) -> None:
    program = f"""
import threading
from callcenter import logs
from callcenter.settings import Log
logs.set_up(Log("json"))
class Thing:
    def __del__(self):
        raise ValueError("{NUMBER}")
def broken():
    raise ValueError("{NUMBER}")
if "{where}" == "thread":
    thread = threading.Thread(target=broken); thread.start(); thread.join()
elif "{where}" == "del":
    Thing()
else:
    broken()
"""
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, env=os.environ, check=False, timeout=60
    )
    (line,) = (json.loads(one) for one in done.stderr.splitlines())
    assert (line["level"], line["error"]["type"]) == ("critical", "ValueError")
    assert NUMBER not in done.stderr
