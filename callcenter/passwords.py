"""What a password must be like: the same for ``callcenter user`` and for the page on which one changes one's own.

Beside the path of a call. Promises: pure. Never: keeps or shows a password.
"""

SHORTEST, LONGEST = 8, 1024
"""Characters. What is longer than the longest is not read at the log-in."""


def fits(password: str) -> bool:
    return SHORTEST <= len(password) <= LONGEST
