"""Messages that answer by a platform's own handle."""

import sqlalchemy as sa
from alembic import op
from sqlmodel.sql.sqltypes import AutoString

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """One version on."""
    with op.batch_alter_table("outbox") as outbox:
        outbox.add_column(sa.Column("reply_to", AutoString(), nullable=False, server_default=""))


def downgrade() -> None:
    """One version back."""
    with op.batch_alter_table("outbox") as outbox:
        outbox.drop_column("reply_to")
