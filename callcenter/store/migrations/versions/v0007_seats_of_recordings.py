"""Which seats are on a recording, and which of them each finding is about: after a transfer there are several.

What is stored already belongs to the seat that answered, unless its call was sent on: then who spoke is not known.
"""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
OF_ONE_SEAT = """
UPDATE findings SET seat = (
    SELECT r.seat FROM transcripts t
    JOIN recordings r ON r.id = t.recording_id
    JOIN calls c ON c.server = r.server AND c.call_id = r.call_id
    WHERE t.id = findings.transcript_id AND CAST(c.detail AS TEXT) NOT LIKE '%"transfers"%'
) WHERE speaker = 'seat' OR (kind = 'required' AND NOT found)
"""


def upgrade() -> None:
    op.create_table(
        "recording_seats",
        sa.Column("recording_id", ID, nullable=False),
        sa.Column("seat", sa.Text(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["recording_id"], ["recordings.id"], name="fk_recording_seats_recording_id"),
        sa.PrimaryKeyConstraint("recording_id", "seat", name="pk_recording_seats"),
    )
    op.create_index("ix_recording_seats_seat", "recording_seats", ["seat"], unique=False)
    op.add_column("findings", sa.Column("seat", sa.Text(), nullable=True))
    op.execute(
        "INSERT INTO recording_seats (recording_id, seat, position) "
        "SELECT id, seat, 0 FROM recordings WHERE seat IS NOT NULL"
    )
    op.execute(sa.text(OF_ONE_SEAT))
