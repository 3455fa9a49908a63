"""docker/callcenter.service gives every secret that the settings may name to an account that reads no such file."""

import re
from pathlib import Path

import pytest

from callcenter.settings import Settings, load, secret_files

UNIT = (Path(__file__).parents[2] / "docker" / "callcenter.service").read_text("utf-8")
MADE_BY_THE_README = {"asterisk.secret_file", "hooks.token_file"}
LOADED = re.compile(r"^(#?)LoadCredential=([a-z0-9-]+):(.+)$", re.MULTILINE)
GIVEN = re.compile(r"^(#?)Environment=(CALLCENTER_\w+)=(.+)$", re.MULTILINE)


def variable(key: str) -> str:
    return "CALLCENTER_" + key.replace(".", "__").upper()


@pytest.mark.parametrize("key", [key for key, _ in secret_files(Settings())])
def test_the_unit_can_give_every_secret_that_the_settings_may_name(key: str) -> None:
    (given,) = [found for found in GIVEN.finditer(UNIT) if found[2] == variable(key)]
    name = given[3].removeprefix("%d/")
    (loaded,) = [found for found in LOADED.finditer(UNIT) if found[2] == name]
    assert loaded[3] == f"/etc/callcenter/secrets/{name}"
    assert loaded[1] == given[1] == ("" if key in MADE_BY_THE_README else "#"), "both lines, or neither"


def test_the_variables_of_the_unit_are_settings() -> None:
    environment = {name: value.replace("%d", "/run/credentials/x") for _, name, value in GIVEN.findall(UNIT)}
    assert all(path is not None for _, path in secret_files(load(None, environment)))


def test_the_unit_gives_secrets_and_nothing_else() -> None:
    """What callcenter.toml says otherwise (another database) would be overridden without a word."""
    assert {name for _, name, _ in GIVEN.findall(UNIT)} == {variable(key) for key, _ in secret_files(Settings())}


def test_a_site_without_store_url_has_its_database_in_the_state_folder() -> None:
    """The only folder that the service may write to is where it begins."""
    assert Settings().store.url == "sqlite:///callcenter.db"
    assert "WorkingDirectory=%S/callcenter\n" in UNIT
    assert "StateDirectory=callcenter\n" in UNIT


def test_there_is_a_line_for_every_file_that_is_loaded() -> None:
    loaded = [name for _, name, _ in LOADED.findall(UNIT)]
    assert sorted(loaded) == sorted(value.removeprefix("%d/") for _, _, value in GIVEN.findall(UNIT))
