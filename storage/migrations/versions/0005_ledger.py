"""The chained ledger and its anchors."""

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """One version on."""


def downgrade() -> None:
    """One version back."""
