"""Publications and messages that are looked after once more."""

import sqlalchemy as sa
from alembic import op
from sqlmodel.sql.sqltypes import UTCDateTime

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """One version on."""
    with op.batch_alter_table("publications") as publications:
        publications.add_column(sa.Column("tried_at", UTCDateTime()))
        publications.add_column(sa.Column("check_at", UTCDateTime()))
    with op.batch_alter_table("outbox") as outbox:
        outbox.add_column(sa.Column("check_at", UTCDateTime()))
    there = sa.text("check_at IS NOT NULL")
    for table in ("publications", "outbox"):
        op.create_index(
            f"ix_{table}_check_at",
            table,
            ["check_at"],
            sqlite_where=there,
            postgresql_where=there,
        )


def downgrade() -> None:
    """One version back."""
    for table in ("outbox", "publications"):
        op.drop_index(f"ix_{table}_check_at", table)
    with op.batch_alter_table("outbox") as outbox:
        outbox.drop_column("check_at")
    with op.batch_alter_table("publications") as publications:
        publications.drop_column("check_at")
        publications.drop_column("tried_at")
