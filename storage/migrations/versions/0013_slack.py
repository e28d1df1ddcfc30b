"""Messages that one person alone sees; workspaces that installed the app, and files there."""

import sqlalchemy as sa
from alembic import op
from sqlmodel.sql.sqltypes import AutoString, UTCDateTime

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

FILES = "sent_files"
INDEXES = (["platform", "team", "file"], ["at"])


def upgrade() -> None:
    """One version on."""
    with op.batch_alter_table("outbox") as outbox:
        outbox.add_column(sa.Column("only_for", AutoString(), nullable=False, server_default=""))
    op.create_table(
        "installs",
        *_texts("platform enterprise team app name url bot_user bot_id"),
        sa.Column("scopes", sa.JSON(none_as_null=True), nullable=False),
        *_texts("installed_by"),
        sa.Column("installed_at", UTCDateTime(), nullable=False),
        *_texts("sealed"),
        *_times("expires_at gone_at rotating_until"),
        *_texts("rotating_by"),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("platform", "enterprise", "team", name="pk_installs"),
    )
    op.create_table(
        FILES,
        *_texts("platform team key file"),
        sa.Column("ready", sa.Boolean(), nullable=False),
        sa.Column("at", UTCDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("platform", "team", "key", name="pk_sent_files"),
    )
    for columns in INDEXES:
        op.create_index(_index(columns), FILES, columns)


def downgrade() -> None:
    """One version back."""
    for columns in INDEXES:
        op.drop_index(_index(columns), FILES)
    op.drop_table(FILES)
    op.drop_table("installs")
    with op.batch_alter_table("outbox") as outbox:
        outbox.drop_column("only_for")


def _texts(names: str) -> list[sa.Column[str]]:
    return [sa.Column(name, sa.String(), nullable=False) for name in names.split()]


def _times(names: str) -> list[sa.Column[object]]:
    return [sa.Column(name, UTCDateTime(), nullable=True) for name in names.split()]


def _index(columns: list[str]) -> str:
    return f"ix_{FILES}_{'_'.join(columns)}"
