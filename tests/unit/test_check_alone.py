"""``callcenter check`` without an Asterisk: secret files, packages that a setting needs, queues that nobody knows."""

import dataclasses
import grp
import os
import re
import sys
import tempfile
from pathlib import Path

import pytest

from callcenter.check import check_alone
from callcenter.checks import alone, files, secrets
from callcenter.cli import FAILED, OK, USAGE, main
from callcenter.hooks.choices import Route
from callcenter.settings import Live, Queue, Recordings, Settings, Speech, Store, Traces, Webhook, secret_files
from callcenter.settings.sections import Wallboard
from tests.unit.test_check import levels

SECRETS = [key for key, _ in secret_files(Settings())]


def with_secret(key: str, path: Path) -> Settings:
    section, name = key.split(".")
    part = dataclasses.replace(getattr(Settings(), section), **{name: path})
    return dataclasses.replace(Settings(), **{section: part})


@pytest.mark.parametrize("key", SECRETS)
@pytest.mark.parametrize(
    ("content", "mode", "level", "says", "remedy"),
    [
        (None, 0, "bad", "the secret file is missing.", "Write the secret into it, or correct the path."),
        (b" \n", 0o600, "bad", "the secret file is empty.", "Write the secret into it."),
        (b"\xff", 0o600, "bad", "the secret file is not UTF-8.", "Write the secret anew, as plain text."),
        (b"Name: hunter2", 0o640, "warn", "others can read this secret.", "chmod 600 "),
        (b"Name: hunter2", 0o604, "warn", "others can read this secret.", "chmod 600 "),
        (b"Name: hunter2", 0o400, "", "", ""),
    ],
    ids=["missing", "empty", "no UTF-8", "the group's", "everybody's", "ours alone"],
)
def test_every_secret_file_is_judged(
    key: str, content: bytes | None, mode: int, level: str, says: str, remedy: str, tmp_path: Path
) -> None:
    file = tmp_path / "secret"
    if content is not None:
        file.write_bytes(content)
        file.chmod(mode)
    found = check_alone(with_secret(key, file))
    assert levels(found) == level
    for finding in found:
        assert finding.what == f"{key}: {file}: {says}"
        assert finding.remedy.startswith(remedy)
        assert "hunter2" not in finding.what + finding.remedy


