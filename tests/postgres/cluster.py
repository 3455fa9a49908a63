"""A PostgreSQL server of the tests' own: Debian's packages, a new cluster in a temporary folder, a free loopback port.

Promises: passwords are asked for (scram), nothing outside the folder is touched, the server is stopped at the end.
Without PostgreSQL's programs the tests fail and say what to install; they are never skipped.
"""

import asyncio
import contextlib
import itertools
import os
import secrets
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import asyncpg

from tests.fakes.ports import free_port

_SETTINGS = """
listen_addresses = '127.0.0.1'
fsync = off
full_page_writes = off
max_connections = 60
shared_buffers = 32MB
log_min_messages = fatal
"""


class Cluster:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.password = secrets.token_urlsafe(12)
        self.port = free_port()
        self._programs = _programs()
        self._user = "postgres" if os.geteuid() == 0 else None
        self._names = itertools.count(1)

    def create(self) -> None:
        password_file = self.folder / "password"
        password_file.write_text(self.password)
        if self._user:
            shutil.chown(self.folder, self._user)
            shutil.chown(password_file, self._user)
        options = [
            "--username=callcenter",
            f"--pwfile={password_file}",
            "--auth=scram-sha-256",
            "--no-sync",
            "-E",
            "UTF8",
        ]
        self._run("initdb", "-D", self._data, *options, "--locale=C.UTF-8")
        with open(self._data / "postgresql.conf", "a") as file:
            file.write(f"{_SETTINGS}port = {self.port}\nunix_socket_directories = '{self.folder}'\n")

    def start(self) -> None:
        self._run("pg_ctl", "-D", self._data, "-w", "-t", "60", "-l", self.folder / "log", "start")

    def stop(self, mode: str = "immediate") -> None:
        self._run("pg_ctl", "-D", self._data, "-w", "-m", mode, "stop")

    def url(self, database: str) -> str:
        return f"postgresql://callcenter@127.0.0.1:{self.port}/{database}"

    def new_database(self) -> str:
        """The url of a new, empty database."""
        name = f"test_{next(self._names)}"
        self.execute(f"CREATE DATABASE {name}")
        return self.url(name)

    def execute(self, statement: str, database: str = "postgres") -> None:
        """Runs a statement as the owner; from outside any event loop."""

        async def run() -> None:
            connection = await asyncpg.connect(self.url(database), password=self.password)
            await connection.execute(statement)
            await connection.close()

        asyncio.run(run())

    @property
    def _data(self) -> Path:
        return self.folder / "data"

    def _run(self, program: str, *arguments: object) -> None:
        command = [str(self._programs / program), *map(str, arguments)]
        done = subprocess.run(
            command,
            user=self._user,
            cwd="/",
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
        )
        if done.returncode:
            raise RuntimeError(f"{program} failed: {done.stderr.decode(errors='replace')}")


@contextlib.contextmanager
def running_cluster() -> Iterator[Cluster]:
    folder = Path(tempfile.mkdtemp(prefix="callcenter-pg-"))
    try:
        cluster = Cluster(folder)
        cluster.create()
        cluster.start()
        try:
            yield cluster
        finally:
            with contextlib.suppress(RuntimeError):  # a test may have stopped it
                cluster.stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _programs() -> Path:
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    if not found:
        raise RuntimeError("PostgreSQL is not installed: apt-get install postgresql")
    return found[-1].parent
