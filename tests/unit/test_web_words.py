"""Every message has its Chinese, with the same slots; every phrase exists in both languages."""

import re
import string
from collections.abc import Iterator
from pathlib import Path

import pytest
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po

import callcenter.web
from callcenter.web.words import LANGUAGES, LOCALE_DIR, load

WEB = Path(callcenter.web.__file__).parent
TRANSLATED = [language for language in LANGUAGES if language != "en"]
SLOT = re.compile(r"%\((\w+)\)s|%s")


def messages() -> Iterator[str | tuple[str, ...]]:
    """All that the code and the templates ask for."""
    methods = [("**.py", "python"), ("**/templates/**.html", "jinja2.ext:babel_extract")]
    jinja = {"newstyle_gettext": "true", "trim_blocks": "true", "lstrip_blocks": "true", "silent": "false"}
    words = {"N_": None, "_": None, "gettext": None, "ngettext": (1, 2)}
    for _, _, message, _, _ in extract_from_dir(WEB, methods, {"**/templates/**.html": jinja}, keywords=words):
        yield message if isinstance(message, str) else tuple(message)


@pytest.mark.parametrize("language", TRANSLATED)
def test_the_catalogue_holds_every_message_and_no_other(language: str) -> None:
    with (LOCALE_DIR / language / "messages.po").open("rb") as file:
        catalogue = {entry.id: entry for entry in read_po(file, locale=language) if entry.id}
    asked = set(messages())
    assert len(asked) > 250
    missing = [one for one in asked if one not in catalogue or not all(_strings(catalogue[one].string))]
    assert not missing
    assert not [one for one in catalogue if one not in asked]
    assert not [entry.id for entry in catalogue.values() if entry.fuzzy]


def _strings(value: object) -> tuple[str, ...]:
    return (value,) if isinstance(value, str) else tuple(value or ("",))  # type: ignore[arg-type]


@pytest.mark.parametrize("language", TRANSLATED)
def test_translations_keep_their_slots(language: str) -> None:
    with (LOCALE_DIR / language / "messages.po").open("rb") as file:
        for entry in read_po(file, locale=language):
            source = entry.id if isinstance(entry.id, str) else entry.id[1]
            for text in _strings(entry.string) if entry.id else ():
                assert sorted(SLOT.findall(text)) == sorted(SLOT.findall(source)), text


def test_phrases_are_the_same_set_with_the_same_slots() -> None:
    first, *rest = (load(language).phrases for language in LANGUAGES)
    for phrases in rest:
        assert phrases.keys() == first.keys()
        for key in first:
            assert _slots(phrases[key]) == _slots(first[key]), key


def _slots(phrase: str) -> set[str | None]:
    return {name for _, name, _, _ in string.Formatter().parse(phrase) if name}


def test_the_greeting_has_the_company_and_the_seats_number() -> None:
    said = load("zh").say("greeting", company="远信服务", seat="018")
    assert said == "您好，远信服务，我是 018 号值班员"


def test_english_is_its_own_source() -> None:
    words = load("en")
    assert words.gettext("Desk") == "Desk"
    assert words.ngettext("%(n)s call", "%(n)s calls", 1) == "%(n)s call"
    assert words.ngettext("%(n)s call", "%(n)s calls", 2) == "%(n)s calls"


def test_chinese_has_one_plural_form() -> None:
    assert load("zh").ngettext("%(n)s call", "%(n)s calls", 1) == load("zh").ngettext("%(n)s call", "%(n)s calls", 7)
