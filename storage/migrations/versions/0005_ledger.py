"""The chained ledger: what waits to be chained is found at once, and events by what was done."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

WAITS = sa.text("seq IS NULL")


def upgrade() -> None:
    """One version on."""
    op.create_index(
        "ix_ledger_waiting", "ledger", ["row"], sqlite_where=WAITS, postgresql_where=WAITS
    )
    op.create_index("ix_ledger_action_row", "ledger", ["action", "row"])


def downgrade() -> None:
    """One version back."""
    op.drop_index("ix_ledger_action_row", "ledger")
    op.drop_index("ix_ledger_waiting", "ledger")
