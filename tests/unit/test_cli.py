"""The command line: every mistake ends in a sentence and its exit code, never in a stack trace."""

import asyncio
import io
import json
import os
import re
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
from argon2 import PasswordHasher

import callcenter
from callcenter import __version__, cli
from callcenter.cli import FAILED, OK, USAGE, main
from callcenter.errors import BadInput
from callcenter.opening import open_store
from callcenter.settings import load
from tests.fakes.logs import log_put_back
from tests.fakes.spoken import MODEL

CAPTURES = Path(__file__).parents[1] / "captures"
STORY = CAPTURES / "queue-answered.least.ami"


@pytest.fixture(autouse=True)
def log() -> Iterator[None]:
    with log_put_back():
        yield


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """A configuration whose only content is a database of its own."""
    file = tmp_path / "callcenter.toml"
    file.write_text(f'store.url = "sqlite:///{tmp_path}/callcenter.db"\n')
    return file


def told(capsys: pytest.CaptureFixture[str]) -> str:
    """What stands on stderr, checked to be sentences."""
    text = capsys.readouterr().err
    assert "Traceback" not in text
    assert text.strip()
    return text


def test_replay_prints_one_line_per_call(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["replay", str(STORY), "--format", "jsonl"]) == OK
    out = capsys.readouterr().out
    (line,) = out.splitlines()
    assert json.loads(line)["outcome"] == "answered"


