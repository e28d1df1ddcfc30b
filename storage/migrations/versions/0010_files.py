"""A picture is found by its file."""

from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

TABLES = ("assets", "renditions")


def upgrade() -> None:
    """One version on."""
    for table in TABLES:
        op.create_index(f"ix_{table}_file_hash", table, ["file_hash"])


def downgrade() -> None:
    """One version back."""
    for table in TABLES:
        op.drop_index(f"ix_{table}_file_hash", table)
