"""Spoken prompts: the greeting with the seat's own number (A2), the announcement of A1, survey and farewell.

``build(Spec(...), folder)`` writes what the dialplan plays. See build.py for the names of the files.
"""

from callcenter.prompts.build import Prompt, PromptError, Report, Spec, build

__all__ = ["Prompt", "PromptError", "Report", "Spec", "build"]
