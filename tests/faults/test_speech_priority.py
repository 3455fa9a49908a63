"""Workers that hear take only what nobody else wants: what the kernel says of them, and what becomes of one that gets
no CPU. Real children under the real scheduler; the busy neighbours share one core with the worker."""

import asyncio
import contextlib
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path

import pytest

from callcenter.speech.models import look
from callcenter.speech.priority import LOW_NICE, LOWEST_NICE, OwnTime
from callcenter.speech.workers import STOP_SECONDS, Limits, Worker
from tests.fakes.spoken import MODEL, spoken

UNIT = Path(__file__).parents[2] / "docker" / "callcenter.service"
SANDBOX = [sys.executable, "-m", "tests.fakes.sandbox"]
SPIN = "while True: pass"


@pytest.fixture(scope="module")
def long(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Twenty minutes: some seconds of work."""
    short = spoken(tmp_path_factory.mktemp("spoken") / "seat.wav", "您好工号零一八为您服务请问有什么可以帮您")
    target = short.with_name("long.wav")
    subprocess.run(["sox", "-q", str(short), str(target), "repeat", "240"], check=True, capture_output=True)
    return target


def stand(pid: int) -> tuple[int, int, str]:
    """(class, nice, nice of its session where the kernel groups by session)."""
    group = Path(f"/proc/{pid}/autogroup")
    session = group.read_text().split("nice")[1].strip() if group.exists() else ""
    return os.sched_getscheduler(pid), os.getpriority(os.PRIO_PROCESS, pid), session


def ran(pid: int) -> float:
    return time.clock_gettime((~pid << 3) | 2)


@contextmanager
def no_cpu_for(pid: int) -> Iterator[None]:
    """The process, in the lowest class from now on, shares one core with three that want all of it."""
    core, anywhere = min(os.sched_getaffinity(0)), os.sched_getaffinity(pid)
    os.sched_setscheduler(pid, os.SCHED_IDLE, os.sched_param(0))
    spin = f"import os\nos.sched_setaffinity(0, {{{core}}})\n{SPIN}"
    busy = [subprocess.Popen([sys.executable, "-c", spin]) for _ in range(3)]
    try:
        os.sched_setaffinity(pid, {core})
        yield
        with contextlib.suppress(ProcessLookupError):  # ended meanwhile
            os.sched_setaffinity(pid, anywhere)
    finally:
        for one in busy:
            one.kill()
            one.wait()


@pytest.mark.parametrize(
    ("priority", "policy", "nice"), [("idle", os.SCHED_IDLE, LOWEST_NICE), ("low", os.SCHED_OTHER, LOW_NICE)]
)
async def test_the_kernel_knows_that_a_worker_gives_way(priority: str, policy: int, nice: int) -> None:
    ours = stand(os.getpid())
    wanted = policy, nice, str(nice) if ours[2] else ""
    workers = [Worker(look(MODEL), Limits(priority=priority)) for _ in range(2)]
    starting = [asyncio.ensure_future(worker.start()) for worker in workers]
    try:
        for _ in range(600):  # they give way before they load anything, and one after the other
            await asyncio.sleep(0.1)
            if (found := [stand(worker.pid) for worker in workers if worker.pid is not None]) == [wanted, wanted]:
                break
        assert found == [wanted, wanted]
    finally:
        for one in starting:
            one.cancel()
        await asyncio.gather(*starting, *(worker.close() for worker in workers), return_exceptions=True)
    assert stand(os.getpid()) == ours


def test_where_the_class_is_refused_it_is_the_lowest_nice() -> None:
    show = "import os; print(os.sched_getscheduler(0), os.getpriority(os.PRIO_PROCESS, 0))"
    give = f"from callcenter.speech.priority import give_way; give_way('idle'); {show}"
    command = [*SANDBOX, "refused", "sched_setscheduler", sys.executable, "-c", give]
    done = subprocess.run(command, capture_output=True, text=True, check=True, start_new_session=True)
    assert done.stdout.split() == [str(os.SCHED_OTHER), str(LOWEST_NICE)]


def test_the_service_as_it_is_shipped_lets_a_worker_work(long: Path) -> None:
    hear = [sys.executable, "-m", "callcenter", "transcribe", "--seat", str(long.with_name("seat.wav"))]
    done = subprocess.run(
        [*SANDBOX, "unit", str(UNIT), *hear, "--model", str(MODEL)], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert "您好" in done.stdout.replace(" ", "")


async def test_a_worker_that_gets_no_cpu_is_not_taken_for_one_that_hangs(long: Path) -> None:
    told, more = [], asyncio.Event()

    def progress(_seconds: float) -> None:
        told.append(time.monotonic())
        more.set()

    async with Worker(look(MODEL), Limits(silent_seconds=1, priority="low")) as worker:
        hearing = asyncio.ensure_future(worker.hear({"seat": long}, progress))
        await more.wait()
        pid = worker.pid
        assert pid is not None
        with no_cpu_for(pid):
            await asyncio.sleep(1)
            before = ran(pid)
            await asyncio.sleep(8)
            assert ran(pid) - before < 0.5, "it was not kept from working, so this shows nothing"
        more.clear()
        await asyncio.wait({hearing, asyncio.ensure_future(more.wait())}, return_when=asyncio.FIRST_COMPLETED)
        assert worker.pid == pid
        assert not hearing.done()
        hearing.cancel()
    assert max(after - at for at, after in pairwise(told)) > 1.2, "it never was silent for long"


async def test_nobody_waits_for_the_end_of_a_worker_that_gets_no_cpu(long: Path) -> None:
    worker, begun = Worker(look(MODEL), Limits(priority="low")), asyncio.Event()
    hearing = asyncio.ensure_future(worker.hear({"seat": long}, lambda _: begun.set()))
    await begun.wait()
    pid = worker.pid
    assert pid is not None
    with no_cpu_for(pid):
        await asyncio.sleep(1)
        began = time.monotonic()
        hearing.cancel()
        await asyncio.gather(hearing, return_exceptions=True)
        assert time.monotonic() - began < STOP_SECONDS + 2
    async with asyncio.timeout(60):
        with contextlib.suppress(ProcessLookupError):
            while True:
                os.kill(pid, 0)
                await asyncio.sleep(0.1)


@pytest.mark.parametrize("kind", ["sleeps", "is stopped", "runs in circles"])
def test_time_in_which_it_could_have_spoken_counts(kind: str) -> None:
    code = "import time; time.sleep(60)" if kind == "sleeps" else SPIN
    with subprocess.Popen([sys.executable, "-c", code]) as child:
        try:
            time.sleep(0.5)
            if kind == "is stopped":
                os.kill(child.pid, 19)
                time.sleep(0.1)
            own, began, before = OwnTime(child.pid), time.monotonic(), ran(child.pid)
            for _ in range(10):
                time.sleep(0.1)
                own.look()
            could = ran(child.pid) - before if kind == "runs in circles" else time.monotonic() - began
            assert own.look() == pytest.approx(could, abs=0.15)
            assert own.seconds > 0.05
        finally:
            child.kill()
