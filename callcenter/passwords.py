"""What a password must be like: the same for ``callcenter user`` and for the page on which one changes one's own.

Beside the path of a call. Promises: pure. Never: keeps or shows a password.
"""

SHORTEST, LONGEST = 8, 1024
"""Characters. What is longer than the longest is not read at the log-in."""


COMMON = frozenset(
    """
    12345678 123456789 1234567890 0123456789 87654321 987654321 11223344 12341234 password password1 passw0rd p@ssw0rd
    password123 1qaz2wsx qwertyui qwertyuiop qwerty123 asdfghjk asdf1234 abcd1234 abc12345 a1234567 a12345678 aa123456
    aa12345678 woaini1314 5201314520 iloveyou admin123 administrator changeme callcenter welcome1
    """.split()  # noqa: SIM905 - a list would stand on forty lines
)
"""What is tried first, in small letters."""


def guessable(password: str, name: str) -> bool:
    """Whether it is one of the commonest, one character again and again, or the log-in name, repeated or with figures
    behind it."""
    small, login = password.lower(), name.lower()
    if small in COMMON or len(set(small)) == 1:
        return True
    return bool(login) and not small.replace(login, "").strip("0123456789")


def fits(password: str) -> bool:
    return SHORTEST <= len(password) <= LONGEST
