"""The words of the review page for things that are data elsewhere: questions, sections, verdicts, rules.

Never: a phrase to be spoken; those are the phrase scripts'.
"""

from collections.abc import Mapping

from callcenter.web.words import N_

QUESTIONS: Mapping[str, str] = {
    "greeting": N_("Standard greeting with work number"),
    "identity": N_("Asked who calls and how to reach them"),
    "waiting": N_("Announced the wait, thanked after it"),
    "hold": N_("Hold no longer than a minute"),
    "guidance": N_("Guidance by phone within five minutes"),
    "language": N_("No forbidden phrase"),
    "closing": N_("Standard closing phrase"),
    "hangup": N_("The customer hung up first"),
    "record": N_("Ticket is complete"),
}
SECTIONS: Mapping[str, str] = {
    "opening": N_("Opening"),
    "course": N_("Course of the call"),
    "end": N_("End"),
    "record": N_("Record"),
}
VERDICTS: Mapping[str, str] = {
    "met": N_("Met"),
    "partly": N_("Partly"),
    "missed": N_("Missed"),
    "na": N_("Not applicable"),
}
STEPS: Mapping[str, str] = {
    "begun": N_("began the review"),
    "answered": N_("answered a question"),
    "noted": N_("changed the note"),
    "commented": N_("commented"),
    "uncommented": N_("removed a comment"),
    "signed": N_("signed"),
    "disputed": N_("disputed the review"),
    "dispute_answered": N_("answered the dispute"),
}
"""What ``review_log`` says was done."""
FAULTS: Mapping[str, str] = {
    "B8": N_("Forbidden phrase"),
    "A2": N_("Greeting missing"),
    "A3": N_("Did not ask who calls"),
    "B1": N_("Wait not announced"),
    "B7": N_("Closing missing"),
    "doubtful": N_("For a person to decide"),
}
