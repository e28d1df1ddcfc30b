"""Schedules that rotate, repeat and run ahead."""

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """One version on."""


def downgrade() -> None:
    """One version back."""
