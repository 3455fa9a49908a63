"""Which transcripts may hold what is looked for, asked of the database.

On the path of a call: long after it, for the review page. ``quality/search`` looks into the words of what is proposed.
Promises: nothing that ``quality/search`` would find in what recognisers write is left out (the text is stored in
simplified characters, like the terms); every value is bound.
Never: decides what is found.
"""

from collections.abc import Mapping
from itertools import groupby, islice

from sqlalchemy import ColumnElement, and_, func

from callcenter.quality.search import DIGITS
from callcenter.store.schema import transcripts

MAX_RUNS = 4
"""Of letters or digits in a term that is asked for exactly; the rest is left to the words."""


def may_hold(term: str) -> ColumnElement[bool]:
    """Whether the text may hold a folded term. Letters whose case a database might not know stand for any letter.

    Most rows are only asked whether they have the letters in this order: taking marks out costs far more."""
    lower = func.lower(transcripts.c.text)
    found = [_like(lower, "%".join("" if c.isdigit() else _letter(c) for c in term))]
    for digits, run in islice(groupby(term, str.isdigit), MAX_RUNS):
        text = _without(transcripts.c.text, _BETWEEN_DIGITS | _DIGITS) if digits else _without(lower, _MARKS)
        found.append(_like(text, "".join(map(_letter, run))))
    return and_(*found)


def _letter(c: str) -> str:
    return _WILD.get(c, c if c.isascii() or c.isdigit() or c.lower() == c.upper() else "_")


def _like(text: ColumnElement[str], pattern: str) -> ColumnElement[bool]:
    return text.like(f"%{pattern}%", escape="/")


def _without(text: ColumnElement[str], replaced: Mapping[str, str]) -> ColumnElement[str]:
    for one, other in replaced.items():
        text = func.replace(text, one, other)
    return text


_WILD = {"%": "/%", "_": "/_", "/": "//"}
_MARKS = dict.fromkeys(" \n，。？！、,.?!'-*", "")
"""What stands between the letters of a stored text: spaces, and the punctuation of recognisers that write any."""
_BETWEEN_DIGITS = dict.fromkeys(" ,-", "")
_DIGITS = {spoken: DIGITS[spoken] for spoken in "零〇洞一幺二两三四五六七拐八九勾"}
"""Those that recognisers write. SQLite's parser knows no more than about thirty calls in one another."""
