"""Messages that one person alone sees."""

import sqlalchemy as sa
from alembic import op
from sqlmodel.sql.sqltypes import AutoString

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """One version on."""
    with op.batch_alter_table("outbox") as outbox:
        outbox.add_column(sa.Column("only_for", AutoString(), nullable=False, server_default=""))


def downgrade() -> None:
    """One version back."""
    with op.batch_alter_table("outbox") as outbox:
        outbox.drop_column("only_for")
