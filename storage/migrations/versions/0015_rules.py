"""A block list; where jobs were asked, and in which roles."""

import sqlalchemy as sa
from alembic import op
from sqlmodel.sql.sqltypes import AutoString, UTCDateTime

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """One version on."""
    with op.batch_alter_table("people") as people:
        people.add_column(sa.Column("blocked_at", UTCDateTime(), nullable=True))
        people.add_column(_text("blocked_by"))
        people.add_column(_text("blocked_why"))
    with op.batch_alter_table("jobs") as jobs:
        jobs.add_column(_text("place"))
        jobs.add_column(
            sa.Column("groups", sa.JSON(none_as_null=True), nullable=False, server_default="[]")
        )


def downgrade() -> None:
    """One version back."""
    for table, columns in (
        ("jobs", ("place", "groups")),
        ("people", ("blocked_at", "blocked_by", "blocked_why")),
    ):
        with op.batch_alter_table(table) as changed:
            for column in columns:
                changed.drop_column(column)


def _text(name: str) -> sa.Column[str]:
    return sa.Column(name, AutoString(), nullable=False, server_default="")
