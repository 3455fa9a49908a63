"""What must hold between the settings, once each is right by itself.

Promises: pure; one sentence for each problem, naming the key and the remedy. Never: opens a file.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations
from zoneinfo import ZoneInfo

from callcenter.hooks.choices import QUEUE
from callcenter.settings.addresses import is_address, is_loopback
from callcenter.settings.levels import clock_problems
from callcenter.settings.sections import WALL_TILES, Queue, Settings
from callcenter.settings.webhooks import webhook_problems

EVERYWHERE = frozenset({"0.0.0.0", "::"})  # noqa: S104 - looked for, not listened on
MAX_WAIT_BOUNDS = 16
"""Different thresholds of service levels: each makes a series more for every queue and outcome."""


def check_together(settings: Settings, problems: list[str]) -> None:
    asterisk = settings.asterisk
    if not is_zone(settings.site.timezone):
        problems.append(
            f"site.timezone: {settings.site.timezone!r} is no time zone; use a name such as 'Asia/Shanghai'."
        )
    if not re.fullmatch(r"[\w.-]{1,64}", asterisk.name):
        problems.append("asterisk.name: is no name of a PBX; use 1 to 64 letters, digits, '_', '-' and '.'.")
    if asterisk.reconnect_min_seconds > asterisk.reconnect_max_seconds:
        problems.append("asterisk.reconnect_min_seconds: is above reconnect_max_seconds; make it smaller.")
    if not re.match(r"sqlite(\+\w+)?:///.|postgresql(\+\w+)?://.", settings.store.url):
        problems.append("store.url: must begin with sqlite:/// (four slashes for an absolute path) or postgresql://.")
    problems += _addresses(settings)
    if settings.speech.enabled and (settings.speech.model is None or asterisk.recordings_dir is None):
        problems.append("speech.enabled: needs speech.model and asterisk.recordings_dir; set both, or set it to false.")
    problems += _recordings(settings)
    listened = any(queue.live for queue in (settings.queue_defaults, *settings.queues.values()))
    if listened and settings.live.model is None:
        problems.append("live.model: a queue has live = true, but there is no model; name the folder of a Vosk model.")
    rings = settings.rings
    if (rings.on_seconds > 0) != (rings.off_seconds > 0):
        problems.append("rings: on_seconds and off_seconds belong together; set both or neither.")
    problems += _categories(settings.site.categories)
    problems += _service_levels(settings)
    problems += _wallboard(settings)
    problems += _seat_groups(settings)
    problems += _books(settings)
    problems += webhook_problems(settings.webhooks)
    problems += clock_problems(settings.clocks, settings.severities)
    for key, choices in (("greetings", settings.greetings), ("routes", settings.routes)):
        for number, choice in enumerate(choices, 1):
            problems += choice.problems(f"{key}[{number}]")
    problems += _queue_names(settings)
    for name, queue in (("queue_defaults", settings.queue_defaults), *_named(settings.queues)):
        moments = [step.after_seconds(rings.cadence) for step in queue.ladder]
        if moments != sorted(moments):
            problems.append(f"{name}.ladder: the steps are not in the order of their rings; sort them.")


def _categories(names: Sequence[str]) -> Iterator[str]:
    if any(not name.strip() for name in names):
        yield "site.categories: one is empty, and a ticket could be filed under nothing; take it out."
    if len({name.strip() for name in names}) < len(names):
        yield "site.categories: a category is named twice; name each once."


def _queue_names(settings: Settings) -> Iterator[str]:
    for name in settings.queues:
        if not QUEUE.fullmatch(name):
            what = "is no name that hooks take; rename the queue here and in Asterisk"
            yield f"queues.{name!r}: {what}: 1 to 26 letters, digits, '_', '-' and '.'."


def _books(settings: Settings) -> Iterator[str]:
    if not re.fullmatch(r"([01]\d|2[0-3]):[0-5]\d|", settings.books.nightly_at):
        yield "books.nightly_at: must be a time of day such as '03:30', or empty for never."


def _recordings(settings: Settings) -> Iterator[str]:
    """Problems of the store that recordings are copied to."""
    stored = settings.recordings
    if stored.store_url and not re.fullmatch(r"s3://[\w.-]+(/[\w./-]*)?|file:///[^?#]+", stored.store_url):
        yield "recordings.store_url: must be s3://BUCKET/PREFIX or file:///FOLDER, without a password; see key_file."
    if stored.store_url and settings.asterisk.recordings_dir is None:
        yield "recordings.store_url: needs asterisk.recordings_dir, the folder that Asterisk writes to; set it."
    if stored.endpoint_url and not re.fullmatch(r"https?://[^\s@?#]+", stored.endpoint_url):
        yield "recordings.endpoint_url: must be http://HOST:PORT or https://..., without a password; see key_file."
    if (stored.key_file is None) != (stored.secret_file is None):
        yield "recordings: key_file and secret_file belong together; set both or neither."


def _service_levels(settings: Settings) -> Iterator[str]:
    level, targets = settings.service_level, settings.targets
    if level.short_abandon_seconds > min(target.seconds for target in (targets.default, *targets.queues.values())):
        yield "service_level.short_abandon_seconds: is above a queue's threshold; make it smaller."
    if len(targets.bounds) > MAX_WAIT_BOUNDS:
        yield f"queues: more than {MAX_WAIT_BOUNDS - 1} different service_level_seconds; use fewer."


def _wallboard(settings: Settings) -> Iterator[str]:
    tiles = settings.wallboard.tiles
    if unknown := [tile for tile in tiles if tile not in WALL_TILES]:
        yield f"wallboard.tiles: {unknown[0][:40]!r} is none; there are {', '.join(WALL_TILES)}."
    if not tiles or len(set(tiles)) < len(tiles):
        yield "wallboard.tiles: name each tile once, and at least one."
    if len(set(settings.wallboard.queues)) < len(settings.wallboard.queues):
        yield "wallboard.queues: a queue is named twice; name each once."


def _seat_groups(settings: Settings) -> Iterator[str]:
    group_of: dict[str, str] = {}
    for name, group in settings.seat_groups.items():
        if not name.strip() or not group.seats:
            yield f'seat_groups.{name}: needs a name and seats; write seats = ["1001"], or take the group out.'
        for seat in sorted({seat for seat in group.seats if group.seats.count(seat) > 1}):
            yield f"seat_groups.{name}: seat {seat} is named twice and would count twice; name it once."
        for seat in dict.fromkeys(group.seats):
            other = group_of.setdefault(seat, name)
            if other != name:
                yield f"seat_groups.{name}: seat {seat} is in {other}, too, and would count twice; leave it in one."


def _addresses(settings: Settings) -> Iterator[str]:
    """Problems of what is connected to, listened on and believed."""
    asterisk, web, hooks = settings.asterisk, settings.web, settings.hooks
    hosts = {"asterisk.host": asterisk.host, "web.host": web.host, "hooks.agi_host": hooks.agi_host}
    hosts |= {"live.host": settings.live.host, "metrics.host": settings.metrics.host}
    for key, host in hosts.items():
        if not _is_host(host):
            yield f"{key}: {host[:80]!r} is no host; name an address or a host, such as '127.0.0.1'."
    yield from _ports(settings)
    metrics = settings.metrics
    if metrics.port and web.metrics_token_file is None and not is_loopback(metrics.host):
        what = f"metrics.host: {metrics.host} lets other machines ask, and without a token each of them is refused"
        yield f"{what}; name a file with a token in web.metrics_token_file, or set metrics.host = '127.0.0.1'."
    push_url = metrics.push_url
    if push_url and metrics.push_timeout_seconds > metrics.push_every_seconds:
        yield "metrics.push_timeout_seconds: is above push_every_seconds; make it smaller, or push less often."
    if push_url and not re.fullmatch(r"https?://[^\s@?#]+", push_url):
        yield "metrics.push_url: must be http://HOST:PORT or https://..., without a password; see push_token_file."
    if settings.traces.endpoint and not re.fullmatch(r"https?://[^\s@?#]+", settings.traces.endpoint):
        yield "traces.endpoint: must be http://HOST:4318/v1/traces or https://..., without a password (headers_file)."
    if web.public_url and not re.fullmatch(r"https?://[^\s@?#/]+/?", web.public_url):
        yield "web.public_url: must be https://HOST, without a path: it makes cookies secure and names our origin."
    for proxy in web.proxies:
        if not is_address(proxy):
            yield f"web.proxies: {proxy!r} is no IP address; name the proxy's, such as '127.0.0.1'."


def _ports(settings: Settings) -> Iterator[str]:
    """Two of our own doors in one place: the second could not open, and the daemon would not start."""
    doors = [("web.port", settings.web.host, settings.web.port)]
    doors += [("metrics.port", settings.metrics.host, settings.metrics.port)]
    if settings.hooks.token_file is not None:
        doors += [("hooks.agi_port", settings.hooks.agi_host, settings.hooks.agi_port)]
    if settings.live.model is not None:
        doors += [("live.port", settings.live.host, settings.live.port)]
    for (key, host, port), (other, there, same) in combinations(doors, 2):
        if port == same != 0 and (host == there or {host, there} & EVERYWHERE):
            yield f"{other}: {same} is the port of {key}, too; choose another one."


def is_zone(name: str) -> bool:
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        return False
    return True


def _is_host(text: str) -> bool:
    """Also false for nothing, which would listen on every interface."""
    try:
        return bool(text.encode("idna")) and " " not in text
    except UnicodeError:
        return False


def _named(queues: Mapping[str, Queue]) -> list[tuple[str, Queue]]:
    return [(f"queues.{name}", queue) for name, queue in queues.items()]
