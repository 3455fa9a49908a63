"""The stories of tests/captures: what each phone does, and what a listener beside the phones would write down."""

from tests.captures.stories import direct, faults, hotline, queues, seats, transfers
from tests.captures.stories.registry import STORIES

__all__ = ["STORIES", "direct", "faults", "hotline", "queues", "seats", "transfers"]
