"""Why a part is not well, in the reader's language: the program's own English sentences, found again by their shape.

Beside the path of a call: ``web/status`` shows them.
Promises: a sentence that has no words here is shown as the program tells it; slots keep what stood in them, or its
translation. Never: says more than the program did.
"""

import re
from collections.abc import Sequence

from callcenter.web.words import N_, Words

SENTENCES: Sequence[str] = (
    N_("the daemon was not running"),
    N_("Asterisk was not listened to before"),
    N_("Asterisk closed the connection"),
    N_("more events than could be stored"),
    N_("more events came than could be stored"),
    N_("the link was closed"),
    N_("no connection: nobody listens there"),
    N_("no connection within %s s"),
    N_("no connection: %s"),
    N_("the connection broke (%s)"),
    N_("Asterisk sent %s"),
    N_("Asterisk did not answer a ping within %s s"),
    N_("more than %s events came while the snapshot was read"),
    N_("what answers there is not Asterisk's manager interface: it sent no banner"),
    N_("no answer to the log-in: %s"),
    N_("Asterisk refused the log-in of %s: %s"),
    N_("Asterisk's certificate is not accepted: %s"),
    N_("asterisk.ca_file cannot be used: %s"),
    N_("the account %s may not look at the channels (%s)"),
    N_("Asterisk %s has known security holes that are fixed in %s; upgrade it."),
    N_("The AMI account may do too much (%s) and lacks %s; see 'callcenter check'."),
    N_("The AMI account may do too much (%s); see 'callcenter check'."),
    N_("The AMI account lacks %s; see 'callcenter check'."),
    N_("nothing was stored for %s s."),
    N_("Events are thrown away."),
    N_("%s events wait to be stored, of %s at most."),
    N_("The SQLite file %s is locked by another process; the write is tried again, end the other process if it stays."),
    N_("The SQLite file %s cannot grow: the disk is full; free some space."),
    N_(
        "The SQLite file %s cannot be read or written: the disk reports an error; check the disk, its space and its "
        "quota."
    ),
    N_("The SQLite file %s cannot be opened; check that the file and its folder are there and writable."),
    N_("The SQLite file %s is read-only; make the file and its folder writable for this user."),
    N_("The PostgreSQL database %s cannot be reached or is busy (%s)."),
    N_("%s: the secret file is missing; write the secret into it, or correct the path."),
    N_(
        "%s: the secret file cannot be read (%s); let the daemon's account read it, as a service by LoadCredential "
        "(callcenter.service)."
    ),
    N_("%s: the secret file cannot be read (%s); name a file with nothing but the secret."),
    N_("%s: the secret file is not UTF-8; write the secret anew, as plain text."),
    N_("%s: the secret file is empty; write the secret into it."),
    N_("Not taken by %s."),
    N_("Recordings were set aside."),
    N_("It is starting."),
    N_("The recogniser ended."),
    N_("The recogniser cannot be started (%s)."),
    N_("The recogniser hung or talked nonsense and was ended."),
    # What stands in slots: of the system, and of Asterisk.
    N_("No such file or directory"),
    N_("Permission denied"),
    N_("No route to host"),
    N_("Network is unreachable"),
    N_("Connection reset by peer"),
    N_("No space left on device"),
    N_("Input/output error"),
    N_("Authentication failed"),
)
_SHAPES = tuple((one, re.compile(re.escape(one).replace("%s", "(.+?)"), re.DOTALL)) for one in SENTENCES)


def told(words: Words, reason: str) -> str:
    """``reason``, which may be several sentences, in the language of ``words``."""
    parts = [_one(words, part) for part in re.split(r"(?<=\.) ", reason)]
    return ("" if words.language == "zh" else " ").join(parts)


def _one(words: Words, text: str) -> str:
    for sentence, shape in _SHAPES:
        if found := shape.fullmatch(text):
            shown = words.gettext(sentence)
            return shown % tuple(_one(words, slot) for slot in found.groups()) if found.groups() else shown
    return text
