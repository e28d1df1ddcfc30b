"""Budgets, and fair turns."""

import sqlalchemy as sa
from alembic import op
from sqlmodel.sql.sqltypes import UTCDateTime

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

PLAIN = sa.JSON(none_as_null=True)
BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
OLD_TURN = ["state", "rank", "created_at", "row"]
NEW_TURN = ["state", "hold", "rank", "turn", "created_at", "row"]


def upgrade() -> None:
    """One version on."""
    with op.batch_alter_table("jobs") as jobs:
        jobs.add_column(sa.Column("hold", sa.String(), nullable=False, server_default=""))
        jobs.add_column(sa.Column("held_why", sa.String(), nullable=False, server_default=""))
        jobs.add_column(sa.Column("turn", BIG, nullable=False, server_default="0"))
        jobs.add_column(sa.Column("charge", PLAIN, nullable=True))
        jobs.drop_index(_index(OLD_TURN))
    with op.batch_alter_table("jobs") as jobs:
        jobs.alter_column("hold", server_default=None)
        jobs.alter_column("held_why", server_default=None)
        jobs.alter_column("turn", server_default=None)
        jobs.create_index(_index(NEW_TURN), NEW_TURN)
    with op.batch_alter_table("assets") as assets:
        assets.add_column(sa.Column("cost", PLAIN, nullable=True))
    op.create_table(
        "turns",
        sa.Column("priority", sa.Integer(), nullable=False),
        sa.Column("requester", sa.String(), nullable=False),
        sa.Column("finish", BIG, nullable=False),
        sa.PrimaryKeyConstraint("priority", "requester", name="pk_turns"),
    )
    op.create_index("ix_turns_priority_finish", "turns", ["priority", "finish"])
    op.create_table(
        "budgets",
        *(sa.Column(name, sa.String(), nullable=False) for name in ("scope", "brand", "key")),
        sa.Column("pictures", sa.Integer(), nullable=True),
        sa.Column("cost", sa.Float(), nullable=True),
        sa.Column("set_by", sa.String(), nullable=False),
        sa.Column("set_at", UTCDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("scope", "brand", "key", name="pk_budgets"),
    )
    op.create_table(
        "spends",
        *(
            sa.Column(name, sa.String(), nullable=False)
            for name in ("month", "scope", "brand", "key")
        ),
        sa.Column("pictures", sa.Integer(), nullable=False),
        sa.Column("reserved_pictures", sa.Integer(), nullable=False),
        sa.Column("ms", BIG, nullable=False),
        sa.Column("reserved_ms", BIG, nullable=False),
        sa.Column("warned", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("month", "scope", "brand", "key", name="pk_spends"),
    )


def downgrade() -> None:
    """One version back."""
    for table in ("spends", "budgets", "turns"):
        op.drop_table(table)
    with op.batch_alter_table("assets") as assets:
        assets.drop_column("cost")
    with op.batch_alter_table("jobs") as jobs:
        jobs.drop_index(_index(NEW_TURN))
    with op.batch_alter_table("jobs") as jobs:
        for column in ("charge", "turn", "held_why", "hold"):
            jobs.drop_column(column)
        jobs.create_index(_index(OLD_TURN), OLD_TURN)


def _index(columns: list[str]) -> str:
    return f"ix_jobs_{'_'.join(columns)}"
