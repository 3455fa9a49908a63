"""Twenty spoken calls through the real vosk and the shipped script: ten with one planted error each, ten without.

Two voices that the model never heard, two tracks, G.711 with a line's hiss; ``callcenter transcribe`` hears them,
``callcenter phrases check`` judges what it wrote. tests/asterisk/test_twenty_calls.py has them over SIP.
"""

import itertools
import re
from pathlib import Path

import pytest

from callcenter.quality.scripts import default_script
from tests.fakes.spoken import MODEL
from tests.fakes.spoken_stories import judged
from tests.fakes.twenty_calls import CLEAN, PLANTED


def spellings(text: str) -> list[str]:
    """A choice of single characters stays one piece of a wording: (用|弄)错了."""
    parts = [part.strip("()").split("|") for part in re.split(r"(\([^)]*\))", text)]
    return ["".join(chosen) for chosen in itertools.product(*parts)]


def made_of(words: set[str], text: str) -> bool:
    reached = {0}
    for end in range(1, len(text) + 1):
        if any(text[start:end] in words for start in reached):
            reached.add(end)
    return len(text) in reached


def test_the_model_knows_words_of_every_forbidden_phrase() -> None:
    """Otherwise "not found" would say nothing."""
    words = {line.split()[0] for line in (MODEL / "graph" / "words.txt").read_text("utf-8").splitlines()}
    for phrase in default_script().phrases:
        if phrase.kind == "forbidden":
            texts = {"".join(part.text for part in wording if part.kind == "words") for wording in phrase.variants}
            known = [text for one in texts for text in spellings(one) if made_of(words, text)]
            assert len(known) >= 8, (phrase.name, known)


@pytest.mark.parametrize("number", range(len(CLEAN)))
def test_a_clean_call_is_accused_of_nothing(number: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    judged(CLEAN[number], tmp_path, number, capsys).accused_of_nothing()


@pytest.mark.parametrize("number", range(len(PLANTED)))
def test_a_planted_error_is_found(number: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    judged(PLANTED[number], tmp_path, number, capsys).accused_of_what_was_planted()
