"""What the list of calls can be asked for by finding, as its select shows it: rules, waits, single phrases.

Place on the path of a call: below ``web/review``. Promises: pure; the phrases are those that calls were judged by, also
those of sites' own scripts. Never: asks the store.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from callcenter.quality.review import OF_PHRASE, KnownPhrase
from callcenter.web.review_words import FAULTS, PHRASES, WAITS
from callcenter.web.words import N_


@dataclass(frozen=True, slots=True)
class Choice:
    """``ours``: the title is a message of ours, to be translated. ``missing``: it is looked for where it was not
    said, which a closed select says of no group."""

    value: str
    rule: str
    title: str
    ours: bool = True
    missing: bool = False


Groups: TypeAlias = Sequence[tuple[str, Sequence[Choice]]]
"""Title, empty for what stands alone, and the choices under it."""


def groups(phrases: Iterable[KnownPhrase]) -> Groups:
    """Those with anything in them, in the order of the select."""
    known = tuple(phrases)
    rules = [Choice(rule, rule, title) for rule, title in FAULTS.items() if rule != "doubtful"]
    found: Groups = (
        ("", [Choice("doubtful", "", FAULTS["doubtful"])]),
        (N_("Rule of the standard"), rules),
        (N_("Waits and interruptions"), [Choice(value, *told) for value, told in WAITS.items()]),
        (N_("Required phrase not said"), [_of(one) for one in known if one.kind == "required"]),
        (N_("Forbidden phrase said"), [_of(one) for one in known if one.kind == "forbidden"]),
    )
    return [(title, choices) for title, choices in found if choices]


def values(offered: Groups) -> frozenset[str]:
    return frozenset(one.value for _, choices in offered for one in choices)


def _of(phrase: KnownPhrase) -> Choice:
    title = PHRASES.get(phrase.name)
    return Choice(
        OF_PHRASE + phrase.name, phrase.rule, title or phrase.name, title is not None, phrase.kind == "required"
    )
