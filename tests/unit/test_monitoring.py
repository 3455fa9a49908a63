"""docs/monitoring.md: its steps copy what is there, promtool takes it, a real Prometheus scrapes by the file."""

import asyncio
import json
import re
import shlex
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from callcenter.metrics.endpoint import metrics_app
from callcenter.metrics.figures import Figures
from callcenter.settings import Web, load
from callcenter.web.doors import serve
from tests.fakes.prometheus import Prometheus

ROOT = Path(__file__).parents[2]
MANUAL = (ROOT / "docs" / "monitoring.md").read_text("utf-8")
READY = ROOT / "docker" / "debian"
BEHIND = re.compile(r"^( +)# (?=authorization:|- \{|external_labels:)", re.MULTILINE)
"""What the manual says to take into force."""
TRIED = ("install ", "promtool ")
"""Commands of the manual that can be done in a folder; the others are for a whole machine."""
WHOLE = (
    "apt-get ",
    "systemctl ",
    "curl ",
    "openssl ",
    "callcenter ",
    "cat ",
    "amtool ",
    "editor ",
    "ARGS=",
    "/opt/callcenter/bin/pip ",
)


def commands() -> list[str]:
    blocks = re.findall(r"^```sh\n(.*?)^```", MANUAL, re.MULTILINE | re.DOTALL)
    return [line.partition("  #")[0].strip() for block in blocks for line in block.splitlines()]


@pytest.fixture
def machine(tmp_path: Path) -> Path:
    """A machine, as a folder, on which all steps of the manual were done."""
    for folder in (
        "etc/callcenter/secrets",
        "etc/grafana/provisioning/datasources",
        "etc/grafana/provisioning/dashboards",
    ):
        (tmp_path / folder).mkdir(parents=True)
    for command in commands():
        if command.startswith(TRIED):
            text = command.replace("/usr/local/src/callcenter/", f"{ROOT}/").replace(" /etc/", f" {tmp_path}/etc/")
            said = promtool(text) if text.startswith("promtool") else sh(text.replace(" -g prometheus ", " "))
            assert said.returncode == 0, said.stdout + said.stderr
    return tmp_path / "etc"


def sh(command: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(["/bin/sh", "-c", command], capture_output=True, text=True, timeout=60)


def promtool(command: str) -> "subprocess.CompletedProcess[str]":
    _, *arguments = shlex.split(command)
    program = shutil.which("promtool")
    assert program, "promtool is missing: run scripts/setup --test"
    return subprocess.run([program, *arguments], capture_output=True, text=True, timeout=60)


def test_every_command_is_tried_or_known_to_need_a_machine() -> None:
    assert [one for one in commands() if one and not one.startswith(TRIED + WHOLE)] == []
    assert sum(one.startswith(TRIED) for one in commands()) > 10


def test_the_steps_leave_what_prometheus_and_grafana_read(machine: Path) -> None:
    said = promtool(f"promtool check config {machine}/prometheus/prometheus.yml").stdout
    assert "SUCCESS: 2 rule files found" in said
    assert len(list((machine / "grafana" / "callcenter").glob("*.json"))) == 6
    assert (
        sorted(file.name for file in (machine / "grafana" / "provisioning").rglob("*.yaml")) == ["callcenter.yaml"] * 2
    )


def test_what_waits_behind_a_sign_is_right_too(machine: Path) -> None:
    file = machine / "prometheus" / "prometheus.yml"
    text, changed = BEHIND.subn(r"\1", file.read_text("utf-8"))
    assert changed == 3
    file.write_text(text.replace("/etc/", f"{machine}/"))
    said = promtool(f"promtool check config {file}")
    assert said.returncode == 0, said.stdout + said.stderr
    jobs = {job["job_name"]: job for job in yaml.safe_load(text)["scrape_configs"]}
    assert jobs.keys() == {"callcenter", "pushgateway"}
    assert jobs["pushgateway"]["honor_labels"] is True
    assert jobs["callcenter"]["authorization"] == {"credentials_file": "/etc/prometheus/callcenter/token"}


async def test_a_real_prometheus_scrapes_by_the_shipped_file(machine: Path, tmp_path: Path) -> None:
    """With the token of the manual: the job is up, all rules are there, and nobody is told of a daemon that is down."""
    token = machine / "prometheus" / "callcenter" / "token"
    token.write_text("a token of the test\n")
    runner = await serve(metrics_app(Figures(["it"]), Web(metrics_token_file=token), "127.0.0.1"), "127.0.0.1", 0)
    port = runner.listener.sockets[0].getsockname()[1]
    file = machine / "prometheus" / "prometheus.yml"
    text = file.read_text("utf-8").replace("# authorization:", "authorization:")
    text = text.replace("localhost:8080", f"127.0.0.1:{port}").replace("/etc/", f"{machine}/")
    file.write_text(re.sub(r"(interval|timeout): \d+s", r"\1: 1s", text))

    def judged() -> None:
        with Prometheus(tmp_path / "run", config=file) as prometheus:
            prometheus.wait_scrapes(2)
            prometheus.moment()
            assert prometheus.value('up{job="callcenter"}') == 1
            rules = [rule["name"] for group in prometheus.get("rules")["groups"] for rule in group["rules"]]
            assert "CallcenterDown" in rules
            alertmanagers = prometheus.get("alertmanagers")["activeAlertmanagers"]
            assert [one["url"] for one in alertmanagers] == ["http://localhost:9093/api/v2/alerts"]

    try:
        await asyncio.to_thread(judged)
    finally:
        await runner.cleanup()


def test_the_settings_of_the_manual_are_settings(tmp_path: Path) -> None:
    blocks = re.findall(r"^```toml\n(.*?)^```", MANUAL, re.MULTILINE | re.DOTALL)
    assert len(blocks) == 3
    for block in blocks:
        (tmp_path / "callcenter.toml").write_text(block, "utf-8")
        load(tmp_path / "callcenter.toml", {})


def provisioned(folder: Path, file: str) -> Any:
    return yaml.safe_load((folder / file).read_text("utf-8"))


def test_grafana_finds_prometheus_and_the_dashboards_their_source() -> None:
    """Grafana is not run: what it reads is what the compose file's one reads, but for address, name and folder."""
    shipped = ROOT / "docker" / "grafana"
    (ours,) = provisioned(READY, "grafana-datasource.yaml")["datasources"]
    (theirs,) = provisioned(shipped, "provisioning/datasources/prometheus.yaml")["datasources"]
    assert ours == theirs | {"url": "http://localhost:9090", "name": ours["name"], "isDefault": False}
    (ours_too,) = provisioned(READY, "grafana-dashboards.yaml")["providers"]
    (theirs_too,) = provisioned(shipped, "provisioning/dashboards/callcenter.yaml")["providers"]
    assert ours_too == theirs_too | {"options": {"path": "/etc/grafana/callcenter"}}
    for file in shipped.glob("dashboards/*.json"):
        text = file.read_text("utf-8")
        json.loads(text)
        sources = set(re.findall(r'"type": "prometheus",\s+"uid": "([^"]+)"', text))
        assert sources <= {ours["uid"]}, file.name
        assert ours["uid"] in text


def test_every_alert_has_a_way_to_somebody() -> None:
    told = provisioned(READY, "alertmanager.yml")
    assert told["route"]["receiver"] in {receiver["name"] for receiver in told["receivers"]}
