"""A real Prometheus for a test: Debian's program, a folder of its own, the project's rules, quick scrapes."""

import json
import shutil
import subprocess
import time
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from tests.fakes.ports import free_port

RULES = Path(__file__).parents[2] / "docker" / "prometheus"
EVERY_SECONDS = 1.0


class Prometheus:
    """Scrapes ``target`` ("127.0.0.1:8080") from its start until it is left; ``config``: by this file instead."""

    def __init__(self, folder: Path, target: str = "", config: Path | None = None) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        program = shutil.which("prometheus")
        assert program, "prometheus is missing: run scripts/setup --test, and this by scripts/test"
        self.address = f"127.0.0.1:{free_port()}"
        ours = {
            "global": {"scrape_interval": f"{EVERY_SECONDS * 1000:.0f}ms", "evaluation_interval": "1s"},
            "rule_files": [str(RULES / "recording.yml"), str(RULES / "alerts.yml")],
            "scrape_configs": [{"job_name": "callcenter", "static_configs": [{"targets": [target]}]}],
        }
        (folder / "prometheus.yml").write_text(json.dumps(ours))
        self._log = folder / "log"
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [
                    program,
                    f"--config.file={config or folder / 'prometheus.yml'}",
                    f"--storage.tsdb.path={folder}/data",
                    f"--web.listen-address={self.address}",
                    "--enable-feature=exemplar-storage",
                ],
                stdout=log,
                stderr=log,
            )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self._process.terminate()
        try:
            self._process.wait(15)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait(5)

    def get(self, path: str, **parameters: Any) -> Any:
        """The data of an answer; the test fails with Prometheus' own words otherwise."""
        url = f"http://{self.address}/api/v1/{path}?{urllib.parse.urlencode(parameters)}"
        try:
            with urllib.request.urlopen(url, timeout=30) as response:
                return json.load(response)["data"]
        except urllib.error.HTTPError as error:
            raise AssertionError(f"{parameters}: {error.read().decode()}") from None

    def query(self, expr: str, at: float | None = None) -> list[dict[str, Any]]:
        """The samples of an instant query, ``at`` a moment or now: ``metric`` and ``value`` (moment, text)."""
        when = {} if at is None else {"time": at}
        found: list[dict[str, Any]] = self.get("query", query=expr, **when)["result"]
        return found

    def moment(self, seconds: float = 30) -> float:
        """When the target last answered: a busy machine may miss the next scrape, and what is read then is stale."""
        deadline = time.monotonic() + seconds
        while (found := self.value('timestamp(up{job="callcenter"} == 1)')) is None:
            assert time.monotonic() < deadline, "the target answers no scrape"
            time.sleep(EVERY_SECONDS / 2)
        return found

    def value(self, expr: str, at: float | None = None) -> float | None:
        """The value of a query with one sample; None without any."""
        found = self.query(expr, at)
        assert len(found) <= 1, f"{expr} has {len(found)} samples"
        return float(found[0]["value"][1]) if found else None

    def scrapes(self) -> int:
        """How often the target answered so far; none before Prometheus itself is up."""
        try:
            with urllib.request.urlopen(f"http://{self.address}/-/ready", timeout=10):
                pass
        except OSError:
            return 0
        return int(self.value('sum(sum_over_time(up{job="callcenter"}[1h]))') or 0)

    def wait_scrapes(self, more: int, seconds: float = 60) -> None:
        """Until the target was scraped so many more times."""
        deadline = time.monotonic() + seconds
        wanted = self.scrapes() + more
        while self.scrapes() < wanted:
            assert time.monotonic() < deadline, f"no scrape; {self._log.read_text()[-2000:]}"
            time.sleep(EVERY_SECONDS / 2)
