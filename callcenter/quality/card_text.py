"""A scorecard as text that is stored with the reviews signed with it, and back (E1).

Promises: ``from_text(to_text(card)) == card``; the version is the SHA-256 of that text, so that a stored card can be
proved to be the one that was signed with. Never: reads a file.
"""

import hashlib
import json
from dataclasses import asdict, replace
from typing import Any

from callcenter.quality.scorecard import Question, Scorecard, Section, Text, Verdict


def to_text(card: Scorecard) -> str:
    """JSON with sorted keys; everything but the version."""
    told = asdict(card)
    del told["version"]
    return json.dumps(told, sort_keys=True, ensure_ascii=False, separators=(",", ":"))


def versioned(card: Scorecard) -> Scorecard:
    """The card with its version."""
    return replace(card, version=hashlib.sha256(to_text(card).encode()).hexdigest())


def from_text(text: str, version: str) -> Scorecard:
    """A card that was stored as ``version``."""
    told: dict[str, Any] = json.loads(text)
    return Scorecard(
        name=told["name"],
        title=Text(**told["title"]),
        passing=float(told["passing"]),
        sections=tuple(Section(one["id"], Text(**one["title"])) for one in told["sections"]),
        questions=tuple(_question(one) for one in told["questions"]),
        version=version,
    )


def _question(told: dict[str, Any]) -> Question:
    lists = {"phrases": tuple(told["phrases"]), "verdicts": tuple(Verdict(one) for one in told["verdicts"])}
    return Question(**{**told, **lists, "text": Text(**told["text"])})
