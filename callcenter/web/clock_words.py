"""The words of a ticket's clocks: clocks, severities (D2), usual reasons of a pause, steps of a dispatch (D3, D4).

Never: decides anything.
"""

from collections.abc import Mapping

from callcenter.web.words import N_

NAMES: Mapping[str, str] = {
    "response": N_("Response"),
    "resolution": N_("Resolution"),
    "plan": N_("Emergency plan"),
    "dispatch": N_("Dispatch"),
    "visit_booked": N_("Booking the visit"),
    "visit_arranged": N_("Arranging a visit"),
    "visit": N_("Visit"),
    "manager_callback": N_("Duty manager's callback"),
    "delay_told": N_("Telling the delay"),
    "abnormal": N_("Telling the manager"),
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
STEPS: Mapping[str, str] = {
    "remote": N_("Remote"),
    "on_site": N_("On site"),
    "vendor": N_("Vendor"),
    "dispatched": N_("Dispatched"),
    "booked": N_("Visit booked"),
    "visited": N_("Visit made"),
    "soon": N_("Wanted today or tomorrow"),
    "called_back": N_("Duty manager called back"),
    "delay_minutes": N_("Late by minutes"),
    "delay_half_day": N_("Late by half a day"),
    "delay_longer": N_("Late by more"),
    "told": N_("Delay told"),
    "abnormal": N_("Abnormal case"),
    "escalated": N_("Manager told"),
}
"""As buttons and as lines of what was done: the same words."""
