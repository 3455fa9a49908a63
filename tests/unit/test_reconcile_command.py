"""``callcenter reconcile``: exit codes, the table, JSON lines, and sentences for what is asked wrongly."""

import json
from pathlib import Path

import pytest

from callcenter.cli import main
from tests.store.build import commit
from tests.store.places import Place
from tests.unit.test_books import ID, OURS, queue_log, row

DAY = ["--from", "2026-11-22"]


@pytest.fixture
async def config(sqlite: Place, tmp_path: Path) -> Path:
    """Of a site with one call, and with both of Asterisk's books."""
    async with sqlite.open() as store:
        await commit(store, calls=[OURS])
    (tmp_path / "cdr.csv").write_text(row() + "\n")
    (tmp_path / "queue_log").write_text(queue_log() + "\n")
    path = tmp_path / "callcenter.toml"
    books = 'cdr_file = "cdr.csv"\nqueue_log_file = "queue_log"'
    path.write_text(f'[asterisk]\n{books}\n[store]\nurl = "{sqlite.url}"\n')
    return path


def test_books_that_agree(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["reconcile", "-c", str(config), *DAY]) == 0
    assert capsys.readouterr().out == "1 calls compared: 0 differences not explained, 0 explained.\n"


def test_a_difference_is_exit_code_1_and_a_row(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (config.parent / "cdr.csv").write_text(row(userfield="sales") + "\nhalf a line\n")
    assert main(["reconcile", "-c", str(config), *DAY]) == 1
    head, line, total = capsys.readouterr().out.splitlines()
    assert head.split() == ["ended", "call", "fact", "book", "ours", "theirs", "reason"]
    assert line.split()[2:] == [ID, "queue", "cdr", "support", "sales", "NOT", "EXPLAINED"]
    assert total == "1 calls compared: 1 differences not explained, 0 explained, 1 unreadable lines."


def test_as_json(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (config.parent / "cdr.csv").write_text(row(userfield="sales") + "\n")
    assert main(["reconcile", "-c", str(config), *DAY, "--format", "json"]) == 1
    one, total = map(json.loads, capsys.readouterr().out.splitlines())
    assert (one["call_id"], one["kind"], one["theirs"], one["reason"]) == (ID, "queue", "sales", None)
    assert (total["compared"], total["unexplained"], total["read"]) == (1, 1, ["cdr", "queue_log"])


def test_a_book_that_is_not_there_is_told(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (config.parent / "queue_log").unlink()
    assert main(["reconcile", "-c", str(config), *DAY]) == 0
    assert "asterisk.queue_log_file is not there: nothing was compared with it." in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--from", "yesterday"], "--from is no day"),
        (["--to", "2026-13-01"], "--to is no day"),
        (["--from", "2026-11-22", "--to", "2026-11-21"], "--to is before --from"),
        (["--from", "2020-11-22", "--to", "2026-11-21"], "more than 366 days"),
    ],
)
def test_what_is_asked_wrongly(
    config: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], sentence: str
) -> None:
    assert main(["reconcile", "-c", str(config), *arguments]) == 2
    assert sentence in capsys.readouterr().err


def test_without_books_it_says_what_to_set(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = tmp_path / "callcenter.toml"
    config.write_text('[store]\nurl = "sqlite:///none.db"\n')
    assert main(["reconcile", "-c", str(config)]) == 2
    assert "asterisk.queue_log_file" in capsys.readouterr().err


def test_a_time_that_is_none_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = tmp_path / "callcenter.toml"
    config.write_text('[books]\nnightly_at = "25:00"\n')
    assert main(["reconcile", "-c", str(config)]) == 2
    assert "books.nightly_at" in capsys.readouterr().err
