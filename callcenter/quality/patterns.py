"""The little language that phrases are written in.

    请问有什么可以帮您        these words, however they are split, mis-heard or interrupted by an "um"
    [请问](您|你)贵姓         [ ] may be missing, ( | ) one of these
    感谢您的来电…再见          … up to ``GAP`` other words between; .. up to ``SHORT_GAP``
    您好…{company}…{number}  the company's name, the seat's work number (工号), as the transcript gives them
    如果…~   ~的话            in contexts: ~ is where the phrase itself was heard
    =步行                     in contexts: written exactly so, over the place where the phrase was heard

Place on the path of a call: read once, when a script is loaded.
Promises: pure; every mistake is one sentence; the number of wordings is bounded. Never: looks at a transcript.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from callcenter.errors import BadInput

GAP = 14
"""Units that ``…`` stands for at most: a short sentence. A choice of single characters stays one piece."""
SHORT_GAP = 3
MOST_WORDINGS = 400
_TOKEN = re.compile(r"\((?:\w\|)+\w\)|…|\.\.\.|\.\.|\{[^{}]*\}|[\[\]()|~]|[^…\[\](){}|~.]+|.")
_GAPS = {"…": GAP, "...": GAP, "..": SHORT_GAP}

Kind = Literal["words", "number", "company", "phrase"]


@dataclass(frozen=True, slots=True)
class Part:
    """``gap``: how many other units may stand between the part before and this one."""

    kind: Kind
    text: str
    gap: int


Wording = tuple[Part, ...]
_Item = tuple[str, str]


def wordings(pattern: str, context: bool = False) -> tuple[Wording, ...]:
    """All wordings of one pattern. Raises ``BadInput`` (without a full stop, for the caller to name the place)."""
    tokens = _TOKEN.findall(pattern)
    items, rest = _alternatives(tokens)
    if rest:
        raise BadInput(f"has a {rest[0]} too many")
    found = tuple(dict.fromkeys(_parts(one) for one in items))
    for one in found:
        _look(one, context)
    return found


def _alternatives(tokens: list[str]) -> tuple[list[list[_Item]], list[str]]:
    """What ``a|b|c`` means, up to the bracket that ends it, and the tokens from there on."""
    found: list[list[_Item]] = []
    branch: list[list[_Item]] = [[]]
    while tokens and tokens[0] not in ("]", ")"):
        mark, *tokens = tokens
        if mark == "|":
            found, branch = found + branch, [[]]
        elif mark in ("[", "("):
            inside, tokens = _alternatives(tokens)
            if not tokens or tokens[0] != {"[": "]", "(": ")"}[mark]:
                raise BadInput(f"has a {mark} that is not closed")
            tokens = tokens[1:]
            branch = [head + tail for head in branch for tail in ([[], *inside] if mark == "[" else inside)]
        else:
            branch = [[*one, _item(mark)] for one in branch]
        if len(found) + len(branch) > MOST_WORDINGS:
            raise BadInput(f"stands for more than {MOST_WORDINGS} wordings; write it as several patterns")
    return found + branch, tokens


def _item(mark: str) -> _Item:
    if mark in _GAPS:
        return "gap", mark
    if mark == "~":
        return "phrase", ""
    if mark in ("{number}", "{company}"):
        return mark[1:-1], ""
    if mark.startswith("{") or mark in ("}", "{"):
        raise BadInput("may use {number} and {company} and no other braces")
    return "words", mark


def _parts(items: list[_Item]) -> Wording:
    return tuple(_joined(items))


def _joined(items: list[_Item]) -> Iterator[Part]:
    """Words that meet are one part; a slot next to words may be one unit away from them (号, 是 ...)."""
    words, gap = "", 0
    pending = 0
    for kind, text in [*items, ("end", "")]:
        if kind == "words":
            words += text
            continue
        if words:
            yield Part("words", words, pending)
            words, pending = "", 1
        if kind == "gap":
            gap = _GAPS[text]
            pending = max(pending, gap)
        elif kind in ("number", "company", "phrase"):
            yield Part(kind, "", pending)  # type: ignore[arg-type]
            pending = 1


def _look(wording: Wording, context: bool) -> None:
    here = sum(part.kind == "phrase" for part in wording)
    if not any(part.kind == "words" and re.search(r"\w", part.text) for part in wording):
        raise BadInput("needs words besides slots and gaps")
    if context and here != 1:
        raise BadInput("needs one ~ in each wording, for the place of the phrase itself")
    if not context and here:
        raise BadInput("may use ~ only in contexts (unless, doubtful_when)")
