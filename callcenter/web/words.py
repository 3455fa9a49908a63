"""The words of the pages in each language, read once at start: gettext catalogues and the site's spoken phrases.

Promises: Chinese is the default, English the source language of the catalogues (its own message ids); every message
has a Chinese entry (a test reads all templates and modules). Phrases to be spoken are data (``phrases.toml``), never
text of a template. Never: loads anything by a name that came from a request.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from babel.messages.pofile import read_po

LANGUAGES = ("zh", "en")
LOCALE_DIR = Path(__file__).parent / "locale"


def N_(message: str) -> str:  # noqa: N802 - gettext's own name for "collect, translate later"
    return message


@dataclass(frozen=True)
class Words:
    """One language: messages, plural messages (Chinese has one form) and phrases to be spoken."""

    language: str
    html_lang: str
    messages: Mapping[str, str]
    phrases: Mapping[str, str]

    def gettext(self, message: str) -> str:
        return self.messages.get(message, message)

    def ngettext(self, one: str, many: str, number: int) -> str:
        if one in self.messages:
            return self.messages[one]
        return one if number == 1 else many

    def say(self, phrase: str, **slots: Any) -> str:
        """A phrase of the standard with the site's company and the seat's number in it."""
        return self.phrases[phrase].format_map({key: str(value or "") for key, value in slots.items()})


def load(language: str, folder: Path = LOCALE_DIR) -> Words:
    """The words of one of ``LANGUAGES``. Raises ``OSError`` or ``ValueError`` for a damaged installation."""
    messages: dict[str, str] = {}
    catalogue = folder / language / "messages.po"
    if catalogue.exists():
        with catalogue.open("rb") as file:
            for entry in read_po(file, locale=language, abort_invalid=True):
                ids = entry.id if isinstance(entry.id, str) else entry.id[0]
                text = entry.string if isinstance(entry.string, str) else next(iter(entry.string or ()), "")
                if ids and text:
                    messages[ids] = text
    phrases = tomllib.loads((folder / language / "phrases.toml").read_text(encoding="utf-8"))
    return Words(language, "zh-CN" if language == "zh" else language, messages, phrases)


FIELD_LABELS: Mapping[str, str] = {
    "caller_name": N_("Caller"),
    "organisation": N_("Organisation"),
    "department": N_("Department"),
    "address": N_("Address"),
    "phone": N_("Phone"),
    "problem": N_("Problem"),
    "wants": N_("Wants"),
    "handling": N_("Handling"),
    "result": N_("Result"),
    "category": N_("Category"),
}
ROLE_LABELS: Mapping[str, str] = {
    "seat": N_("Seat"),
    "supervisor": N_("Supervisor"),
    "qa": N_("Quality review"),
    "admin": N_("Administrator"),
}
SURVEY_WORDS: Mapping[str, str] = {
    # What the keys of the survey's question stand for (D8).
    "5": N_("very good"),
    "4": N_("good"),
    "3": N_("fair"),
    "2": N_("poor"),
    "1": N_("very poor"),
}
FACT_WORDS: Mapping[str, str] = {
    # What our own dialplan tells of a call; the site's own words stand as they are.
    "company": N_("Company"),
    "language": N_("Language"),
    "priority": N_("Priority"),
}
PAGE_WORDS: Mapping[str, str] = {
    # What the page's own modules say; handed to them as one JSON object in a meta element.
    "saved": N_("Saved %s"),
    "saving": N_("Saving…"),
    "unsaved": N_("Unsaved changes"),
    "not_saved": N_("Not saved, disconnected since %s"),
    "refused": N_("Not saved: %s"),
    "left": N_("%s left"),
    "over": N_("%s over"),
    "minutes": N_("%s min"),
    "hours": N_("%s h %s min"),
    "days": N_("%s d %s h"),
    "seconds": N_("%s s"),
    "ring": N_("Ring %s"),
    "title_ring": N_("Ring %s · incoming call"),
    "pop_told": N_("Incoming call, your phone is ringing."),
    "note_title": N_("Incoming call"),
    "note_body": N_("Your phone is ringing. Open the desk to see the ticket."),
    "conflict": N_("%s changed this to “%s” at %s. Yours was kept."),
    "take_theirs": N_("Use theirs"),
    "keep_mine": N_("Keep mine"),
    "leave_unsaved": N_("There are changes that could not be saved yet."),
    "offline_now": N_("Disconnected from the server since %s."),
    "wall_cut": N_("Not live since %s"),
    "wall_revoked": N_("this screen's link was revoked"),
    "wall_logout": N_("logged out; log in again"),
    "missing": N_("%s missing"),
    "comma": N_(", "),
    "too_many_tabs": N_("Too many tabs of this desk are open; this one is no longer updated."),
    "review_saved": N_("Draft saved %s"),
    "review_open": N_("%s open"),
    "review_ready": N_("Every question is answered"),
    "review_zeroed": N_("critical fault"),
    "review_unanswered": N_("Answer the open questions first; the next one is marked."),
    "review_comment_typed": N_("A comment is typed and not added: add it or empty the field, then sign."),
    "review_sure": N_("Signed reviews cannot be changed. Press Sign once more to sign."),
    "review_set_aside": N_("The score then counts no more, for good. Press once more to set it aside."),
    "review_arrived": N_("The transcript is there: reload the page to read it."),
    "review_failed": N_("Not saved: the server does not answer. Try again."),
    "no_wave": N_("The waveform cannot be drawn; the file is no sound that is known here."),
    "logged_out": N_("You were logged out. What was not saved stays on this machine until you log in again."),
}
