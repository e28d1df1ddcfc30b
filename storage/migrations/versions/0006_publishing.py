"""Publications that are looked after once more."""

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """One version on."""


def downgrade() -> None:
    """One version back."""
