"""What programs asked for with an idempotency key."""

import sqlalchemy as sa
from alembic import op
from sqlmodel.sql.sqltypes import UTCDateTime

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

PLAIN = sa.JSON(none_as_null=True)
INDEX = "ix_requests_created_at"


def upgrade() -> None:
    """One version on."""
    op.create_table(
        "requests",
        *(sa.Column(name, sa.String(), nullable=False) for name in ("person", "key", "content")),
        sa.Column("job", sa.String(), nullable=False),
        sa.Column("answer", PLAIN, nullable=False),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("person", "key", name="pk_requests"),
    )
    op.create_index(INDEX, "requests", ["created_at"])


def downgrade() -> None:
    """One version back."""
    op.drop_index(INDEX, "requests")
    op.drop_table("requests")
