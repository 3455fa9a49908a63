"""The words of the review page for things that are data elsewhere: verdicts, steps, rules.

Never: a phrase to be spoken, or a question; those are the phrase scripts' and the scorecards'.
"""

from collections.abc import Mapping

from callcenter.web.words import N_

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
    "calibration_begun": N_("chose the call for calibration"),
    "calibration_ended": N_("ended the calibration"),
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
OF_TWO: Mapping[str, str] = {
    "wait_announcement": N_("wait announced"),
    "wait_thanks": N_("thanks after the wait"),
}
"""The shipped phrases that share their rule with another: which of the two it is."""
WAITS: Mapping[str, tuple[str, str]] = {
    "hold": ("B2", N_("Long hold")),
    "unexplained": ("B2", N_("Long silence without a hold")),
    "interruption": ("B8", N_("Seat interrupts the customer")),
}
"""What holds and sound tell: rule and title."""
PHRASES: Mapping[str, str] = {
    "greeting": N_("Greeting"),
    "ask_name": N_("Asking who calls"),
    "wait_announcement": N_("Wait announced"),
    "wait_thanks": N_("Thanks after the wait"),
    "closing": N_("Closing"),
    "refusal": N_("Flat refusal"),
    "dont_know": N_("“I do not know”"),
    "not_clear": N_("“That is not clear to me”"),
    "blame": N_("Blaming the customer"),
    "internal": N_("Internal matters"),
}
"""The shipped phrases. Those of a site's own script are called what they are called there."""
