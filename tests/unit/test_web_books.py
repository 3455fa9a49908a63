"""The page of the books: in both languages, for supervisors alone, with a reason or none for every difference."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from callcenter.calls.books import Book, Difference, Kind, Reason
from callcenter.web.books import BOOKS, KINDS, REASONS
from callcenter.web.context import PORTS
from callcenter.web.health_ports import BookDay, BookLine
from tests.fakes.web_client import Site, site
from tests.fakes.web_server import OPTIONS


class Kept:
    """``ports.Books`` with what a test puts in; remembers what was asked for."""

    def __init__(self, lines: Sequence[BookLine], days: Mapping[str, BookDay]) -> None:
        self._lines, self._days = lines, days
        self.asked: list[tuple[Any, ...]] = []

    async def lines(self, *asked: Any) -> Sequence[BookLine]:
        self.asked.append(asked)
        return self._lines

    async def days(self, since: str) -> Mapping[str, BookDay]:
        return self._days


def keep(here: Site, lines: Sequence[BookLine] = (), days: Mapping[str, BookDay] | None = None) -> Kept:
    kept = Kept(lines, days or {})
    app = here.server.app
    app._state[PORTS] = replace(app[PORTS], books=kept)
    return kept


def line(
    here: Site, number: int, kind: Kind, reason: Reason | None = None, ours: str = "", theirs: str = ""
) -> BookLine:
    at = here.memory.now() - 60 * number
    found = Difference(f"pbx-1.{number}", kind, Book.CDR if number % 2 else Book.QUEUE_LOG, ours, theirs, reason, at)
    return BookLine(found, None if number == 2 else 187, None if number == 2 else "26-1126-0187")


async def page(here: Site, language: str = "zh", path: str = "/books") -> str:
    here.memory.users_by_name["wu"] = replace(here.memory.users_by_name["wu"], language=language)
    answer = await (await here.signed_in("wu")).get(path)
    assert answer.status == 200
    return str(await answer.text())


@pytest.mark.parametrize("language", ["zh", "en"])
async def test_every_kind_and_reason_has_its_words(language: str) -> None:
    async with site() as here:
        lines = [line(here, n, kind) for n, kind in enumerate(Kind, 1)]
        lines += [line(here, n, Kind.TALK, reason, "9.0 s", "11.0 s") for n, reason in enumerate(Reason, 50)]
        keep(here, lines)
        text = await page(here, language, "/books?show=all")
        assert "None" not in text
        assert "%(" not in text
        assert text.count("data-row") == len(lines)
        assert (text.count("未解释</span>") if language == "zh" else text.count("Not explained</span>")) == len(Kind)
        assert 'href="/tickets/187"' in text
        assert "pbx-1.2" in text
        assert ("11.0 秒" if language == "zh" else "11.0 s") in text


def test_nothing_is_without_words() -> None:
    for words, codes in ((KINDS, Kind), (REASONS, Reason), (BOOKS, Book)):
        assert set(words) == {code.value for code in codes}


async def test_what_differs_is_text_and_nothing_else() -> None:
    async with site() as here:
        keep(here, [line(here, 1, Kind.QUEUE, None, "support", "<script>alert(1)</script>")])
        assert "<script>alert" not in await page(here)


async def test_a_day_says_how_it_was_compared() -> None:
    async with site() as here:
        today = datetime.fromtimestamp(here.memory.now(), OPTIONS.zone).date()
        days = {(today - timedelta(days=n)).isoformat(): BookDay(500 + n, n == 1, 1.0) for n in (1, 2)}
        keep(here, [line(here, 0, Kind.WAIT)], days)
        text = await page(here)
        assert "已核对 501 通" in text
        assert "502 通" not in text, "a day that was not compared whole has no figure"
        assert "当日没有全部核对" in text
        assert "当日未完" in text


@pytest.mark.parametrize(
    ("path", "explained", "kind"),
    [
        ("/books", False, ""),
        ("/books?show=explained&fact=talk", True, "talk"),
        ("/books?show=all&days=30", None, ""),
        ("/books?show=x&days=-1&fact=drop%20table", False, ""),
    ],
)
async def test_filters(path: str, explained: bool | None, kind: str) -> None:
    async with site() as here:
        kept = keep(here)
        text = await page(here, path=path)
        ((_, _, *asked),) = kept.asked
        assert asked == [explained, kind, 500]
        assert "drop" not in text


async def test_where_nothing_is_read_the_page_says_so() -> None:
    async with site() as here:
        assert "asterisk.queue_log_file" in await page(here)


@pytest.mark.parametrize("name", ["li", "qa"])
async def test_it_is_for_supervisors(name: str) -> None:
    async with site() as here:
        answer = await (await here.signed_in(name)).client.get("/books")
        assert answer.status == 403
