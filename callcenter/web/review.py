"""The review page: list, player, transcript and scorecard (E1).

Place on the path of a call: after recording, transcript and findings. What a reviewer does is ``web/review_steps``.
Promises: a search text and all filters travel in the body, never in an address; reviewers see all recordings, a seat
sees only its own calls and only signed reviews, anything else does not exist for it (404); whoever reviews a call does
not see what others made of it before he has signed; nobody reviews a call of his own.
Never: decides a verdict.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from aiohttp import web

from callcenter.calls.model import Call
from callcenter.quality.review import Recorded, RecordingPage, Wanted
from callcenter.quality.scorecard import Facts, Scorecard, Verdict, is_fault, proposals
from callcenter.quality.search import terms
from callcenter.web.access import EVERYBODY, Problem, Route
from callcenter.web.context import Web
from callcenter.web.desk import context_of, view_of
from callcenter.web.hearing_ports import Reviews
from callcenter.web.peaks import PeakShelf
from callcenter.web.ports import User
from callcenter.web.recordings import NONE, file_of, tracks_there
from callcenter.web.review_card import card_view, is_blind, is_reviewer, newest
from callcenter.web.review_findings import groups, values
from callcenter.web.review_view import flags, player_data, spoken, stretches, telling
from callcenter.web.review_words import OF_TWO, STEPS, VERDICTS
from callcenter.web.sound import send
from callcenter.web.words import N_

NO_RECORDING = N_("There is no such recording, or it is not yours to see.")
FILTERS = ("q", "seat", "queue", "since", "until", "fault", "score", "review", "sample", "seed")
REVIEW_STATES = ("none", "signed", "disputed", "calibration")
PAGE_ROWS = 40
MAX_SAMPLE = 100
TRACKS = ("mix", "seat", "caller")
SHELF: web.AppKey[PeakShelf] = web.AppKey("peaks", PeakShelf)


def reviews_of(web_: Web) -> Reviews:
    if web_.ports.reviews is None:
        raise Problem(404, N_("There is nothing at this address."))
    return web_.ports.reviews


async def recorded_of(web_: Web) -> Recorded:
    """The recording of the address; 404 if it is not to be seen by this person."""
    found = await reviews_of(web_).recorded(int(web_.request.match_info["recording_id"]))
    if found is None or not _may_see(web_.user, found):
        raise Problem(404, NO_RECORDING)
    return found


def _may_see(user: User, found: Recorded) -> bool:
    return is_reviewer(user) or (found.row.is_of(user.extension) and any(review.signed for review in found.reviews))


# ---- the list


async def show(request: web.Request) -> web.StreamResponse:
    web_ = Web(request)
    return web_.page("review.html", **await page_context(web_), found=None)


async def search(request: web.Request) -> web.StreamResponse:
    """The list for the filters in the body."""
    web_ = Web(request)
    form = {key: str(value) for key, value in (await request.post()).items()}
    await _refuse_unknown(web_, form.get("fault", ""))
    context = await list_context(web_, wanted_of(web_, form), form)
    if "HX-Request" in request.headers:
        html = web_.fragment("review_list.html", **context)
        return web.Response(text=html, content_type="text/html", charset="utf-8")
    return web_.page("review.html", **await page_context(web_) | context | {"asked": True}, found=None)


async def _refuse_unknown(web_: Web, fault: str) -> None:
    """A finding that is none would show all calls, or none, as if it had been looked for."""
    if fault and is_reviewer(web_.user) and fault not in values(groups(await reviews_of(web_).phrases())):
        raise Problem(400, N_("There is no such finding to look for; choose one from the list."))


def wanted_of(web_: Web, form: dict[str, str]) -> Wanted:
    """The filters of a form, narrowed to what the person may see. What is not understood filters nothing, but for a
    finding: ``_refuse_unknown`` is asked about that."""
    wanted = Wanted(
        terms=terms(form.get("q", "")),
        seat=form.get("seat") or None,
        queue=form.get("queue") or None,
        since=_day(web_, form.get("since", "")),
        until=_day(web_, form.get("until", ""), days=1),
        fault=form.get("fault") or None,
        hold_limit_seconds=web_.options.hold_ticks_seconds[2],
        score={"passed": "passed", "failed": "failed"}.get(form.get("score", "")),  # type: ignore[arg-type]
        review=form["review"] if form.get("review") in REVIEW_STATES else None,  # type: ignore[arg-type]
        reader=web_.user.name,
        sample=_sample(form.get("sample", "")),
        seed=form.get("seed", "")[:80],
        before=_before(form.get("before", "")),
        limit=PAGE_ROWS,
    )
    if is_reviewer(web_.user):
        return wanted
    return Wanted(seat=web_.user.extension or "", review="signed", before=wanted.before, limit=PAGE_ROWS)


def _sample(written: str) -> int | None:
    found = int(written) if written.isascii() and written.isdecimal() and len(written) < 6 else 0
    return min(MAX_SAMPLE, found) or None


def _day(web_: Web, written: str, days: int = 0) -> float | None:
    try:
        day = datetime.strptime(written, "%Y-%m-%d").replace(tzinfo=web_.options.zone)
        return (day + timedelta(days=days)).timestamp()
    except (ValueError, OverflowError):
        return None


def _before(written: str) -> tuple[float, int] | None:
    at, _, recording_id = written.partition("/")
    try:
        return (float(at), int(recording_id)) if len(recording_id) < 16 else None
    except ValueError:
        return None


async def list_context(web_: Web, wanted: Wanted, form: dict[str, str]) -> dict[str, Any]:
    if wanted.sample is not None and wanted.terms:
        wanted = replace(wanted, sample=None)
    reader = is_reviewer(web_.user)
    page = await reviews_of(web_).find(wanted) if reader or web_.user.extension else RecordingPage((), 0)
    empty = not (page.rows or page.next or wanted.before)
    return {
        "page": page,
        "wanted": wanted,
        "form": dict.fromkeys(FILTERS, "") | form,
        "flags_of": flags,
        "seat_title": seat_titles(web_),
        "seats_title": seats_titles(web_),
        "queue_title": lambda name: web_.ports.desk.queue(name).title,
        "reader": reader,
        "newest_review": lambda row: newest(row, web_.user),
        "loosened": await _loosened(web_, wanted, form) if reader and empty else (),
        "is_blind": lambda row: is_blind(web_.user, row),
        "current_id": 0,
        "seed": datetime.fromtimestamp(web_.now(), web_.options.zone).strftime("%Y-%m-%d"),
    }


LOOSE: Mapping[str, tuple[str, str]] = {
    "q": (N_("What was said"), "terms"),
    "seat": (N_("Seat"), "seat"),
    "review": (N_("Review"), "review"),
    "queue": (N_("Queue"), "queue"),
    "fault": (N_("Finding"), "fault"),
    "score": (N_("Score"), "score"),
    "since": (N_("From"), "since"),
    "until": (N_("To"), "until"),
}
"""The filters of the form: what they are called, and what of ``Wanted`` they set."""


async def _loosened(web_: Web, wanted: Wanted, form: dict[str, str]) -> list[tuple[str, str, int | None]]:
    """Of an empty list each filter that is set, and how many calls there would be without it; ``None`` where only
    reading all words would tell."""
    told: list[tuple[str, str, int | None]] = []
    for name, (title, field) in LOOSE.items():
        if getattr(wanted, field):
            looser: dict[str, Any] = {field: () if field == "terms" else None, "sample": None, "limit": 1}
            found = await reviews_of(web_).find(replace(wanted, **looser))
            told.append((name, web_.words.gettext(title), found.total))
    return sorted(told, key=lambda one: -(one[2] or 0))


def seat_titles(web_: Web) -> Any:
    """Extension to "018 李晓雯"."""
    known = {
        seat.extension: f"{seat.work_number or seat.extension} {seat.display_name}" for seat in web_.ports.desk.seats()
    }
    return lambda extension: known.get(extension, extension or "—").strip()


def seats_titles(web_: Web) -> Any:
    """A recording to its seats, in the order in which they came: "018 李晓雯 → 019 王强"."""
    title = seat_titles(web_)
    return lambda row: " → ".join(title(seat) for seat in row.seats or (row.seat,))


async def page_context(web_: Web, current: int = 0) -> dict[str, Any]:
    window = await view_of(web_)
    form: dict[str, str] = {}
    listed = await list_context(web_, wanted_of(web_, form), form)
    return (
        await context_of(web_, window)
        | listed
        | {
            "current_id": current,
            "all_seats": web_.ports.desk.seats(),
            "queues": await reviews_of(web_).queues() if is_reviewer(web_.user) else (),
            "finding_groups": groups(await reviews_of(web_).phrases()) if is_reviewer(web_.user) else (),
            "asked": False,
        }
    )


# ---- one recording


async def one(request: web.Request) -> web.StreamResponse:
    web_ = Web(request)
    found = await recorded_of(web_)
    context = await page_context(web_, found.row.id) | await recording_context(web_, found)
    return web_.page("review.html", **context)


async def card(request: web.Request) -> web.StreamResponse:
    """The scorecard alone, after a step."""
    web_ = Web(request)
    found = await recorded_of(web_)
    context = await recording_context(web_, found) | {"seat_title": seat_titles(web_)}
    return web.Response(text=web_.fragment("review_card.html", **context), content_type="text/html", charset="utf-8")


async def recording_context(web_: Web, found: Recorded) -> dict[str, Any]:
    call = await web_.ports.tickets.call(found.row.server, found.row.call_id)
    reviewers = await reviewers_of(web_)
    view = card_view(web_.user, found, card_of(web_, found), proposals_of(web_, found, call), reviewers)
    shown = [view.mine] if view.mine is not None and not view.signed else list(view.signed)
    tracks = await tracks_of(web_, found)
    lines, left_out = spoken(found)
    return {
        "found": found,
        "row": found.row,
        "view": view,
        "facts": facts_of(web_, call),
        "reviewers": await _people(web_, found),
        # Who is drafting does not see what others do.
        "log": await reviews_of(web_).log(found.row.id) if view.signed and is_reviewer(web_.user) else (),
        "step_words": STEPS,
        "comments": sorted((c for review in shown for c in review.comments), key=lambda c: c.moment),
        "lines": lines,
        "words_left_out": left_out,
        "missing": [f for f in found.row.findings if f.start is None and (is_fault(f) or f.band == "doubtful")],
        "findings_of": lambda question: telling(question.evidence(found.row.findings)),
        "is_fault": is_fault,
        "written": lambda text: text.of(web_.words.language),
        "verdict_words": VERDICTS,
        "of_two": OF_TWO,
        "tracks": tracks,
        "player": player_data(found, tracks, shown, view.card)
        | {"stretches": stretches(found, call, web_.words.gettext)},
        "reader": is_reviewer(web_.user),
    }


def card_of(web_: Web, found: Recorded) -> Scorecard:
    """The card in force for the call's queue; what is signed keeps its own."""
    return web_.options.scorecards.of(found.row.queue)


