"""The daemon for a benchmark: its settings, and itself inside a child process."""

from pathlib import Path
from typing import Any

from prometheus_client import Counter


def environment(folder: Path, port: int, secret: str, **more: object) -> dict[str, str]:
    """What ``callcenter run`` needs to know, as variables. ``more``: ``WEB__PORT`` and the like."""
    for name, text in (("secret", secret), ("token", "benchmark-token-0123456789")):
        (folder / name).write_text(text)
    known = {
        "ASTERISK__PORT": port,
        "ASTERISK__SECRET_FILE": folder / "secret",
        "HOOKS__TOKEN_FILE": folder / "token",
        "HOOKS__AGI_PORT": 0,
        "STORE__URL": f"sqlite:///{folder}/bench.db",
    }
    return {f"CALLCENTER_{key}": str(value) for key, value in (known | more).items()}


def value(counter: Counter) -> float:
    """What /metrics would say of this counter."""
    return float(next(iter(counter.collect())).samples[0].value)


async def build(variables: dict[str, str]) -> Any:
    """The daemon of ``callcenter run``, without its web."""
    from callcenter.app import Daemon
    from callcenter.opening import open_store
    from callcenter.serve import collect_seldom
    from callcenter.settings import load

    settings = load(None, variables)
    daemon = Daemon(settings, await open_store(settings))
    await daemon.restore()
    collect_seldom()
    return daemon
