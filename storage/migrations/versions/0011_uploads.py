"""Whose the pictures are that people bring."""

import sqlalchemy as sa
from alembic import op
from sqlmodel.sql.sqltypes import UTCDateTime

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
INDEXES = (["person", "at"], ["job", "at"])


def upgrade() -> None:
    """One version on."""
    op.create_table(
        "uploads",
        *(sa.Column(name, sa.String(), nullable=False) for name in ("person", "sha256")),
        sa.Column("bytes", BIG, nullable=False),
        sa.Column("at", UTCDateTime(), nullable=False),
        sa.Column("job", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("person", "sha256", name="pk_uploads"),
    )
    for columns in INDEXES:
        op.create_index(_index(columns), "uploads", columns)


def downgrade() -> None:
    """One version back."""
    for columns in INDEXES:
        op.drop_index(_index(columns), "uploads")
    op.drop_table("uploads")


def _index(columns: list[str]) -> str:
    return f"ix_uploads_{'_'.join(columns)}"
