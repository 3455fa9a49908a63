"""The spoken prompts of a hotline: greetings with the seat's number (rule A2), announcement (A1), survey (D8).

Reading order: ``spec`` (what is wanted) -> ``phrases`` (the words) -> ``plan`` (the pieces of each file) ->
``workshop`` (``recordings`` or ``espeak``, ``samples``, ``sound``) -> ``manifest`` (into the folder) -> ``build``.
``names``, ``plan``, ``samples``, ``sound`` and ``spec`` are pure but for the shipped phrases that ``spec`` reads.
"""

from callcenter.prompts.build import Built, Report, build
from callcenter.prompts.names import STANDARD, common_name, digit_name, greeting_name
from callcenter.prompts.spec import Company, PromptSpec, Seat, SpecError, parse

__all__ = [
    "STANDARD", "Built", "Company", "PromptSpec", "Report", "Seat", "SpecError",
    "build", "common_name", "digit_name", "greeting_name", "parse",
]  # fmt: skip