def test_a_secret_of_a_container_is_its_own_whatever_its_mode(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "ami_secret").write_text("x")
    (tmp_path / "ami_secret").chmod(0o444)
    settings = with_secret("asterisk.secret_file", tmp_path / "ami_secret")
    assert levels(check_alone(settings)) == "warn"
    monkeypatch.setattr(secrets, "CONTAINERS", tmp_path)
    assert check_alone(settings) == []


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else, who may not read")
def test_a_secret_that_this_account_may_not_read(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("x")
    secret.chmod(0o600)
    child = os.fork()
    if child == 0:
        os.setgid(65534)
        os.setuid(65534)
        (finding,) = check_alone(with_secret("web.metrics_token_file", secret))
        right = "Permission denied" in finding.what and "LoadCredential" in finding.remedy
        os._exit(0 if finding.level == "bad" and right else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def test_headers_that_are_none_are_told_without_being_shown(tmp_path: Path) -> None:
    (tmp_path / "headers").write_text("hunter2")
    (tmp_path / "headers").chmod(0o600)
    (finding,) = check_alone(with_secret("traces.headers_file", tmp_path / "headers"))
    assert (finding.level, "such as 'Authorization: Bearer ...'" in finding.remedy) == ("bad", True)
    assert "hunter2" not in finding.what + finding.remedy


@pytest.mark.parametrize(
    ("key", "package", "settings"),
    [
        ("traces.endpoint", "opentelemetry", Settings(traces=Traces(endpoint="http://127.0.0.1:4318/v1/traces"))),
        ("store.url", "asyncpg", Settings(store=Store("postgresql://callcenter@127.0.0.1/callcenter"))),
        ("recordings.store_url", "s3fs", Settings(recordings=Recordings("s3://bucket"))),
        ("live.model", "vosk", Settings(live=Live(model=Path("model")))),
    ],
)
def test_a_setting_whose_packages_are_not_installed_is_told(
    key: str, package: str, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert check_alone(settings) == []

    def without(name: str) -> object:
        if name.partition(".")[0] == package:
            raise ModuleNotFoundError(name)
        return object()

    monkeypatch.setattr(alone, "find_spec", without)
    (finding,) = check_alone(settings)
    assert finding.level == "bad"
    assert finding.what.startswith(f"{key}: needs the extra ")
    assert finding.remedy.startswith(f"Run {sys.prefix}/bin/pip install '/usr/local/src/callcenter[")


def test_one_of_two_engines_is_enough_to_hear(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = Settings(speech=Speech(enabled=True, model=Path("model")))
    for there, expected in (("vosk", ""), ("sherpa_onnx", ""), ("neither", "bad")):
        monkeypatch.setattr(alone, "find_spec", lambda name, there=there: object() if name == there else None)
        assert levels(check_alone(settings)) == expected


def test_a_queue_that_nobody_knows_is_told_where_it_is_named() -> None:
    settings = Settings(
        wallboard=Wallboard(queues=("it", "hr", "nope")),
        routes=(Route(to="it"), Route(to="nope")),
        queues={"it": Queue()},
        webhooks={"crm": Webhook(queues=("it", "gone"))},
    )
    said = [finding.what for finding in check_alone(settings)]
    assert said == [
        "wallboard.queues: no queue hr is known.",
        "wallboard.queues: no queue nope is known.",
        "routes[2].to: no queue nope is known.",
        "webhooks.crm.queues: no queue gone is known.",
    ]
    assert levels(alone.judge_names(settings, {"hr", "gone"})) == "warn warn", "Asterisk has two of them"
    assert alone.judge_names(settings, {"hr", "nope", "gone"}) == []


@pytest.mark.parametrize(
    ("secret", "told"), [("whsec_no base64!", "bad"), ("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", ""), ("any words", "")]
)
def test_a_webhooks_secret_that_was_not_copied_whole_is_told(tmp_path: Path, secret: str, told: str) -> None:
    file = tmp_path / "crm"
    file.write_text(secret)
    file.chmod(0o600)
    found = check_alone(Settings(webhooks={"crm": Webhook("https://crm.example.com/in", file)}))
    assert levels(found) == told
    assert secret not in str(found)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root looks at what the service's account may read")
def test_a_secret_that_the_unit_keeps_from_the_service_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """metrics_token_file was set, the lines of the unit were forgotten: every scrape would be refused."""
    shipped = (Path(__file__).parents[2] / "docker" / "callcenter.service").read_text("utf-8")
    lines = "LoadCredential=metrics:/x\nEnvironment=CALLCENTER_WEB__METRICS_TOKEN_FILE=%d/metrics\n"
    monkeypatch.setattr(files, "GROUP", grp.getgrgid(os.getgid()).gr_name)
    with tempfile.TemporaryDirectory() as name:  # tmp_path lies in a folder that nobody else may enter
        folder = Path(name)
        folder.chmod(0o711)
        unit, token = folder / "callcenter.service", folder / "token"
        monkeypatch.setattr(secrets, "UNIT", unit)
        token.write_text("x")
        token.chmod(0o600)
        settings = with_secret("web.metrics_token_file", token)
        assert check_alone(settings) == [], "no service here"
        unit.write_text(shipped)
        (finding,) = check_alone(settings)
        assert finding.level == "bad"
        assert finding.what == (
            f"web.metrics_token_file: {token}: the service cannot read this secret, and its unit does not hand it on."
        )
        assert "CALLCENTER_WEB__METRICS_TOKEN_FILE" in finding.remedy
        unit.write_text(shipped.replace("DynamicUser=yes", "User=hotline"))
        assert check_alone(settings) == [], "an account of the site's own"
        for text in (re.sub("^#(?=LoadCredential|Environment)", "", shipped, flags=re.MULTILINE), shipped):
            unit.write_text(text)
            assert levels(check_alone(settings)) == ("" if text is not shipped else "bad")
        drop_in = folder / "callcenter.service.d" / "override.conf"
        drop_in.parent.mkdir()
        drop_in.write_text(f"[Service]\n{lines}")
        assert check_alone(settings) == [], "handed on by what systemctl edit wrote"


# --- the command -----------------------------------------------------------------------------------------------------


@pytest.fixture
def config(tmp_path: Path) -> Path:
    (tmp_path / "callcenter.toml").write_text("")
    return tmp_path / "callcenter.toml"


def test_secrets_are_looked_at_with_the_settings_alone(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config.write_text(config.read_text() + 'web.metrics_token_file = "token"\n')
    assert main(["check", "--settings-only", "-c", str(config)]) == FAILED
    said = capsys.readouterr().out
    assert f"BAD  web.metrics_token_file: {config.parent}/token: the secret file is missing." in said
    assert "valid" not in said
    token = config.with_name("token")
    token.write_text("x")
    token.chmod(0o644)
    assert main(["check", "--settings-only", "-c", str(config)]) == OK
    said = capsys.readouterr().out
    assert "WARN web.metrics_token_file: " in said
    assert said.endswith("The configuration is valid.\n")


def test_the_mistakes_of_the_settings_and_of_their_files_are_told_at_once(
    config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config.write_text("[site]\ntimezone = 'Mars'\n[calendar]\nholidays = 'de'\nfiles = ['gone.toml', 'bad.toml']\n")
    config.with_name("bad.toml").write_text("foo = 1\nyears = [1999]\n")
    assert main(["check", "-c", str(config)]) == USAGE
    said = capsys.readouterr().err.splitlines()
    assert [line.partition(":")[0] for line in said[:2]] == ["calendar.holidays", "site.timezone"]
    assert "gone.toml cannot be read" in said[2]
    assert [line.rpartition("bad.toml: ")[2].partition(":")[0] for line in said[3:]] == ["foo", "years"]
