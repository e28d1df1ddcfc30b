"""Teams, members who left, invitations, names of API keys, and codes that join accounts."""

import sqlalchemy as sa
from alembic import op
from sqlmodel.sql.sqltypes import UTCDateTime

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

TEXT, TIME, PLAIN = sa.String(), UTCDateTime(), sa.JSON(none_as_null=True)
# SQLite numbers rows by itself only where the column is declared INTEGER.
ROW = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
KINDS = ("link", "session", "api")
_KIND = "ck_keys_keykind"


def upgrade() -> None:
    """One version on."""
    with op.batch_alter_table("people") as people:
        people.add_column(sa.Column("team", sa.String(), nullable=False, server_default=""))
        people.add_column(
            sa.Column("active", sa.Boolean(), nullable=False, server_default=sa.true())
        )
    with op.batch_alter_table("people") as people:
        people.alter_column("team", server_default=None)
        people.alter_column("active", server_default=None)
    with op.batch_alter_table("keys") as keys:
        keys.add_column(sa.Column("label", TEXT, nullable=False, server_default=""))
    with op.batch_alter_table("keys") as keys:
        keys.alter_column("label", server_default=None)
    _allow_kinds(*KINDS, "invite")
    _account_links()
    _link_tries()


def downgrade() -> None:
    """One version back. Invitations that wait are forgotten."""
    op.drop_table("link_tries")
    op.drop_table("account_links")
    op.execute("DELETE FROM keys WHERE kind = 'invite'")
    _allow_kinds(*KINDS)
    with op.batch_alter_table("keys") as keys:
        keys.drop_column("label")
    with op.batch_alter_table("people") as people:
        people.drop_column("team")
        people.drop_column("active")


def _allow_kinds(*kinds: str) -> None:
    words = ", ".join(f"'{kind}'" for kind in kinds)
    with op.batch_alter_table("keys") as keys:
        keys.drop_constraint(op.f(_KIND), type_="check")
        keys.create_check_constraint(op.f(_KIND), f"kind IN ({words})")


def _account_links() -> None:
    states = sa.Enum(
        "open",
        "claimed",
        "joined",
        "refused",
        name="linkstate",
        native_enum=False,
        length=32,
        create_constraint=True,
    )
    op.create_table(
        "account_links",
        sa.Column("row", ROW, primary_key=True, autoincrement=True),
        *(sa.Column(name, TEXT, nullable=False) for name in ("id", "person", "code_hash")),
        sa.Column("asked_from", PLAIN, nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("expires_at", TIME, nullable=False),
        sa.Column("state", states, nullable=False),
        sa.Column("claim", PLAIN, nullable=True),
        sa.Column("claim_name", TEXT, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.UniqueConstraint("id", name="uq_account_links_id"),
    )
    op.create_index("ix_account_links_person", "account_links", ["person"])
    op.create_index("ix_account_links_code_hash", "account_links", ["code_hash"])


def _link_tries() -> None:
    op.create_table(
        "link_tries",
        *(sa.Column(name, TEXT, primary_key=True) for name in ("platform", "user", "team")),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("since", TIME, nullable=False),
    )
