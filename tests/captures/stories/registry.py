"""The register of stories: name -> what to play. A story's name is its function's, with hyphens."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.captures.record import Call, Stage, Story

STORIES: dict[str, Story] = {}
NUMBER = "13800000001"
OTHER = "13800000002"


def story(run: Callable[[Stage], list[Call]]) -> Story:
    """Decorator: adds the story to the register."""
    STORIES[run.__name__.replace("_", "-")] = run
    return run
