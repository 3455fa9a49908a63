"""Jinja2 for the pages: one environment per language, everything escaped, everything made harmless.

Promises: autoescape is on for every template; text from outside loses control characters and direction marks on its
way out; icons are drawn from one sprite. Never: builds HTML from strings outside a template, except the icons' own.
"""

import json
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import tzinfo
from functools import lru_cache
from pathlib import Path
from typing import Any

from aiohttp import web
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from callcenter.metrics.service_levels import (
    Variant,
    percent,
)
from callcenter.quality.cards import (
    shipped_card,
)
from callcenter.quality.scorecard import (
    Scorecards,
)
from callcenter.rules.cadence import Cadence
from callcenter.settings.sections import Wallboard
from callcenter.tickets.model import FIELDS
from callcenter.web import text
from callcenter.web.access import LINK, TOKEN, USER
from callcenter.web.hearing_words import (
    REASONS,
)
from callcenter.web.menu import (
    menu_of,
)
from callcenter.web.ports import User
from callcenter.web.sessions import csrf_of
from callcenter.web.words import FACT_WORDS, FIELD_LABELS, LANGUAGES, PAGE_WORDS, ROLE_LABELS, SURVEY_WORDS, Words, load

TEMPLATES = Path(__file__).parent / "templates"
_SYMBOL = re.compile(r'<symbol id="([a-z0-9]+)"[^>]*>(.*?)</symbol>', re.S)


@dataclass(frozen=True, slots=True)
class WebOptions:
    """The site's choices for the web, made by the composition root from the settings."""

    company: str
    zone: tzinfo
    cadence: Cadence
    language: str = "zh"
    public_origin: str | None = None
    """``https://desk.example.com`` where a proxy changes the host name, else ``None``."""
    secure_cookies: bool = False
    session_idle_seconds: float = 720 * 60.0
    session_absolute_seconds: float = 24 * 3600.0
    max_body_bytes: int = 65536
    seats_see: str = "hotline"
    guidance_seconds: float = 300.0
    """B3: guidance by phone takes no longer."""
    hold_ticks_seconds: tuple[float, float, float] = (8.0, 45.0, 60.0)
    """B1 reassurance, B2 alert to the seat, B2 limit."""
    categories: tuple[str, ...] = field(default=())
    proxies: tuple[str, ...] = ()
    """Whose X-Forwarded-For is believed, as far as they wrote it."""
    hotline_number: str = ""
    """Where the caller calls again (B7); empty where the site does not say."""
    wallboard: Wallboard = field(default_factory=Wallboard)
    variant: Variant = Variant.ABANDONS_BAD
    """How the contract counts the service level."""
    target_share: float = 0.8
    """The share of calls that it demands."""
    three_rings_share: float = 0.9
    satisfaction_share: float = 0.85
    """The share of satisfied callers that is asked for (D8)."""
    scorecards: Scorecards = field(default_factory=lambda: Scorecards(shipped_card()))
    """What the calls of each queue are reviewed by (E1)."""


Counts = Callable[[User | None], Mapping[str, int]]


@dataclass(frozen=True)
class Renderer:
    """Renders templates in a language."""

    options: WebOptions
    now: Callable[[], float]
    environments: dict[str, Environment]
    words: dict[str, Words]
    counts: Counts
    """What stands beside entries of the menu."""

    def text(self, template: str, language: str, **context: Any) -> str:
        """The rendered template; ``context`` meets autoescape."""
        return self.environments[language].get_template(template).render(context)

    def compile(self, templates: Iterable[str], language: str) -> None:
        """What a template's first use does else."""
        for template in templates:
            self.environments[language].get_template(template)

    def fragment(self, request: web.Request, template: str, **context: Any) -> str:
        """A template rendered for this request: its language, its user, its token."""
        return self.text(template, language_of(request), **self._common(request), **context)

    def page(self, request: web.Request, template: str, *, status: int = 200, **context: Any) -> web.Response:
        html = self.fragment(request, template, **context)
        return web.Response(text=html, status=status, content_type="text/html", charset="utf-8")

    def _common(self, request: web.Request) -> dict[str, Any]:
        words = self.words[language_of(request)]
        user, token = request.get(USER), request.get(TOKEN)
        return {
            "user": user,
            "menu": menu_of(user.role) if user is not None else (),
            "menu_counts": self.counts(user),
            "csrf": csrf_of(token) if token else "",
            "now": self.now(),
            "theme": request.cookies.get("theme", ""),
            "page_words": json.dumps({key: words.gettext(value) for key, value in PAGE_WORDS.items()}),
        }


