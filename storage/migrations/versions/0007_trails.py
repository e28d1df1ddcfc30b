"""Jobs know the command that asked for them."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """One version on."""
    with op.batch_alter_table("jobs") as jobs:
        jobs.add_column(sa.Column("trail", sa.String(), nullable=False, server_default=""))
    with op.batch_alter_table("jobs") as jobs:
        jobs.alter_column("trail", server_default=None)


def downgrade() -> None:
    """One version back."""
    with op.batch_alter_table("jobs") as jobs:
        jobs.drop_column("trail")
