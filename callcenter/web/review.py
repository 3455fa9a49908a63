"""The review page: list, player, transcript and scorecard (E1).

Place on the path of a call: after recording, transcript and findings. What a reviewer does is ``web/review_steps``.
Promises: a search text and all filters travel in the body, never in an address; reviewers see all recordings, a seat
sees only its own calls and only signed reviews, anything else does not exist for it (404); whoever reviews a call does
not see what others made of it before he has signed; nobody reviews a call of his own.
Never: decides a verdict.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from aiohttp import web

from callcenter.calls.model import Call
from callcenter.quality.review import Recorded, RecordingPage, RecordingRow, Review, Wanted
from callcenter.quality.scorecard import (
    Facts,
    Score,
    Scorecard,
    Verdict,
    differences,
    is_fault,
    proposals,
    score,
)
from callcenter.quality.search import terms
from callcenter.web.access import EVERYBODY, REVIEWERS, Problem, Route
from callcenter.web.context import Web
from callcenter.web.desk import context_of, view_of
from callcenter.web.hearing_ports import Reviews
from callcenter.web.peaks import PeakShelf
from callcenter.web.ports import User
from callcenter.web.recordings import NONE, TYPES, file_of, tracks_there
from callcenter.web.review_view import flags, player_data, spoken, stretches, telling
from callcenter.web.review_words import FAULTS, OF_TWO, STEPS, VERDICTS
from callcenter.web.words import N_

NO_RECORDING = N_("There is no such recording, or it is not yours to see.")
FILTERS = ("q", "seat", "queue", "since", "until", "fault", "score", "review", "sample", "seed")
PAGE_ROWS = 40
MAX_SAMPLE = 100
TRACKS = ("mix", "seat", "caller")
SHELF: web.AppKey[PeakShelf] = web.AppKey("peaks", PeakShelf)


def reviews_of(web_: Web) -> Reviews:
    if web_.ports.reviews is None:
        raise Problem(404, N_("There is nothing at this address."))
    return web_.ports.reviews


def is_reviewer(user: User) -> bool:
    return user.role in REVIEWERS


def may_review(user: User, row: RecordingRow) -> bool:
    """Reviewers, but nobody his own call."""
    return is_reviewer(user) and not row.is_of(user.extension)


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
    context = await list_context(web_, wanted_of(web_, form), form)
    if "HX-Request" in request.headers:
        html = web_.fragment("review_list.html", **context)
        return web.Response(text=html, content_type="text/html", charset="utf-8")
    return web_.page("review.html", **await page_context(web_) | context, found=None)


def wanted_of(web_: Web, form: dict[str, str]) -> Wanted:
    """The filters of a form, narrowed to what the person may see. What is not understood filters nothing."""
    wanted = Wanted(
        terms=terms(form.get("q", "")),
        seat=form.get("seat") or None,
        queue=form.get("queue") or None,
        since=_day(web_, form.get("since", "")),
        until=_day(web_, form.get("until", ""), days=1),
        fault=form["fault"] if form.get("fault") in FAULTS else None,
        score={"passed": "passed", "failed": "failed"}.get(form.get("score", "")),  # type: ignore[arg-type]
        review={"none": "none", "signed": "signed", "disputed": "disputed"}.get(form.get("review", "")),  # type: ignore[arg-type]
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
    return {
        "page": page,
        "wanted": wanted,
        "form": dict.fromkeys(FILTERS, "") | form,
        "flags_of": flags,
        "seat_title": seat_titles(web_),
        "seats_title": seats_titles(web_),
        "queue_title": lambda name: web_.ports.desk.queue(name).title,
        "reader": reader,
        "newest_review": lambda row: _newest(row, web_.user, reader),
        "current_id": 0,
        "seed": datetime.fromtimestamp(web_.now(), web_.options.zone).strftime("%Y-%m-%d"),
    }


def _newest(row: RecordingRow, user: User, reader: bool) -> Any:
    """The newest signed review that this person may see the score of, none before his own is signed; one with an open
    dispute before all others."""
    mine = [mark for mark in row.reviews if mark.reviewer == user.name]
    if reader and mine and mine[0].signed_at is None:
        return mine[0]
    signed = [mark for mark in row.reviews if mark.signed_at is not None]
    return max(signed, key=lambda mark: (mark.disputed, mark.signed_at or 0.0), default=None)


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
            "faults": FAULTS,
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
    view = card_view(web_.user, found, card_of(web_, found), proposals_of(web_, found, call))
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


@dataclass(frozen=True, slots=True)
class CardView:
    """What this person sees of the scorecards of a recording.

    ``mine``: the own review. ``signed``: the reviews to be read side by side. ``editable``: the card is a form.
    ``answers``: its answers, the machine's while nothing is stored. ``may_begin``: others have signed, and this person
    may add a review of his own. ``may_dispute``: it is this person's call. ``changed``: the draft was begun with
    another version of the card. ``unlike``: the signed ones have different cards; only what both ask is compared.
    """

    card: Scorecard
    mine: Review | None
    signed: tuple[Review, ...]
    editable: bool
    answers: dict[str, Verdict]
    proposed: dict[str, Verdict]
    reckoned: Score
    may_begin: bool
    may_dispute: bool
    may_answer: bool
    differing: frozenset[str] = frozenset()
    changed: bool = False
    unlike: bool = False


def card_of(web_: Web, found: Recorded) -> Scorecard:
    """The card in force for the call's queue; what is signed keeps its own."""
    return web_.options.scorecards.of(found.row.queue)


def card_view(user: User, found: Recorded, card: Scorecard, proposed: dict[str, Verdict]) -> CardView:
    mine = next((review for review in found.reviews if review.reviewer == user.name), None)
    able, own = may_review(user, found.row), found.row.is_of(user.extension)
    drafting = able and mine is not None and not mine.signed
    signed = () if drafting else tuple(review for review in found.reviews if review.signed)
    editable = drafting or (able and mine is None and not signed)
    cards = [review.card or card for review in signed]
    used = card if editable or not signed else cards[-1]
    answers = used.fitting(mine.answers) if mine is not None else dict(proposed)
    common = replace(used, questions=tuple(q for q in used.questions if all(one.question(q.id) for one in cards)))
    differing = [d.question for other in signed[1:] for d in differences(common, signed[0].answers, other.answers)]
    return CardView(
        card=used,
        mine=mine,
        signed=signed,
        editable=editable,
        answers=answers,
        proposed=dict(mine.proposed) if mine is not None else proposed,
        reckoned=score(used, answers),
        may_begin=able and mine is None and bool(signed),
        may_dispute=own,
        may_answer=is_reviewer(user) and not own,
        differing=frozenset(differing),
        changed=drafting and mine is not None and mine.scorecard != card.version,
        unlike=len({one.version for one in cards}) > 1,
    )


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


async def _people(web_: Web, found: Recorded) -> dict[str, str]:
    """Log-in names to what people are called."""
    names = {review.reviewer for review in found.reviews}
    names |= {c.author for review in found.reviews for c in review.comments}
    names |= {name for r in found.reviews if r.dispute for name in (r.dispute.by, r.dispute.answered_by) if name}
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
    return web.FileResponse(file, headers={"Content-Type": TYPES[file.suffix.lower()]})


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