def test_replay_of_the_pieces_prints_what_it_prints_of_the_whole(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = STORY.read_bytes()
    pieces = [tmp_path / "1", tmp_path / "2"]
    pieces[0].write_bytes(data[: len(data) // 2])
    pieces[1].write_bytes(data[len(data) // 2 :])
    assert main(["replay", str(STORY)]) == OK
    whole = capsys.readouterr().out
    assert main(["replay", *map(str, pieces)]) == OK
    assert capsys.readouterr().out == whole


def test_replay_takes_the_cadence_of_a_configuration(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The seat rings for 7 s: two rings of 5 s, four of 2 s."""
    file = tmp_path / "site.toml"
    file.write_text("[rings]\non_seconds = 1.0\noff_seconds = 1.0\n")
    heard = []
    for more in ([], ["-c", str(file)]):
        assert main(["replay", str(STORY), *more]) == OK
        heard.append(json.loads(capsys.readouterr().out)["rings_heard"])
    assert heard == [2, 4]


@pytest.mark.parametrize(
    "arguments", [["replay", "/nowhere/a.ami"], ["replay", "/"], ["replay", "x", "-c", "/nowhere"]]
)
def test_replay_of_what_cannot_be_read(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(arguments) == USAGE
    assert "cannot be read" in told(capsys)


@pytest.mark.parametrize("content", ["Asterisk Call Manager/11.0.0\r\n", "Event: FullyBooted\r\nPrivilege: a\r\n\r\n"])
def test_replay_of_what_holds_no_call_says_so(content: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "quiet.ami"
    file.write_text(content, newline="")
    assert main(["replay", str(file)]) == OK
    assert "There is no call in this capture." in told(capsys)


@pytest.mark.parametrize("content", ["root:x:0:0\n", "", "[general]\n\nenabled = yes\n\n", "\x00\x01\r\n\r\n\x7fELF"])
def test_replay_of_what_is_no_capture_is_a_mistake(
    content: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "passwd"
    file.write_text(content, newline="")
    assert main(["replay", str(file)]) == USAGE
    said = told(capsys)
    assert said.count("\n") == 1
    assert f"{file}: is no AMI capture" in said


def test_replay_into_a_pipe_that_closes_is_quiet(tmp_path: Path) -> None:
    """``callcenter replay x | head -1``"""
    arrivals = "".join(
        f"Event: Newchannel\r\nPrivilege: call,all\r\nTimestamp: 1700000000.{n}\r\nChannel: PJSIP/t-{n}\r\n"
        f"Uniqueid: p-1700000000.{n}\r\nLinkedid: p-1700000000.{n}\r\n\r\n"
        for n in range(3_000)
    )
    file = tmp_path / "many.ami"
    file.write_text(arrivals, newline="")
    process = subprocess.Popen(
        [sys.executable, "-m", "callcenter", "replay", str(file)], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert process.stdout is not None
    assert process.stderr is not None
    with process.stdout, process.stderr:
        assert json.loads(process.stdout.readline())
        process.stdout.close()
        assert process.stderr.read() == b""
    assert process.wait(timeout=60) == OK


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["dance"],
        ["replay"],
        ["replay", str(STORY), "--format", "xml"],
        ["capture"],
        ["capture", "f", "--max-mb", "nan"],
        ["capture", "f", "--max-mb", "-1"],
        ["capture", "f", "--max-mb", "inf"],
        ["capture", "f", "--seconds", "nan"],
        ["capture", "f", "--seconds", "0"],
        ["capture", "f", "--seconds", "soon"],
        ["user"],
        ["user", "dismiss"],
        ["user", "add", "a", "--role", "king"],
        ["prompts"],
        ["--log-level", "LOUD", "run"],
    ],
    ids=" ".join,
)
def test_usage(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as left:
        main(arguments)
    assert left.value.code == USAGE
    assert "usage: callcenter" in told(capsys)


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as left:
        main(["--version"])
    assert left.value.code == OK
    assert capsys.readouterr().out == f"callcenter {__version__}\n"


COMMANDS_WITH_SETTINGS = [["run"], ["check"], ["capture", "f.ami"], ["migrate"], ["user", "list"]]


@pytest.mark.parametrize("command", COMMANDS_WITH_SETTINGS, ids=" ".join)
def test_a_configuration_with_mistakes_lists_them_all(
    command: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "bad.toml"
    file.write_text('[web]\nport = 70000\ncolour = "red"\n[store]\nurl = "mysql://x"\n')
    assert main([*command, "-c", str(file)]) == USAGE
    problems = told(capsys).splitlines()
    assert [problem.split(":")[0] for problem in problems] == ["web.colour", "web.port", "store.url"]


@pytest.mark.parametrize("command", COMMANDS_WITH_SETTINGS, ids=" ".join)
def test_a_configuration_that_is_missing_is_named(command: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*command, "-c", "/nowhere/callcenter.toml"]) == USAGE
    assert told(capsys).count("\n") == 1


@pytest.mark.parametrize("command", COMMANDS_WITH_SETTINGS, ids=" ".join)
def test_a_folder_without_a_configuration_is_told_and_nothing_is_made_there(
    command: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in [name for name in os.environ if name.startswith("CALLCENTER_") and "__" in name]:
        monkeypatch.delenv(name)
    assert main(command) == USAGE
    assert told(capsys) == "There is no callcenter.toml in this folder; name the configuration after -c.\n"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("key", ["web.port", "hooks.agi_port"])
def test_a_port_that_is_taken_is_named_with_its_setting(
    key: str, config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["migrate", "-c", str(config)]) == OK
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        ports = {"web.port": 0, "hooks.agi_port": 0} | {key: port}
        config.write_text(config.read_text() + "".join(f"{name} = {number}\n" for name, number in ports.items()))
        assert main(["run", "-c", str(config)]) == FAILED
    assert f"{key}: cannot listen on 127.0.0.1:{port}: another program listens there" in told(capsys)


def test_settings_can_be_checked_alone(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", "--settings-only", "-c", str(config)]) == OK
    assert "valid" in capsys.readouterr().out


def test_a_capture_without_a_secret_says_so(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["capture", "f.ami", "-c", str(config)]) == USAGE
    assert "asterisk.secret_file" in told(capsys)


def test_migrate_makes_the_tables_and_is_content_the_second_time(
    config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["migrate", "-c", str(config)]) == OK
    assert "tables are made" in capsys.readouterr().out
    assert main(["migrate", "-c", str(config)]) == OK


def test_a_database_in_a_folder_that_is_not_there_is_the_worlds_fault(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "c.toml"
    file.write_text(f'store.url = "sqlite:///{tmp_path}/nowhere/callcenter.db"\n')
    assert main(["run", "-c", str(file)]) == FAILED
    assert told(capsys).count("\n") == 1


# --- people ----------------------------------------------------------------------------------------------------------


def user(config: Path, *arguments: str) -> int:
    return main(["user", *arguments, "-c", str(config)])


def typed(monkeypatch: pytest.MonkeyPatch, text: bytes) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(text), encoding="utf-8"))


def test_people_are_added_changed_and_listed_without_their_hash(
    config: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    typed(monkeypatch, "correct horse 电池\n".encode())
    assert user(config, "add", "李晓雯", "--extension", "1001", "--work-number", "018", "--password-stdin") == OK
    assert user(config, "set", "李晓雯", "--work-number", "019") == OK
    assert user(config, "disable", "李晓雯") == OK
    capsys.readouterr()
    assert user(config, "list") == OK
    assert capsys.readouterr().out == "李晓雯: seat, extension 1001, work number 019, zh, disabled\n"


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["add", "--password-stdin"], "name: give the log-in name"),
        (["add", "a b", "--password-stdin"], "name: give the log-in name"),
        (["add", "a", "--password-stdin"], "--extension: a seat needs the telephone"),
        (["add", "a", "--extension", "10 01", "--password-stdin"], "--extension: letters, digits"),
        (["set", "a"], "set: say what to change"),
        (["set", "nobody", "--language", "en"], "There is no user of that name"),
        (["disable", "nobody"], "There is no user of that name"),
        (["enable"], "name: give the log-in name"),
        (["add", "\udcff", "--role", "admin", "--password-stdin"], "name: give the log-in name"),
        (["add", "a", "--role", "admin", "--display-name", "\udcff", "--password-stdin"], "--display-name"),
        (["add", "a", "--role", "admin", "--work-number", "1\n2", "--password-stdin"], "--work-number"),
    ],
    ids=lambda value: " ".join(value).encode("ascii", "backslashreplace").decode() if isinstance(value, list) else "",
)
def test_mistakes_about_people(
    arguments: list[str],
    sentence: str,
    config: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    typed(monkeypatch, b"long enough\n")
    assert user(config, *arguments) == USAGE
    text = told(capsys)
    assert sentence in text
    assert text.count("\n") == 1


@pytest.mark.parametrize(
    ("password", "sentence"), [(b"short\n", "at least 8"), (b"", "at least 8"), (b"\xff\xfe\xfd bad\n", "not UTF-8")]
)
def test_passwords_that_will_not_do(
    password: bytes,
    sentence: str,
    config: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    typed(monkeypatch, password)
    assert user(config, "add", "a", "--role", "admin", "--password-stdin") == USAGE
    assert sentence in told(capsys)


def test_a_password_is_not_asked_for_where_nobody_can_answer(config: Path) -> None:
    arguments = ["user", "add", "a", "--role", "admin", "-c", str(config)]
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-m", "callcenter", *arguments],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        start_new_session=True,
        env={**os.environ},
        timeout=60,
        check=False,
    )
    assert done.returncode == USAGE
    assert "--password-stdin" in done.stderr
    assert "Traceback" not in done.stderr


def test_mistakes_are_told_before_a_password_is_asked_for(
    config: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(cli, "_password", lambda _: pytest.fail("asked for a password"))
    for arguments in (["add"], ["add", "a"], ["add", "a", "--extension", "10 01"], ["set", "", "--password-stdin"]):
        assert user(config, *arguments) == USAGE
        assert told(capsys).count("\n") == 1


def test_the_list_shows_who_a_log_in_name_is(
    config: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    typed(monkeypatch, b"correct horse\n")
    assert user(config, "add", "wu", "--role", "qa", "--display-name", "吴倩", "--password-stdin") == OK
    capsys.readouterr()
    assert user(config, "list") == OK
    assert capsys.readouterr().out == "wu (吴倩): qa, no extension, zh\n"


def test_an_administrator_changes_whatever_belongs_to_a_person(
    config: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Role, extension, work number, name, language; a password at the terminal; and back in after leaving."""
    typed(monkeypatch, b"correct horse\n")
    assert user(config, "add", "wu", "--extension", "1003", "--password-stdin") == OK
    before = asyncio.run(_hash_of(config, "wu"))
    assert user(config, "set", "wu", "--role", "qa", "--extension", "", "--work-number", "003") == OK
    assert user(config, "set", "wu", "--display-name", "吴倩", "--language", "en") == OK
    monkeypatch.setattr("sys.stdin", SimpleNamespace(isatty=lambda: True))
    monkeypatch.setattr("getpass.getpass", lambda prompt: "another horse")
    assert user(config, "set", "wu", "--password") == OK
    after = asyncio.run(_hash_of(config, "wu"))
    assert PasswordHasher().verify(after, "another horse")
    assert after != before
    assert user(config, "disable", "wu") == OK
    assert user(config, "enable", "wu") == OK
    capsys.readouterr()
    assert user(config, "list") == OK
    assert capsys.readouterr().out == "wu (吴倩): qa, no extension, work number 003, en\n"


async def _hash_of(config: Path, name: str) -> str:
    store = await open_store(load(config), exclusive=False)
    try:
        found = await store.users.get(name)
        assert found is not None
        return found.password_hash
    finally:
        await store.close()


def test_the_telephone_of_somebody_who_left_is_free_for_the_next(
    config: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def add(name: str) -> int:
        typed(monkeypatch, b"correct horse\n")
        return user(config, "add", name, "--extension", "1001", "--password-stdin")

    assert add("old") == OK
    assert user(config, "set", "old", "--extension", "") == USAGE
    assert "a seat needs the telephone" in told(capsys)
    assert user(config, "disable", "old") == OK
    assert add("new") == USAGE
    assert "callcenter user set old --extension ''" in told(capsys)
    assert user(config, "set", "old", "--extension", "") == OK
    assert add("new") == OK
    assert user(config, "enable", "old") == USAGE
    assert "a seat needs the telephone" in told(capsys)
    assert user(config, "set", "new", "--role", "admin") == OK
    assert user(config, "set", "new", "--extension", "") == OK
    assert user(config, "set", "new", "--role", "seat") == USAGE
    capsys.readouterr()
    assert user(config, "list") == OK
    assert capsys.readouterr().out == ("new: admin, no extension, zh\nold: seat, no extension, zh, disabled\n")


def test_the_same_person_is_not_added_twice(
    config: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for expected in (OK, USAGE):
        typed(monkeypatch, b"long enough\n")
        assert user(config, "add", "a", "--role", "admin", "--password-stdin") == expected
    assert told(capsys).count("\n") == 1


def test_a_password_at_the_terminal_is_asked_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    said = iter(("correct horse", "correct hose", "correct horse", "correct horse"))
    monkeypatch.setattr("sys.stdin", SimpleNamespace(isatty=lambda: True))
    monkeypatch.setattr("getpass.getpass", lambda prompt: next(said))
    with pytest.raises(BadInput, match="the two differ"):
        cli._password(from_stdin=False)
    assert cli._password(from_stdin=False) == "correct horse"


@pytest.mark.parametrize("option", ["--seat", "--caller", "--model"])
def test_what_a_back_fill_would_not_look_at_is_refused(option: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["transcribe", "--since", "2026-11-01", option, "x"]) == USAGE
    sentence = "transcribe: --since takes recordings and model of the configuration; leave {} out.\n"
    assert capsys.readouterr().err == sentence.format(option)


def test_what_commands_a_terminal_is_shown_as_an_escape(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "m\x1b[31m\u202e").mkdir()
    assert main(["models", "list", "--dir", str(tmp_path)]) == FAILED
    assert main(["models", "check", str(tmp_path / "m\x1b[31m\u202e")]) == USAGE
    assert main(["models", "check", str(tmp_path / "new\nline\x9b")]) == USAGE
    shown = capsys.readouterr()
    for text in (shown.out, shown.err):
        assert not any(mark in text for mark in "\x1b\x9b\u202e")
        assert "m\\x1b[31m\\u202e has no am/final.mdl" in text
    shutil.copytree(MODEL, tmp_path / "good\x1b]0;title\x07")
    main(["models", "list", "--dir", str(tmp_path)])
    assert "good\\x1b]0;title\\x07  vosk" in capsys.readouterr().out


def test_erasing_what_is_no_number_says_so(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["erase", "--number", "abc", "--by", "a\x1b[31m", "-c", str(config)]) == USAGE
    assert capsys.readouterr().err.startswith("erase: --by must be a name of 1 to 100 printable characters")


def test_no_message_names_a_package_of_our_name_to_be_fetched_from_a_registry() -> None:
    """The project is installed from its own folder; whoever else has its name on a registry is a stranger."""
    root = Path(callcenter.__file__).parents[1]
    bare = re.compile(r"""['"\s]callcenter\[""")
    files = [*root.glob("callcenter/**/*.py"), *root.glob("docs/*.md"), *root.glob("README*.md")]
    assert [str(path) for path in files if bare.search(path.read_text(encoding="utf-8"))] == []
