"""What a person sees of the reviews of a call: whose, as a form or to read, and what may be done with them (E1).

Place on the path of a call: below ``web/review`` and ``web/review_steps``, which ask the store.
Promises: pure. Whoever reviews a call sees nothing that others made of it before he has signed: neither answers, score,
comments nor disputes. A second review is made only of a call that was chosen for calibration; who chose it after
reading a review of it leads, and makes none. Nobody reviews a call of his own, and nobody answers the dispute of his
own review while a colleague can: whoever judges an objection must not be the one objected to.
Never: asks the store, or decides a verdict.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from callcenter.quality.review import Recorded, RecordingRow, Review, ReviewMark
from callcenter.quality.scorecard import Score, Scorecard, Verdict, differences, score
from callcenter.web.access import REVIEWERS, SUPERVISORS
from callcenter.web.ports import User


def is_reviewer(user: User) -> bool:
    return user.role in REVIEWERS


def may_review(user: User, row: RecordingRow) -> bool:
    """Reviewers, but nobody his own call."""
    return is_reviewer(user) and not row.is_of(user.extension)


def has_read(user: User, row: RecordingRow) -> bool:
    """Whether the person chose the call for calibration when somebody else's review of it was there to be read."""
    since = row.calibrated_at
    if row.calibrated_by != user.name or since is None:
        return False
    return any(m.reviewer != user.name and m.signed_at is not None and m.signed_at < since for m in row.reviews)


def is_blind(user: User, row: RecordingRow) -> bool:
    """Whether what others made of the call is hidden from this person: he is reviewing it, or is to."""
    mine = next((mark for mark in row.reviews if mark.reviewer == user.name), None)
    if not may_review(user, row) or (mine is not None and mine.signed_at is not None):
        return False
    return mine is not None or (row.calibrated_by is not None and not has_read(user, row))


def may_begin(user: User, row: RecordingRow) -> bool:
    """The first review, or a further one of a call that was chosen for calibration; going on with the own one."""
    mine = any(mark.reviewer == user.name for mark in row.reviews)
    signed = any(mark.signed_at is not None for mark in row.reviews)
    return may_review(user, row) and (mine or not signed or is_blind(user, row))


def may_end(user: User, row: RecordingRow) -> bool:
    """The supervisor, or who chose the call, ends its calibration; then all may read."""
    return row.calibrated_by is not None and (user.role in SUPERVISORS or row.calibrated_by == user.name)


def newest(row: RecordingRow, user: User) -> ReviewMark | None:
    """The review whose score the list shows this person; one with an open dispute before all others."""
    if is_blind(user, row):
        return next((mark for mark in row.reviews if mark.reviewer == user.name), None)
    signed = [mark for mark in row.reviews if mark.signed_at is not None]
    return max(signed, key=lambda mark: (mark.disputed, mark.signed_at or 0.0), default=None)


def may_answer(user: User, row: RecordingRow, review: Review, reviewers: Iterable[User]) -> bool:
    """Whether the person may answer the dispute of this review: of his own only where nobody else can."""
    if not may_review(user, row) or is_blind(user, row):
        return False
    return review.reviewer != user.name or not any(may_review(one, row) for one in reviewers if one.name != user.name)


@dataclass(frozen=True, slots=True)
class CardView:
    """What this person sees of the scorecards of a recording.

    ``mine``: the own review. ``signed``: the reviews to be read side by side. ``editable``: the card is a form.
    ``answers``: its answers, the machine's while nothing is stored. ``blind``: the call is chosen for calibration, and
    what others signed is hidden. ``may_choose``, ``may_end``: begin and end a calibration. ``may_dispute``: it is this
    person's call. ``answering``: ids of the reviews whose dispute this person may answer. ``changed``: the draft was
    begun with another version of the card. ``unlike``: the signed ones have different cards; only what both ask is
    compared.
    """

    card: Scorecard
    mine: Review | None
    signed: tuple[Review, ...]
    editable: bool
    answers: dict[str, Verdict]
    proposed: dict[str, Verdict]
    reckoned: Score
    blind: bool
    may_choose: bool
    may_end: bool
    may_dispute: bool
    answering: frozenset[int]
    differing: frozenset[str] = frozenset()
    changed: bool = False
    unlike: bool = False


def card_view(
    user: User, found: Recorded, card: Scorecard, proposed: dict[str, Verdict], reviewers: Iterable[User] = ()
) -> CardView:
    """``reviewers``: all who may review now, also this person."""
    row, colleagues = found.row, tuple(reviewers)
    mine = next((review for review in found.reviews if review.reviewer == user.name), None)
    hidden = is_blind(user, row)
    drafting = hidden and mine is not None
    signed = () if hidden else tuple(review for review in found.reviews if review.signed)
    editable = hidden or (may_review(user, row) and mine is None and not signed)
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
        blind=hidden and row.calibrated_by is not None,
        may_choose=is_reviewer(user) and row.calibrated_by is None,
        may_end=may_end(user, row),
        may_dispute=row.is_of(user.extension),
        answering=frozenset(one.id for one in signed if may_answer(user, row, one, colleagues)),
        differing=frozenset(differing),
        changed=drafting and mine is not None and mine.scorecard != card.version,
        unlike=len({one.version for one in cards}) > 1,
    )