def proposals_of(web_: Web, found: Recorded, call: Call | None) -> dict[str, Verdict]:
    return proposals(card_of(web_, found), found.row.findings, facts_of(web_, call))


def facts_of(web_: Web, call: Call | None) -> Facts:
    """What the call says; nothing of one that was not observed as a whole."""
    limits = Facts(
        hold_limit_seconds=web_.options.hold_ticks_seconds[2], guidance_limit_seconds=web_.options.guidance_seconds
    )
    if call is None or not call.complete or call.running:
        return limits
    holds = [hold.ended_at - hold.started_at for hold in call.holds if hold.ended_at is not None]
    unended = len(holds) < len(call.holds)
    return replace(
        limits,
        longest_hold_seconds=None if unended else max(holds, default=0.0),
        guidance_seconds=call.talk_seconds,
        ended_by=call.ended_by.value if call.ended_by is not None else None,
    )


async def reviewers_of(web_: Web) -> tuple[User, ...]:
    """Who may review at all, and log in."""
    return tuple(user for user in await web_.ports.users.users() if user.active and is_reviewer(user))


async def _people(web_: Web, found: Recorded) -> dict[str, str]:
    """Log-in names to what people are called. A seat reads who it was by role: what it may dispute is the judgement,
    not the person; several are told apart by number."""
    names = {review.reviewer for review in found.reviews}
    names |= {c.author for review in found.reviews for c in review.comments}
    names |= {name for r in found.reviews if r.dispute for name in (r.dispute.by, r.dispute.answered_by) if name}
    if not is_reviewer(web_.user):
        others = [review.reviewer for review in found.reviews if review.signed]
        others += sorted(names - {*others, web_.user.name})
        role, several = web_.words.gettext(N_("Reviewer")), len(others) > 1
        titles = {name: f"{role} {n}" if several else role for n, name in enumerate(others, 1)}
        return titles | {web_.user.name: web_.user.display_name}
    users = [await web_.ports.users.user(name) for name in sorted(names)]
    return {name: name for name in names} | {user.name: user.display_name for user in users if user is not None}


