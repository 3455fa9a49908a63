"""Names of prompt files: what the dialplan plays and what the greeting hook answers.

Place on the path of a call: the seat lifts, the dialplan plays ``greeting-<language>-<extension>`` (rule A2).
Promises: a name holds only what the dialplan's own filter lets through (letters, digits, ``_``, ``-``), never a path.
Never: touches a file.
"""

import re

STANDARD = "standard"
"""The variant whose name carries no suffix: the greeting when nothing else is chosen."""

EXTENSION = re.compile(r"[0-9A-Za-z][0-9A-Za-z_-]{0,31}", re.ASCII)
WORK_NUMBER = re.compile(r"[0-9]{1,12}", re.ASCII)
KEY = re.compile(r"[a-z0-9][a-z0-9_]{0,31}", re.ASCII)
LANGUAGE = re.compile(r"[a-z]{2}", re.ASCII)


def greeting_name(language: str, extension: str, company: str = "", variant: str = STANDARD) -> str:
    """File name (without ``.wav``) of a seat's greeting; ``company`` is empty for the site's first company."""
    return "-".join(("greeting", language, extension, *suffixes(company, variant)))


def common_name(kind: str, language: str, company: str = "") -> str:
    """File name (without ``.wav``) of a prompt that no seat is named in, such as ``announcement-zh``."""
    return "-".join((kind, language, *suffixes(company, STANDARD)))


def digit_name(language: str, digit: str) -> str:
    """File name (without ``.wav``) of one digit, for dialplans that read out a number."""
    return f"digit-{language}-{digit}"


def suffixes(company: str, variant: str) -> tuple[str, ...]:
    """What tells a company's and a variant's files from the first company's standard ones."""
    return tuple(part for part in (company, "" if variant == STANDARD else variant) if part)
