"""Label values that are known before anything happens, so that their counters stand at zero from the start.

Beside the path of a call: ``figures`` makes these series when the daemon begins. Prometheus sees by how much a counter
grows, never what it began with: one that is born with its first count hides just that one.
Promises: pure; each list is closed, and a test holds it to whoever counts. Never: a value from outside.
"""

from itertools import product

from callcenter.calls.model import BreachReason, Direction, EndedBy, Outcome, RingResult, TransferKind

QUEUE_LABELS = "queue_labels"
LIMITS = (
    *("intake", QUEUE_LABELS),
    *("connections", "request_head", "body_bytes", "body_seconds", "attempts", "streams", "screens"),
)
"""Limits of which each hit is counted: of the pipeline and the labels, then of the web; docs/SECURITY.md says what each
is."""
COMMANDS = ("OpenGate", "Announce")
"""``rules.commands.Performed``."""
COMMAND_ENDS = ("done", "failed", "unknown", "shed")
"""``store.outbox.Result``, and what ``effects.outbox`` had no room for."""
HOOKS = ("arrival", "route", "greeting", "survey", "variable", "recording", "unknown")
HOOK_ENDS = (
    *("ok", "bad_request", "unauthorised", "too_large", "wrong_method", "unknown_hook", "busy", "late", "closed"),
    *("broken", "calendar_unknown"),
)
LIVE_REFUSALS = ("busy", "failed")
NOT_TRANSCRIBED = (
    *("empty", "not_wav", "no_sound", "damaged", "coding", "channels", "rate", "unreadable", "gone", "killed"),
    *("crashed", "hung", "memory", "cut_off", "read_error", "lost", "other", "model", "store", "store_damaged"),
    *("folder", "not_started", "fault"),
)
"""``speech.reasons.CODES``."""
BECAME = ("waiting", "failed", "quarantined")
PHRASE_RESULTS = ("said", "doubtful", "not_said")
"""Of a phrase in a transcript; of several findings the first of these holds."""
NOT_STORED = ("away", "refused", "changed", "damaged", "unreadable")
LINK = (
    *("seen", "events", "logins", "refusals", "losses", "late_answers", "handler_errors", "unwanted", "hostile"),
    "garbage",
)
"""``ami.link.Link.counts``."""

RINGS_ENDED = tuple(result.value for result in RingResult if result is not RingResult.RINGING)
OUTCOMES = tuple(outcome.value for outcome in Outcome)
SIDES = tuple(side.value for side in EndedBy)
TRANSFERS = tuple(kind.value for kind in TransferKind)
BREACHES = tuple(product(("A1",), (reason.value for reason in BreachReason)))
"""(rule, reason): all that a call may break by itself."""
KINDS_OF_CALLS = tuple(product((direction.value for direction in Direction), OUTCOMES))
"""(direction, outcome)."""
