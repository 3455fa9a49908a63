"""What can be judged of the settings without an Asterisk: secrets, packages that they need, names that lead nowhere."""

from collections.abc import Callable, Iterator, Set
from importlib.util import find_spec

from callcenter.checks.finding import Finding, bad, warn
from callcenter.checks.secrets import judge_secrets
from callcenter.errors import extra_remedy
from callcenter.settings import SecretError, Settings, SettingsError, read_secret
from callcenter.settings.webhooks import WHSEC, key_of
from callcenter.traces.exporter import EXTRA, read_headers

_Asks = Callable[[Settings], bool]
EXTRAS: tuple[tuple[str, _Asks, str, tuple[str, ...]], ...] = (
    ("traces.endpoint", lambda s: bool(s.traces.endpoint), EXTRA, ("opentelemetry.exporter.otlp.proto.http",)),
    ("store.url", lambda s: s.store.url.startswith("postgresql"), "postgres", ("asyncpg",)),
    ("recordings.store_url", lambda s: bool(s.recordings.store_url), "s3", ("s3fs",)),
    ("speech.enabled", lambda s: s.speech.enabled, "speech", ("vosk", "sherpa_onnx")),
    ("live.model", lambda s: s.live.model is not None, "speech", ("vosk",)),
)
"""The key, whether it asks for an extra of the package, which one, and of which packages one is enough."""


def judge_alone(settings: Settings) -> list[Finding]:
    """Secrets and packages; what ``callcenter check`` says first."""
    return [*judge_secrets(settings), *_headers(settings), *_webhooks(settings), *_extras(settings)]


def _webhooks(settings: Settings) -> Iterator[Finding]:
    """Secrets that look like those of Standard Webhooks and are none: the receiver would work out another key."""
    for name, webhook in settings.webhooks.items():
        key = f"webhooks.{name}.secret_file"
        try:
            secret = read_secret(webhook.secret_file, key)
        except SecretError:
            continue  # said of every secret
        if secret.startswith(WHSEC) and key_of(secret) == secret.encode():
            yield bad(
                f"{key}: {webhook.secret_file}: behind {WHSEC} stands no base64.",
                "Copy the secret as the receiving system shows it, whole and without spaces.",
            )


def _headers(settings: Settings) -> list[Finding]:
    file = settings.traces.headers_file
    try:
        read_headers(file)
    except SecretError:
        return []  # said of every secret
    except SettingsError as error:
        return [bad(f"traces.headers_file: {file} is no list of headers.", error.problems[0])]
    return []


def _extras(settings: Settings) -> list[Finding]:
    return [
        bad(f"{key}: needs the extra '{extra}', which is not installed.", f"{extra_remedy(extra)}, or take {key} out.")
        for key, asks, extra, packages in EXTRAS
        if asks(settings) and not any(_installed(package) for package in packages)
    ]


def _installed(package: str) -> bool:
    try:
        return find_spec(package) is not None
    except ModuleNotFoundError:  # the package above it is not there
        return False


def judge_names(settings: Settings, asterisks: Set[str] = frozenset()) -> list[Finding]:
    """Queues that are named where no such queue is known, to us or as one of ``asterisks``."""
    named = [("wallboard.queues", name) for name in settings.wallboard.queues]
    named += [(f"routes[{n}].to", route.to) for n, route in enumerate(settings.routes, 1)]
    named += [(f"webhooks.{key}.queues", name) for key, one in settings.webhooks.items() for name in one.queues]
    known = settings.queues.keys() | asterisks
    remedy = "Correct the name; or add [queues.{0}] here, if Asterisk has that queue."
    return [warn(f"{key}: no queue {name} is known.", remedy.format(name)) for key, name in named if name not in known]
