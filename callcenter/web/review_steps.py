"""What a reviewer and a seat do with a review: answer, note, comment, sign, dispute, answer the dispute.

Place on the path of a call: the review page's script sends these, JSON both ways.
Promises: only the reviewer changes his draft; only the call's own seat disputes; only reviewers answer, never the seat
itself, and the review's own author only where nobody else can; what may not be seen is a 404; every step is in the log
with who and when.
Never: takes a score or a signature from the browser.
"""

import re
from collections.abc import Awaitable
from typing import Any, TypeVar

from aiohttp import web

from callcenter.quality.review import Recorded, Review, ReviewError
from callcenter.quality.scorecard import Scorecard, Verdict, score
from callcenter.web.access import EVERYBODY, REVIEWERS, Problem, Route
from callcenter.web.context import Web
from callcenter.web.review import NO_RECORDING, card_of, proposals_of, recorded_of, reviewers_of, reviews_of
from callcenter.web.review_card import is_blind, may_answer, may_begin, may_end, may_review
from callcenter.web.words import N_

Result = TypeVar("Result")

_KEY = re.compile(r"[0-9A-Za-z_-]{1,40}")
ROUNDED_SECONDS = 1.0
"""What a browser may take a recording to be longer."""
SENTENCES = (
    # What the store may refuse, said here once more so that the catalogues know it.
    N_("This review is signed and cannot be changed any more."),
    N_("Not every question is answered yet; answer the open ones, then sign."),
    N_("There is no such question on this scorecard; load the page again."),
    N_("There are as many comments as a review holds; write the rest into the note."),
    N_("This review is not signed yet; there is nothing to dispute."),
    N_("This review has been disputed already; the answer stands below it."),
    N_("There is no open dispute of this review; load the page again."),
    N_("There is no such recording any more; look for it in the list."),
    N_("There is no such review; load the page again."),
    N_("The text is longer than 2000 characters; shorten it."),
    N_("There is no text; write one first."),
)


async def begin(request: web.Request) -> web.StreamResponse:
    web_ = Web(request)
    found = await recorded_of(web_)
    if not may_review(web_.user, found.row):
        raise Problem(403, N_("Nobody reviews a call of their own; ask somebody else to."))
    if not may_begin(web_.user, found.row):
        raise Problem(409, N_("This call has been reviewed; choose it for calibration, then others review it, too."))
    call = await web_.ports.tickets.call(found.row.server, found.row.call_id)
    proposed = proposals_of(web_, found, call)
    step = reviews_of(web_).begin(found.row.id, web_.user.name, web_.now(), card_of(web_, found), proposed)
    return web.json_response({"review": await _tried(step)})


async def answer(request: web.Request) -> web.StreamResponse:
    web_ = Web(request)
    body = await web_.json()
    card, review = await _own(web_)
    question, verdict = body.get("question"), body.get("verdict")
    chosen = next((one for one in Verdict if one.value == verdict), None)
    if not isinstance(question, str) or (verdict is not None and chosen is None):
        raise Problem(400, N_("The request could not be understood."))
    step = reviews_of(web_).answer(review.id, card, question, chosen, web_.user.name, web_.now())
    return _told(web_, card, await _tried(step))


async def note(request: web.Request) -> web.StreamResponse:
    web_ = Web(request)
    text = _text(await web_.json())
    card, review = await _own(web_)
    return _told(web_, card, await _tried(reviews_of(web_).write_note(review.id, text, web_.user.name, web_.now())))


async def comment(request: web.Request) -> web.StreamResponse:
    web_ = Web(request)
    body = await web_.json()
    card, review = await _own(web_)
    key, moment = body.get("key"), body.get("moment")
    if isinstance(moment, bool) or not isinstance(moment, int | float) or not 0 <= moment < 1e6:
        raise Problem(400, N_("The request could not be understood."))
    if not isinstance(key, str) or not _KEY.fullmatch(key):
        raise Problem(400, N_("The request could not be understood."))
    seconds = (await recorded_of(web_)).row.seconds
    if seconds is not None and moment > seconds + ROUNDED_SECONDS:
        raise Problem(400, N_("The recording ends before that second; choose one within it."))
    step = reviews_of(web_).comment(review.id, key, round(float(moment), 2), _text(body), web_.user.name, web_.now())
    return _told(web_, card, await _tried(step))


async def uncomment(request: web.Request) -> web.StreamResponse:
    web_ = Web(request)
    body = await web_.json()
    card, review = await _own(web_)
    number = body.get("comment")
    if not isinstance(number, int) or not 0 <= number < 2**53:
        raise Problem(400, N_("The request could not be understood."))
    step = reviews_of(web_).remove_comment(review.id, number, web_.user.name, web_.now())
    return _told(web_, card, await _tried(step))


