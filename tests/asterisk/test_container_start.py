"""docker/asterisk/start, the entry point of Asterisk's container, run without a container on the real Asterisk."""

import os
import re
import signal
import socket
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from callcenter.demo.server import HOST, Ports, find_program
from tests.asterisk.lab import wait_until

DOCKER = Path(__file__).parents[2] / "docker"
AMI_SECRET = "ami-secret-of-the-test"


@dataclass
class Container:
    folder: Path
    environment: dict[str, str]

    def start(self, output: Path) -> subprocess.Popen[bytes]:
        with output.open("wb") as file:
            return subprocess.Popen(
                [DOCKER / "asterisk" / "start"], env=self.environment, stdout=file, stderr=file, start_new_session=True
            )

    def refused(self) -> str:
        done = subprocess.run(
            [DOCKER / "asterisk" / "start"],
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 1
        return done.stderr

    def cli(self, command: str) -> str:
        config = self.folder / "etc" / "asterisk.conf"
        asked = [self.environment["ASTERISK"], "-C", config, "-rx", command]
        return subprocess.run(asked, capture_output=True, timeout=30, check=False).stdout.decode(errors="replace")


@pytest.fixture
def container(tmp_path: Path) -> Iterator[Container]:
    program, taken = find_program(), Ports()
    secrets = tmp_path / "secrets"
    secrets.mkdir()
    (secrets / "ami_secret").write_text(AMI_SECRET)
    (secrets / "hooks_token").write_text("hooks-token")
    (secrets / "phones").write_text("1001 first-phone\n2001 second-phone\n")
    places = {
        "ETC": tmp_path / "etc",
        "STATE": tmp_path / "state",
        "SECRETS": secrets,
        "DIALPLANS": DOCKER.parent / "dialplans",
        "PROMPTS": tmp_path / "prompts",
        "ASTERISK": program.binary,
        "MODULES": program.modules,
        "DATA": program.data,
        "INDICATIONS": program.indications,
    }
    first = taken.take(3, kinds=(socket.SOCK_STREAM,))
    ports = {"AMI_PORT": first, "AMI_TLS_PORT": first + 1, "HTTP_PORT": first + 2, "SIP_BIND": f"{HOST}:{taken.take()}"}
    values = {name: str(value) for name, value in (places | ports).items()}
    yield Container(tmp_path, {"PATH": os.environ["PATH"], **values})
    taken.close()


@pytest.fixture
def running(container: Container) -> Iterator[Container]:
    process = container.start(container.folder / "output")
    try:
        wait_until(lambda: "fully booted" in container.cli("core waitfullybooted"), 60, "Asterisk to be booted")
        yield container
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(5)


def test_it_starts_the_hotline_with_its_phones(running: Container) -> None:
    endpoints = running.cli("pjsip show endpoints")
    for name in ("1001", "2001", "trunk"):
        assert f"Endpoint:  {name}" in endpoints
    assert "first-phone" in running.cli("pjsip show auth 1001")
    assert "1001" in running.cli("queue show support")
    assert "cc-hook-arrival" in running.cli("dialplan show cc-hook-arrival")
    assert "callcenter" in running.cli("manager show users")
    left = [line for file in (running.folder / "etc").glob("*.conf") for line in file.read_text().splitlines()]
    assert [line for line in left if re.search(r"@[A-Z]+@", line) and not line.startswith(";")] == []
    log = (running.folder / "state" / "log" / "asterisk" / "full").read_text(errors="replace")
    assert [line for line in log.splitlines() if "ERROR" in line] == []


@pytest.mark.parametrize(("name", "content"), [("ami_secret", ""), ("hooks_token", "a b"), ("phones", "1001 a;b\n")])
def test_a_secret_that_cannot_be_used_is_named(container: Container, name: str, content: str) -> None:
    (container.folder / "secrets" / name).write_text(content)
    assert name in container.refused()
