"""The stories of tests/captures: what each phone does, and what a listener beside the phones would write down."""

from tests.captures.stories import begun, direct, elsewhere, faults, handed, hotline, queues, seats, transfers
from tests.captures.stories.registry import STORIES

__all__ = ["STORIES", "begun", "direct", "elsewhere", "faults", "handed", "hotline", "queues", "seats", "transfers"]