# ---- sound


async def tracks_of(web_: Web, found: Recorded) -> list[str]:
    return await tracks_there(web_, found.row.server, found.row.call_id, found.paths)


async def _file(web_: Web, found: Recorded, track: str) -> Path | None:
    return await file_of(web_, found.row.server, found.row.call_id, track, found.paths.get(track))


async def sound(request: web.Request) -> web.StreamResponse:
    """A track, in byte ranges."""
    web_ = Web(request)
    found = await recorded_of(web_)
    file = await _file(web_, found, request.match_info["track"])
    if file is None:
        raise Problem(404, NONE)
    return await send(request, file)


async def waves(request: web.Request) -> web.StreamResponse:
    """The waveforms of both sides; where they were not recorded apart, the mix."""
    web_ = Web(request)
    found = await recorded_of(web_)
    shelf = request.app[SHELF]
    drawn = {}
    for track in TRACKS:
        file = await _file(web_, found, track)
        made = await shelf.of(file) if file is not None else None
        if made is not None:
            drawn[track] = {"seconds": made.seconds, "bars": made.bars}
    return web.json_response({"tracks": drawn})


_ID = r"{recording_id:\d{1,15}}"
ROUTES = [
    Route("GET", "/review", show, EVERYBODY, page=True),
    Route("POST", "/review/search", search, EVERYBODY, page=True),
    Route("GET", f"/review/{_ID}", one, EVERYBODY, page=True),
    Route("GET", f"/review/{_ID}/card", card, EVERYBODY),
    Route("GET", f"/review/{_ID}/waves", waves, EVERYBODY),
    Route("GET", f"/review/{_ID}/sound/{{track:mix|seat|caller}}", sound, EVERYBODY),
]
