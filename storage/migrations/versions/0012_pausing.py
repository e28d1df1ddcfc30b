"""Jobs can be paused."""

import sqlalchemy as sa
from alembic import op
from sqlmodel.sql.sqltypes import UTCDateTime

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """One version on."""
    with op.batch_alter_table("jobs") as jobs:
        jobs.add_column(sa.Column("paused_at", UTCDateTime(), nullable=True))


def downgrade() -> None:
    """One version back."""
    with op.batch_alter_table("jobs") as jobs:
        jobs.drop_column("paused_at")
