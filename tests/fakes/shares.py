"""Which percentages of a page stand alone: each share of calls, seats or answers has beside it how many it is of."""

import re
from html import unescape

SHARE = re.compile(r"(?<![\d.])[+-]?(?:\d+\.\d|100) %(?! 0 %)")
"""Has one decimal, or is all. The marks of an axis are none."""
WHOLE = re.compile(r"(?<![\d.])\d+ %(?!,)")
"""Of a page without decimals."""
AIM = re.compile(r"目标 $")
"""What is aimed at is of nothing."""
CALLS = re.compile(r" ?(?:目标 [\d.]+ % )?(?:共|已接)? ?[1-9]\d* (通|个|份|次|席|条|小时)")
CHANGE = re.compile(r"(higher|lower|高|低|多|少)\D{0,4}$")
"""A change of a count is no share."""
_INLINE = re.compile(r"</?(title|b|span|bdi)\b[^>]*>")


def text_of(html: str) -> str:
    """As it is read, in one line."""
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]*>", " ", _INLINE.sub("", html))))


def bare_shares(text: str, share: re.Pattern[str] = SHARE) -> list[str]:
    """Percentages without how many they are of, with what stands around them."""
    bare = [one for one in _shares(text, share) if not CALLS.match(text, one.end())]
    return [text[max(0, one.start() - 40) : one.end() + 20] for one in bare]


def look(html: str, least: int, share: re.Pattern[str] = SHARE) -> None:
    """Each share of the page stands beside its number, and there are at least so many."""
    text = text_of(html)
    bare, shares = bare_shares(text, share), _shares(text, share)
    assert not bare, bare
    assert len(shares) >= least, f"there is something to find: {len(shares)}"


def _shares(text: str, share: re.Pattern[str]) -> list[re.Match[str]]:
    return [
        one
        for one in share.finditer(text)
        if not AIM.search(text, 0, one.start()) and not CHANGE.search(text, 0, one.start())
    ]
