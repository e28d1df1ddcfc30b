"""Teams, and members who left."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """One version on."""
    with op.batch_alter_table("people") as people:
        people.add_column(sa.Column("team", sa.String(), nullable=False, server_default=""))
        people.add_column(
            sa.Column("active", sa.Boolean(), nullable=False, server_default=sa.true())
        )
    with op.batch_alter_table("people") as people:
        people.alter_column("team", server_default=None)
        people.alter_column("active", server_default=None)


def downgrade() -> None:
    """One version back."""
    with op.batch_alter_table("people") as people:
        people.drop_column("team")
        people.drop_column("active")
