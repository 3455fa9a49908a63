"""What was said, folded for searching, apart from the words themselves; and which transcripts hold a term.

On the path of a call: written with its transcript; read long after it, by the review page.
Promises: it is the text in which ``quality/search`` looks for a term, to the letter, so that the database finds what
that would find; one row per transcript, small beside the words: a search reads no transcript that does not hold the
term; every value is bound.
Never: is shown.
"""

from sqlalchemy import Column, ColumnElement, Delete, ForeignKey, Select, Table, Text, delete, exists

from callcenter.store.schema import Id, metadata, transcripts

spoken = Table(
    "spoken",
    metadata,
    Column("transcript_id", Id, ForeignKey("transcripts.id"), primary_key=True),
    Column("text", Text, nullable=False),
)


def without_spoken(transcript_ids: Select[tuple[int]]) -> Delete:
    return delete(spoken).where(spoken.c.transcript_id.in_(transcript_ids))


def holds(term: str) -> ColumnElement[bool]:
    """Whether somebody said the folded term in one go."""
    return exists().where(spoken.c.transcript_id == transcripts.c.id, spoken.c.text.contains(term, autoescape=True))
