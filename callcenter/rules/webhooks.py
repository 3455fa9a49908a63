"""Which of the site's own systems is told of a call, once it has ended ([webhooks]).

On the path of a call: ``rules/decide`` asks here after every change of a call, also of one that only Asterisk's records
told of; the commit notes what is to be told in the same transaction, ``effects/webhooks`` tells it.
Promises: a call is told of once to each system, under an id that is made of the two and never changes.
Never: tells of calls between seats, or of a consultation that became part of a customer's call.
"""

import hashlib
from collections.abc import Iterator

from callcenter.calls.model import Call, Direction
from callcenter.rules.commands import SendWebhook
from callcenter.settings import Settings
from callcenter.settings.webhooks import WEBHOOK_EVENTS

(CALL_ENDED,) = WEBHOOK_EVENTS


def on_change(before: Call | None, after: Call, settings: Settings) -> Iterator[SendWebhook]:
    """What is to be told when this change is the call's end."""
    if not settings.webhooks or not _ended(after) or (before is not None and _ended(before)):
        return
    for name, webhook in settings.webhooks.items():
        if not webhook.queues or after.queue in webhook.queues:
            told = message_id(after.server, after.call_id, name, CALL_ENDED)
            yield SendWebhook(told, after.server, after.call_id, name, CALL_ENDED)


def message_id(*words: str) -> str:
    """Of the same event to the same system always the same."""
    text = "\n".join(word.replace("\n", " ") for word in words)
    return f"msg_{hashlib.sha256(text.encode('utf-8', 'replace')).hexdigest()[:32]}"


def _ended(call: Call) -> bool:
    return not call.running and call.merged_into is None and call.direction is not Direction.INTERNAL
