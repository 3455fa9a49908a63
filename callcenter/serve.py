"""``callcenter run``: the store opened, the daemon restored, its doors opened, until a signal ends it.

Beside the path of a call. Promises: an address that cannot be had is one clear sentence; what was opened is closed in
the opposite order, whatever happens. Never: knows what a call is.
"""

import asyncio
import errno
import gc
import logging
import signal
from collections.abc import Iterator
from contextlib import AsyncExitStack, contextmanager

from callcenter import __version__, logs
from callcenter.app import Daemon
from callcenter.errors import BrokenWorld
from callcenter.metrics.endpoint import metrics_app, metrics_route
from callcenter.opening import open_store
from callcenter.options import web_options
from callcenter.settings import Settings
from callcenter.speech.judging import warm
from callcenter.speech.memory import limit_mb, shortage
from callcenter.web.doors import Doors, most_connections, serve
from callcenter.web.fastagi import FastAgi
from callcenter.web.hooks_in import add_routes as add_hooks
from callcenter.web.server import make_app

log = logging.getLogger(__name__)

FEW_FILES = (
    "web.max_streams: %d pages may be open, but the limit on open files leaves room for %d connections: "
    "raise it (LimitNOFILE of the unit, ulimit -n), or set web.max_streams lower"
)
COLLECT_AFTER = (20_000, 5, 100)
"""Allocations before a young collection, young ones before a middle one, middle ones before a full one."""


_CANNOT_LISTEN = {
    errno.EADDRINUSE: "another program listens there; end that one",
    errno.EADDRNOTAVAIL: "this machine has no such address; correct it",
    errno.EACCES: "this account may not listen there; take a port above 1023",
}


@contextmanager
def _listening(key: str, host: str, port: int) -> Iterator[None]:
    """An address that cannot be had becomes a sentence. ``key``: the setting of the port."""
    try:
        yield
    except OSError as error:
        reason = _CANNOT_LISTEN.get(error.errno or 0, f"{error.strerror or type(error).__name__}; correct it")
        raise BrokenWorld(f"{key}: cannot listen on {host}:{port}: {reason}, or set another {key}.") from None


def collect_seldom() -> None:
    """What was built at the start stays: the collector need not look at it again and again. Calls and events are freed
    by their reference counts; cycles are rare, and a full collection holds the loop as long as there are objects."""
    gc.freeze()
    gc.set_threshold(*COLLECT_AFTER)


async def ready_to_judge(settings: Settings) -> None:
    """Loads what judging a transcript needs: before a door opens, off the loop, and not in the middle of calls."""
    if settings.speech.enabled:
        await asyncio.to_thread(warm, settings)


async def run(settings: Settings) -> int:
    """``callcenter run``: until SIGTERM or SIGINT; the exit code."""
    async with AsyncExitStack() as stack:
        store = await open_store(settings)
        stack.push_async_callback(store.close)
        daemon = Daemon(settings, store)
        if (short := shortage(settings, limit_mb())) is not None:
            log.warning("%s", short)
        await ready_to_judge(settings)
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(logs.on_loop_fault)
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, daemon.stop.set)
        await daemon.restore()
        own_port = settings.metrics.port
        app = make_app(
            daemon.ports(),
            web_options(settings, daemon.scorecards),
            daemon.hub,
            daemon.link.now,
            wall=daemon.clock.wall,
            extra_routes=[] if own_port else [metrics_route(daemon.figures, settings.web)],
            limit_hit=daemon.figures.limit_hit,
        )
        add_hooks(app, daemon.hooks)
        agi = FastAgi(daemon.hooks)
        with _listening("hooks.agi_port", settings.hooks.agi_host, settings.hooks.agi_port):
            await agi.start()
        stack.push_async_callback(agi.close)
        doors = Doors(most_connections(settings.hooks.max_sessions), daemon.figures.limit_hit)
        if doors.most < settings.web.max_streams:
            log.warning(FEW_FILES, settings.web.max_streams, doors.most)
        with _listening("web.port", settings.web.host, settings.web.port):
            runner = await serve(app, settings.web.host, settings.web.port, doors)
        stack.push_async_callback(runner.cleanup)
        up = f"http://{settings.web.host}:{settings.web.port}"
        if own_port:
            host = settings.metrics.host
            with _listening("metrics.port", host, own_port):
                figures = await serve(metrics_app(daemon.figures, settings.web, host), host, own_port, doors)
            stack.push_async_callback(figures.cleanup)
            up += f", its figures on http://{host}:{own_port}/metrics"
        log.info("callcenter %s is up on %s", __version__, up)
        collect_seldom()
        await daemon.run()
    log.info("callcenter has ended; calls go on without it")
    return 0
