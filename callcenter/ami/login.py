"""From nothing to a logged-in connection, or the reason why not with its remedy.

Place on the path: ``ami/link`` calls ``log_in`` at every try. Two kinds of failure: ``Refused`` (somebody must change
something first, so trying again soon would only hammer) and ``Lost`` (the next try may work).

Promises: the secret goes only to a peer that has introduced itself as an Asterisk, over TLS only to one whose
certificate was checked; it is never part of a reason.
"""

import asyncio
import ssl

from callcenter.ami.queries import Login
from callcenter.ami.wire import Wire
from callcenter.errors import ActionRefused, ActionUnknown, BadInput, NotConnected
from callcenter.settings import Asterisk


class Refused(Exception):
    """Asterisk, or our own configuration, says no. ``remedy``: what to change."""

    def __init__(self, reason: str, remedy: str) -> None:
        super().__init__(reason)
        self.reason, self.remedy = reason, remedy


class Lost(Exception):
    """This connection is over, or never was; a new one may work."""


def tls_context(settings: Asterisk) -> ssl.SSLContext | None:
    """TLS 1.2 or newer; certificate and host are checked, by ``ca_file`` or the system's authorities."""
    if not settings.tls:
        return None
    try:
        context = ssl.create_default_context(cafile=settings.ca_file)
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise Refused(f"asterisk.ca_file cannot be used: {reason}", "Name a readable PEM file with the CA.") from None
    context.check_hostname = settings.verify_host
    return context


async def log_in(wire: Wire, banner: "asyncio.Future[str]", settings: Asterisk, secret: str) -> None:
    """Opens ``wire``, waits for ``banner`` and logs in. Raises ``Refused`` or ``Lost``."""
    await _open(wire, settings)
    await asyncio.wait({banner, wire.lost}, timeout=settings.answer_within_seconds, return_when="FIRST_COMPLETED")
    if not banner.done():
        raise Lost("what answers there is not Asterisk's manager interface: it sent no banner")
    try:
        await wire.ask(Login(settings.user, secret), settings.answer_within_seconds)
    except BadInput as error:
        raise Refused(str(error), "Correct asterisk.user or the secret file.") from None
    except ActionRefused as refusal:
        raise Refused(
            f"Asterisk refused the log-in of {settings.user!r}: {refusal.reason}",
            "Compare asterisk.user and the secret file with the account in manager.conf (its deny and permit lines "
            "too), then 'manager reload'; Asterisk's own log names the cause.",
        ) from None
    except (ActionUnknown, NotConnected) as error:
        raise Lost(f"no answer to the log-in: {wire.lost.result() if wire.lost.done() else error}") from None


async def _open(wire: Wire, settings: Asterisk) -> None:
    try:
        await wire.open(settings.connect_timeout_seconds)
    except ssl.SSLCertVerificationError as error:
        raise Refused(
            f"Asterisk's certificate is not accepted: {error.verify_message}",
            "Set asterisk.ca_file to the CA that signed it, and asterisk.host to a name or address that stands in it.",
        ) from None
    except TimeoutError:
        raise Lost(f"no connection within {settings.connect_timeout_seconds:g} s") from None
    except ConnectionRefusedError:
        raise Lost("no connection: nobody listens there") from None
    except OSError as error:
        raise Lost(f"no connection: {error.strerror or error}") from None