RENDERER: web.AppKey[Renderer] = web.AppKey("renderer", Renderer)


def language_of(request: web.Request) -> str:
    """The user's language; on a screen with a link the settings'; before the log-in the cookie's, then the browser's,
    then the site's."""
    user, options = request.get(USER), request.app[RENDERER].options
    if user is None and LINK in request:
        return options.wallboard.language or options.language
    wish = user.language if user is not None else request.cookies.get("lang", "")
    if wish in LANGUAGES:
        return wish
    accepted = request.headers.get("Accept-Language", "")[:2].lower()
    return accepted if accepted in LANGUAGES else options.language


def icons() -> dict[str, str]:
    """Name to SVG content. Inlined where used, because a sprite in another file cannot be styled by our CSS."""
    return dict(_SYMBOL.findall((TEMPLATES / "icons.svg").read_text(encoding="utf-8")))


def _icon_maker() -> Callable[..., Markup]:
    shapes = icons()

    @lru_cache(maxsize=1_000)
    def icon(name: str, classes: str = "", label: str = "") -> Markup:
        role = Markup('role="img" aria-label="{}"').format(label) if label else Markup('aria-hidden="true"')
        start = Markup('<svg class="i {}" viewBox="0 0 16 16" {}>').format(classes, role)
        return start + Markup(shapes[name]) + Markup("</svg>")  # noqa: S704 - our own file

    return icon


def _finalize(value: Any) -> Any:
    return text.harmless(value) if type(value) is str else value


def _environment(words: Words, options: WebOptions) -> Environment:
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_finalize,
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=["jinja2.ext.i18n"],
    )
    # What goes through _() would count as HTML: a name that is no message of ours must not become any.
    environment.install_gettext_callables(  # type: ignore[attr-defined]
        lambda message: escape(words.gettext(message)),
        lambda one, many, number: escape(words.ngettext(one, many, number)),
        newstyle=True,
    )
    zone = options.zone
    environment.filters |= {
        "phone": text.phone,
        "duration": text.duration,
        "hm": lambda at: text.time_of_day(at, zone),
        "hms": lambda at: text.time_of_day(at, zone, seconds=True),
        "day": lambda at, now: text.day_of(at, now, zone),
        "when": lambda at, now, seconds=False: text.when(at, now, zone, seconds=seconds),
        "bold_number": _bold_number,
    }
    environment.tests["dialable"] = text.dialable
    environment.globals |= {
        "icon": _icon_maker(),
        "words": words,
        "options": options,
        "percent": percent,
        "field_labels": FIELD_LABELS,
        "role_labels": ROLE_LABELS,
        "survey_words": SURVEY_WORDS,
        "fact_words": FACT_WORDS,
        "no_transcript": REASONS,
        "specs": FIELDS,
        "no_fields": dict.fromkeys(FIELDS, ""),
    }
    return environment


def _bold_number(phrase: str, number: str | None) -> Markup:
    """A spoken phrase with the seat's work number set in bold."""
    safe = escape(phrase)
    return Markup(safe.replace(escape(number), Markup("<b>{}</b>").format(number))) if number else safe  # noqa: S704


def make_renderer(options: WebOptions, now: Callable[[], float], counts: Counts) -> Renderer:
    """Reads catalogues and templates once."""
    words = {language: load(language) for language in LANGUAGES}
    environments = {language: _environment(words[language], options) for language in LANGUAGES}
    return Renderer(options, now, environments, words, counts)
