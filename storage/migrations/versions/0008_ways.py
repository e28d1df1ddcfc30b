"""Jobs count their starts apart from their claims; pictures say whose pixels they took over."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """One version on."""
    with op.batch_alter_table("jobs") as jobs:
        jobs.add_column(sa.Column("starts", sa.Integer(), nullable=False, server_default="0"))
    with op.batch_alter_table("jobs") as jobs:
        jobs.alter_column("starts", server_default=None)
    with op.batch_alter_table("assets") as assets:
        assets.add_column(sa.Column("reused", sa.String(), nullable=False, server_default=""))
    with op.batch_alter_table("assets") as assets:
        assets.alter_column("reused", server_default=None)


def downgrade() -> None:
    """One version back."""
    with op.batch_alter_table("assets") as assets:
        assets.drop_column("reused")
    with op.batch_alter_table("jobs") as jobs:
        jobs.drop_column("starts")
