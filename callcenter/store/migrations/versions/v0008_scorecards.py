"""The scorecards that reviews were signed with, whole; those signed so far were signed with the only one there was."""

import json

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

REFUSAL = "a stored scorecard cannot be changed"
SECTIONS = (
    ("opening", "开头", "Opening"),
    ("course", "过程", "Course of the call"),
    ("end", "结束", "End"),
    ("record", "记录", "Record"),
)
QUESTIONS = (
    ("greeting", "A2", "opening", 15, "标准问候与工号", "Standard greeting with work number"),
    ("identity", "A3", "opening", 10, "询问身份与联系方式", "Asked who calls and how to reach them"),
    ("waiting", "B1", "course", 10, "等待前说明、等待后致谢", "Announced the wait, thanked after it"),
    ("hold", "B2", "course", 10, "保持不超过 1 分钟", "Hold no longer than a minute"),
    ("guidance", "B3", "course", 10, "电话指导 5 分钟内", "Guidance by phone within five minutes"),
    ("language", "B8", "course", 20, "用语", "No forbidden phrase"),
    ("closing", "B7", "end", 10, "标准结束语", "Standard closing phrase"),
    ("hangup", "B6", "end", 5, "客户先挂机", "The customer hung up first"),
    ("record", "C2", "record", 10, "工单完整", "Ticket is complete"),
)
FACTS = {"B2": "hold", "B3": "guidance", "B6": "hangup"}
"""Of the rules that no phrase answers; C2 is answered by a person alone."""


def upgrade() -> None:
    table = op.create_table(
        "scorecards",
        sa.Column("version", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("passing", sa.Double(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("stored_at", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("version", name="pk_scorecards"),
    )
    text = json.dumps(_standard_1(), sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    values = {"version": "standard-1", "name": "standard", "passing": 85.0, "text": text, "stored_at": 0.0}
    op.bulk_insert(table, [values])
    for event in ("UPDATE", "DELETE"):
        (_sqlite if op.get_bind().dialect.name == "sqlite" else _postgres)(event)


def _standard_1() -> dict[str, object]:
    return {
        "name": "standard",
        "title": {"zh": "服务规范", "en": "Service standard"},
        "passing": 85.0,
        "sections": [{"id": one, "title": {"zh": zh, "en": en}} for one, zh, en in SECTIONS],
        "questions": [_question(*one) for one in QUESTIONS],
    }


def _question(name: str, rule: str, section: str, weight: int, zh: str, en: str) -> dict[str, object]:
    return {
        "id": name,
        "section": section,
        "weight": weight,
        "text": {"zh": zh, "en": en},
        "rule": rule,
        "phrases": [] if rule in FACTS or rule == "C2" else [rule],
        "fact": FACTS.get(rule, ""),
        "critical": "section" if rule == "B8" else "",
        "verdicts": ["met", "partly", "missed", "na"],
    }


def _sqlite(event: str) -> None:
    op.execute(
        f"CREATE TRIGGER kept_scorecards_{event.lower()} BEFORE {event} ON scorecards "
        f"BEGIN SELECT RAISE(ABORT, '{REFUSAL}'); END"
    )


def _postgres(event: str) -> None:
    name = f"kept_scorecards_{event.lower()}"
    op.execute(
        f"CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION '{REFUSAL}'; END $$"
    )
    op.execute(f"CREATE TRIGGER {name} BEFORE {event} ON scorecards FOR EACH ROW EXECUTE FUNCTION {name}()")
