"""Where else a forbidden phrase was said."""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("findings", sa.Column("more", sa.JSON(), nullable=True))