async def sign(request: web.Request) -> web.StreamResponse:
    """What stood on the screen, where the body tells it: 409 if another window has changed the draft meanwhile."""
    web_ = Web(request)
    card, review = await _own(web_)
    body = await web_.json() if await request.read() else {}
    shown = body.get("answers", {})
    if not isinstance(shown, dict):
        raise Problem(400, N_("The request could not be understood."))
    told = {question: verdict for question, verdict in shown.items() if verdict is not None}
    kept = {question: verdict.value for question, verdict in card.fitting(review.answers).items()}
    if "answers" in body and not review.signed and told != kept:
        raise Problem(409, N_("Another window has changed this draft. Load the page again, look, then sign."))
    return _told(web_, card, await _tried(reviews_of(web_).sign(review.id, card, web_.user.name, web_.now())))


async def dispute(request: web.Request) -> web.StreamResponse:
    web_ = Web(request)
    text = _text(await web_.json())
    found, review = await _seen(web_)
    if not found.row.is_of(web_.user.extension):
        raise Problem(403, N_("Only the seat of the call may dispute its review."))
    step = reviews_of(web_).dispute(review.id, text, web_.user.name, web_.now())
    return _told(web_, card_of(web_, found), await _tried(step))


async def answer_dispute(request: web.Request) -> web.StreamResponse:
    web_ = Web(request)
    body = await web_.json()
    found, review = await _seen(web_)
    outcome = body.get("outcome")
    if outcome not in ("upheld", "set_aside"):
        raise Problem(400, N_("The request could not be understood."))
    if found.row.is_of(web_.user.extension):
        raise Problem(403, N_("Nobody answers a dispute of their own."))
    if not may_answer(web_.user, found.row, review, await reviewers_of(web_)):
        raise Problem(403, N_("Somebody else answers the dispute of your review; ask another reviewer."))
    step = reviews_of(web_).answer_dispute(review.id, outcome, _text(body), web_.user.name, web_.now())
    return _told(web_, card_of(web_, found), await _tried(step))


async def choose(request: web.Request) -> web.StreamResponse:
    """For calibration: from here on each reviewer sees the others' reviews only after his own."""
    web_ = Web(request)
    found = await recorded_of(web_)
    await _tried(reviews_of(web_).choose(found.row.id, web_.user.name, web_.now()))
    return web.json_response({"calibration": True})


async def end_calibration(request: web.Request) -> web.StreamResponse:
    web_ = Web(request)
    found = await recorded_of(web_)
    if found.row.calibrated_by is not None and not may_end(web_.user, found.row):
        raise Problem(403, N_("Who chose the call for calibration, or a supervisor, ends it."))
    await _tried(reviews_of(web_).end_calibration(found.row.id, web_.user.name, web_.now()))
    return web.json_response({"calibration": False})


async def _seen(web_: Web) -> tuple[Recorded, Review]:
    """The review of the address with its recording; 404 unless the person may see it."""
    found = await recorded_of(web_)
    number = int(web_.request.match_info["review_id"])
    review = next((one for one in found.reviews if one.id == number), None)
    mine = review is not None and review.reviewer == web_.user.name and web_.user.role in REVIEWERS
    if review is None or not (mine or (review.signed and not is_blind(web_.user, found.row))):
        raise Problem(404, NO_RECORDING)
    return found, review


async def _own(web_: Web) -> tuple[Scorecard, Review]:
    """The person's own review and the card in force for it; 404 for anybody else's."""
    found, review = await _seen(web_)
    if review.reviewer != web_.user.name:
        raise Problem(404, NO_RECORDING)
    return card_of(web_, found), review


def _text(body: dict[str, Any]) -> str:
    text = body.get("text")
    if not isinstance(text, str):
        raise Problem(400, N_("The request could not be understood."))
    return text


async def _tried(step: Awaitable[Result]) -> Result:
    try:
        return await step
    except ReviewError as error:
        raise Problem(409, str(error)) from None


def _told(web_: Web, card: Scorecard, review: Review) -> web.Response:
    reached = score(review.card or card, review.answers)
    facts = {
        "review": review.id,
        "least": reached.least,
        "most": reached.most,
        "open": list(reached.open),
        "zeroed": list(reached.zeroed),
        "signed": review.signed,
        "at": web_.now(),
    }
    return web.json_response(facts)


_RECORDING = r"/api/recordings/{recording_id:\d{1,15}}"
_REVIEW = f"{_RECORDING}/reviews/{{review_id:\\d{{1,15}}}}"
ROUTES = [
    Route("POST", f"{_RECORDING}/calibration", choose, REVIEWERS),
    Route("POST", f"{_RECORDING}/calibration/end", end_calibration, REVIEWERS),
    Route("POST", f"{_RECORDING}/reviews", begin, REVIEWERS),
    Route("POST", f"{_REVIEW}/answer", answer, REVIEWERS),
    Route("POST", f"{_REVIEW}/note", note, REVIEWERS),
    Route("POST", f"{_REVIEW}/comment", comment, REVIEWERS),
    Route("POST", f"{_REVIEW}/uncomment", uncomment, REVIEWERS),
    Route("POST", f"{_REVIEW}/sign", sign, REVIEWERS),
    Route("POST", f"{_REVIEW}/dispute", dispute, EVERYBODY),
    Route("POST", f"{_REVIEW}/answer-dispute", answer_dispute, REVIEWERS),
]
