"""Satisfaction (D8): the key that a caller pressed after the call, as an answer, and the share that was satisfied.

Place: after the call. The dialplan's question ("五 very good ... 一 very poor") puts the key among the call's facts
(``calls.model.Call.variables`` "survey"). Satisfied is who pressed one of the two best keys, the top-two-box score that
CSAT is in the field.

Promises: pure; any key becomes one of ``ANSWERS``, so that nothing from outside makes a series; a key beyond the scale
is told and is no answer; no answers is ``None``, never 0 % or 100 %.
Never: reads a clock, a database or a registry.
"""

from callcenter.calls.model import Call

VARIABLE = "survey"
SCALE = ("1", "2", "3", "4", "5")
SATISFIED = ("4", "5")
OTHER = "other"
"""A key that the question does not name."""
ANSWERS = (*SCALE, OTHER)
COUNTER = "callcenter_survey_answers_total"


def answer_of(call: Call) -> str | None:
    """One of ``ANSWERS``; ``None`` if nothing was pressed, or nobody asked."""
    key = call.variables.get(VARIABLE, "")
    if not key:
        return None
    return key if key in SCALE else OTHER


def promql_answers(window: str, satisfied: bool = False, by: str = "queue", where: str = "") -> str:
    """Answers on the scale over ``window``, in whole ones: each series is rounded before it is added."""
    wanted = f'answer=~"{"|".join(SATISFIED if satisfied else SCALE)}"'
    chosen = ",".join(filter(None, (where, wanted)))
    summed = f"sum by ({by}) " if by else "sum "
    return f"{summed}(round(increase({COUNTER}{{{chosen}}}[{window}])))"


def promql(window: str, by: str = "queue", where: str = "") -> str:
    """The share satisfied; nothing where nobody answered."""
    return f"{promql_answers(window, True, by, where)} / ({promql_answers(window, False, by, where)} > 0)"
