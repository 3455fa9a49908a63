"""Allow lists for whatever is put into an AMI action.

Place on the path: ``ami/actions`` calls these when an action is built.

Promises: returns silently or raises ``BadInput`` whose one sentence names the field and what would be right, and never
holds the value (it may be a caller's number or the secret).
Never: repairs a value.
"""

import re

from callcenter.errors import BadInput

NUMBER = re.compile(r"[+0-9*#]{1,32}")
EXTEN = re.compile(r"[+0-9*#]{1,32}|[A-Za-z][A-Za-z0-9_-]{0,31}")
CHANNEL = re.compile(r"[A-Za-z][A-Za-z0-9]*/[A-Za-z0-9_.+:@;#*/-]{1,79}|[A-Za-z0-9_.-]{1,100}")
ENDPOINT = re.compile(r"(PJSIP|SIP)/[A-Za-z0-9_.-]{1,40}")
INTERFACE = re.compile(r"(PJSIP|SIP|Local)/[A-Za-z0-9_.@/-]{1,79}")
QUEUE = re.compile(r"[\w.-]{1,26}")
ID = re.compile(r"[A-Za-z0-9_.-]{1,100}")
WORD = re.compile(r"[A-Za-z0-9_-]{1,32}")
UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
HOST = re.compile(r"[A-Za-z0-9][A-Za-z0-9.-]{0,99}")
USER = re.compile(r"[A-Za-z0-9_.@-]{1,64}")
ACTION_ID = re.compile(r"[A-Za-z0-9/_.-]{1,100}")


def match(pattern: re.Pattern[str], field: str, value: str, want: str) -> None:
    # The value itself stays out of the sentence: it may be a caller's number.
    if not isinstance(value, str) or not pattern.fullmatch(value):
        raise BadInput(f"{field} is not acceptable to send to Asterisk: give {want}")


def text(field: str, value: str, limit: int) -> None:
    if not isinstance(value, str) or not value.isprintable() or value != value.strip():
        raise BadInput(f"{field} must be one line of printable text without spaces at its ends")
    if len(value) > limit or "|" in value:
        raise BadInput(f"{field} must have no more than {limit} characters and no '|', which divides the queue log")


def one_of(field: str, value: str, allowed: frozenset[str]) -> None:
    if value not in allowed:
        raise BadInput(f"{field} must be one of: {', '.join(sorted(allowed))}")


def whole(field: str, value: int, low: int, high: int) -> None:
    if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
        raise BadInput(f"{field} must be a whole number from {low} to {high}")


def channel(value: str, field: str = "channel") -> None:
    # Asterisk takes /.../ as a regular expression over all channels; the pattern requires a letter or digit first.
    match(CHANNEL, field, value, "a channel's name (PJSIP/1001-0000002a) or unique id")


def number(value: str) -> None:
    match(NUMBER, "number", value, "1 to 32 of the characters + 0-9 * #")


def queue(value: str) -> None:
    match(QUEUE, "queue", value, "a queue's name: letters, digits, '_', '-', '.', no more than 26 characters")


def secret(value: str) -> None:
    if not 1 <= len(value) <= 200 or not value.isprintable() or value != value.strip():
        raise BadInput("the AMI secret must be one line of 1 to 200 printable characters without spaces at its ends")
