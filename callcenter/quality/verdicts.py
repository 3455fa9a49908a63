"""What signed reviews tell of phrases: whether a person says that each was said.

Place on the path of a call: long after it, for ``callcenter phrases verdicts``; ``phrases test`` reads what is made.
Promises: pure; what an answer leaves open of a phrase is not told, and neither is what two reviewers see differently.
Never: takes the machine's word for what was said.
"""

from collections.abc import Iterable, Sequence

from callcenter.quality.finding import Finding
from callcenter.quality.review import Review
from callcenter.quality.scorecard import Question, Verdict


def verdicts_of(reviews: Iterable[Review], findings: Sequence[Finding]) -> dict[str, bool]:
    """Phrase to whether it was said, of one call. ``findings``: those that the reviewers had before them. A review that
    was set aside, or is disputed and not answered, tells nothing."""
    settled = [one for one in reviews if one.counts and (one.dispute is None or one.dispute.outcome is not None)]
    told = [
        said_by(question, review.answers.get(question.id), findings)
        for review in settled
        if review.card is not None
        for question in review.card.questions
    ]
    phrases = {phrase: {one[phrase] for one in told if phrase in one} for one in told for phrase in one}
    return {phrase: answers.pop() for phrase, answers in sorted(phrases.items()) if len(answers) == 1}


def said_by(question: Question, answer: Verdict | None, findings: Iterable[Finding]) -> dict[str, bool]:
    """What the answer to one question tells of the phrases that it is about.

    "Met" tells of all of them. "Missed" tells which one only where there is one: of several required ones none was said
    if "partly" could have been answered; of forbidden ones it was the only one that anything was found of."""
    evidence = question.evidence(findings)
    required = {one.phrase for one in evidence if one.kind == "required"}
    forbidden = {one.phrase for one in evidence if one.kind == "forbidden"}
    if answer is Verdict.MET:
        return dict.fromkeys(required, True) | dict.fromkeys(forbidden, False)
    if answer is not Verdict.MISSED or (required and forbidden):
        return {}
    if required:
        none = len(required) == 1 or Verdict.PARTLY in question.verdicts
        return dict.fromkeys(required, False) if none else {}
    found = {one.phrase for one in evidence if one.found} if len(forbidden) > 1 else forbidden
    return dict.fromkeys(found, True) if len(found) == 1 else {}
