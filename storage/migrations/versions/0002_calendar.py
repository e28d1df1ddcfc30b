"""Schedules that rotate, repeat and run ahead."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

FIRST_MONDAY = "1970-01-05"
_ONE_POST = "uq_publications_review_platform_channel"


def upgrade() -> None:
    """One version on."""
    _add(
        "schedules",
        _number("every_weeks", 1),
        sa.Column("starts_on", sa.Date(), nullable=False, server_default=FIRST_MONDAY),
        _number("lead_hours", 96),
        sa.Column("planned_until", sa.Date(), nullable=True),
    )
    _add(
        "slots",
        _text("theme"),
        _text("review"),
        _number("turn", 0),
        _number("renders", 0),
        _number("reminded", 0),
        sa.Column("moved", sa.Boolean(), nullable=False, server_default=sa.false()),
    )
    op.create_index("ix_slots_state_due_at_row", "slots", ["state", "due_at", "row"])
    _add("publications", _text("slot"))
    with op.batch_alter_table("publications") as table:
        table.drop_constraint(_ONE_POST, type_="unique")
        table.create_unique_constraint(
            f"{_ONE_POST}_slot", ["review", "platform", "channel", "slot"]
        )


def downgrade() -> None:
    """One version back."""
    with op.batch_alter_table("publications") as table:
        table.drop_constraint(f"{_ONE_POST}_slot", type_="unique")
        table.create_unique_constraint(_ONE_POST, ["review", "platform", "channel"])
        table.drop_column("slot")
    op.drop_index("ix_slots_state_due_at_row", table_name="slots")
    _drop("slots", "theme review turn renders reminded moved")
    _drop("schedules", "every_weeks starts_on lead_hours planned_until")


def _add(table_name: str, *columns: sa.Column[Any]) -> None:
    """New columns; the default that fills the rows that are there does not stay."""
    with op.batch_alter_table(table_name) as table:
        for column in columns:
            table.add_column(column)
    with op.batch_alter_table(table_name) as table:
        for column in columns:
            if column.server_default is not None:
                table.alter_column(column.name, server_default=None)


def _drop(table_name: str, names: str) -> None:
    with op.batch_alter_table(table_name) as table:
        for name in names.split():
            table.drop_column(name)


def _text(name: str) -> sa.Column[Any]:
    return sa.Column(name, sa.String(), nullable=False, server_default="")


def _number(name: str, value: int) -> sa.Column[Any]:
    return sa.Column(name, sa.Integer(), nullable=False, server_default=str(value))
