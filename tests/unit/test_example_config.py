"""docker/callcenter.toml: names every setting, shows true defaults, loads as it is and with every line in force."""

import re
import tomllib
from dataclasses import fields, is_dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from callcenter.hooks.choices import Greeting, Route
from callcenter.settings import Queue, Settings, Webhook, load

EXAMPLE = Path(__file__).parents[2] / "docker" / "callcenter.toml"
SHOWN = re.compile(r"^#(?=\[|\w+ = )", re.MULTILINE)
"""What is commented out: a key with its default, or an example of a table that repeats."""

SECTIONS = [field.name for field in fields(Settings) if is_dataclass(field.default_factory)]


@pytest.fixture
def whole(tmp_path: Path) -> Path:
    """The example with every commented line in force."""
    file = tmp_path / "callcenter.toml"
    file.write_text(SHOWN.sub("", EXAMPLE.read_text("utf-8")), "utf-8")
    return file


def table(text: str) -> dict[str, Any]:
    return tomllib.loads(text)


def names(kind: type) -> set[str]:
    return {field.name for field in fields(kind)}


def test_it_loads_as_it_is() -> None:
    settings = load(EXAMPLE, {})
    assert settings.store.url.startswith("postgresql://")
    assert settings.queue("support").title == "技术支持"


def test_it_loads_with_every_line_in_force(whole: Path) -> None:
    settings = load(whole, {})
    assert (len(settings.greetings), len(settings.routes)) == (1, 1)
    assert settings.seat_groups["day"].seats == ("1001", "1002")


@pytest.mark.parametrize("section", SECTIONS)
def test_every_key_is_named(whole: Path, section: str) -> None:
    kind = type(getattr(Settings(), section))
    assert table(whole.read_text("utf-8"))[section].keys() == names(kind)


def test_a_webhook_is_shown_with_every_key_and_its_defaults(whole: Path) -> None:
    assert table(whole.read_text("utf-8"))["webhooks"]["crm"].keys() == names(Webhook)
    shown = load(whole, {}).webhooks["crm"]
    assert shown == replace(Webhook(), url=shown.url, secret_file=shown.secret_file)


def test_every_condition_of_a_choice_is_named(whole: Path) -> None:
    found = table(whole.read_text("utf-8"))
    assert found["greetings"][0].keys() == names(Greeting)
    assert found["routes"][0].keys() == names(Route)


@pytest.mark.parametrize("section", SECTIONS)
def test_what_is_commented_out_is_the_default(whole: Path, section: str) -> None:
    chosen = table(EXAMPLE.read_text("utf-8")).get(section, {})
    shown, default = getattr(load(whole, {}), section), getattr(Settings(), section)
    wrong = [
        name
        for name in names(type(default)) - chosen.keys()
        if getattr(default, name) is not None and getattr(shown, name) != getattr(default, name)
    ]
    assert wrong == []


def test_every_part_of_the_settings_is_covered() -> None:
    assert {*SECTIONS, "queues", "seat_groups", "webhooks", "greetings", "routes"} == names(Settings)
    assert isinstance(Settings().queue_defaults, Queue)
