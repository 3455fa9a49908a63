"""The address of the store, and what driver errors mean."""

import sqlite3
from pathlib import Path

import pytest

from callcenter.errors import BrokenWorld
from callcenter.store import faults
from callcenter.store.errors import StoreError, StoreUnavailableError
from callcenter.store.location import PostgresDatabase, SqliteFile, locate


def test_addresses(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert locate("sqlite:///x.db") == SqliteFile(tmp_path.resolve() / "x.db")
    assert locate("sqlite:////var/lib/c/x.db") == SqliteFile(Path("/var/lib/c/x.db"))
    assert locate("sqlite:///a%20b%3F.db") == SqliteFile(tmp_path.resolve() / "a b?.db")
    url = "postgresql://callcenter@db.example:5433/calls?sslmode=verify-full"
    assert locate(url) == PostgresDatabase(url)
    assert str(locate(url)) == "the PostgreSQL database calls on db.example"
    assert str(locate("postgresql:///calls")) == "the PostgreSQL database calls on the local socket"


@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        ("", "must begin with sqlite:/// or postgresql://"),
        ("mysql://x/y", "must begin with sqlite:/// or postgresql://"),
        ("sqlite://x.db", "write sqlite:///FILE"),
        ("sqlite:///", "write sqlite:///FILE"),
        ("sqlite:///:memory:", "write sqlite:///FILE"),
        ("sqlite:///x.db?mode=ro", "write sqlite:///FILE"),
        ("postgresql://u:geheim@h/d", "must not hold the password; put it into a file"),
        ("postgresql://u@h/d?password=geheim", "must not hold the password; put it into a file"),
        ("postgresql://u@h", "names no database"),
        ("postgresql://u@h:port/d", "is no address"),
    ],
)
def test_bad_addresses_are_refused(url: str, sentence: str) -> None:
    with pytest.raises(StoreError, match=sentence) as caught:
        locate(url)
    assert str(caught.value).startswith("store.url: ")
    assert "geheim" not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "sentence", "kind"),
    [
        ("SQLITE_BUSY", "locked by another process", StoreUnavailableError),
        ("SQLITE_BUSY_SNAPSHOT", "locked by another process", StoreUnavailableError),
        ("SQLITE_FULL", "the disk is full", StoreUnavailableError),
        ("SQLITE_IOERR_FSYNC", "the disk reports an error", StoreUnavailableError),
        ("SQLITE_READONLY", "is read-only", StoreUnavailableError),
        ("SQLITE_CORRUPT_VTAB", "is damaged", StoreError),
        ("SQLITE_NOTADB", "is damaged", StoreError),
        ("SQLITE_CONSTRAINT_UNIQUE", "a defect of callcenter", StoreError),
    ],
)
def test_what_sqlite_errors_mean(name: str, sentence: str, kind: type[Exception]) -> None:
    error = sqlite3.OperationalError("a driver's text with 13800138000 in it")
    error.sqlite_errorname = name  # type: ignore[misc]
    explained = faults.explain(error, "the SQLite file /x.db")
    assert type(explained) is kind
    assert sentence in str(explained)
    assert "13800138000" not in str(explained)
    assert isinstance(explained, BrokenWorld) == (kind is StoreUnavailableError)
    assert faults.breaks_connection(error) == name.startswith(("SQLITE_IOERR", "SQLITE_CORRUPT", "SQLITE_NOTADB"))
