"""The words of a ticket's clocks: clocks, severities (D2), usual reasons of a pause.

Never: decides anything.
"""

from collections.abc import Mapping

from callcenter.web.words import N_

NAMES: Mapping[str, str] = {
    "response": N_("Response"),
    "resolution": N_("Resolution"),
    "plan": N_("Emergency plan"),
}
SEVERITIES: Mapping[str, str] = {
    "software": N_("Software fault"),
    "hardware": N_("Hardware fault"),
    "major": N_("Major failure"),
    "outage": N_("Total outage"),
}
REASONS = (
    N_("Waiting for the customer"),
    N_("Waiting for parts"),
    N_("Waiting for the vendor"),
    N_("The customer wants a later date"),
)
CHANGES: Mapping[str, str] = {
    "level": N_("Level"),
    "severity": N_("Severity"),
    "plan": N_("Emergency plan"),
    "pause": N_("Paused"),
    "resume": N_("Goes on"),
}
