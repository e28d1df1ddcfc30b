"""The first tables."""

from collections.abc import Iterator
from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlmodel.sql.sqltypes import UTCDateTime

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

TEXT, INT, REAL, FLAG = sa.String(), sa.Integer(), sa.Float(), sa.Boolean()
TIME, DATE, CLOCK = UTCDateTime(), sa.Date(), sa.Time()
PLAIN = sa.JSON(none_as_null=True)
BIG = sa.BigInteger()
# SQLite numbers rows by itself only where the column is declared INTEGER.
ROW = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

TABLES = (
    "assets",
    "deliveries",
    "jobs",
    "keys",
    "kits",
    "ledger",
    "loras",
    "outbox",
    "people",
    "publications",
    "reviews",
    "schedules",
    "timeline",
    "asset_words",
    "current_kits",
    "identities",
    "ledger_personal",
    "reactions",
    "renditions",
    "roles",
    "slots",
    "votes",
)
"""Those that others refer to come first."""


def upgrade() -> None:
    """Make all tables."""
    _assets()
    _deliveries()
    _jobs()
    _keys()
    _kits()
    _ledger()
    _loras()
    _outbox()
    _people()
    _publications()
    _reviews()
    _schedules()
    _timeline()
    _asset_words()
    _current_kits()
    _identities()
    _ledger_personal()
    _reactions()
    _renditions()
    _roles()
    _slots()
    _votes()


def downgrade() -> None:
    """Drop all tables, with their indexes."""
    for table in reversed(TABLES):
        op.drop_table(table)


def _table(
    name: str,
    *columns: sa.Column[Any],
    key: str = "row",
    unique: tuple[str, ...] = (),
    refers: tuple[str, ...] = (),
    indexes: tuple[str, ...] = (),
    **options: Any,
) -> None:
    """A table with its constraints and indexes, each written as its column names."""
    numbered = [sa.Column("row", ROW, nullable=False)] if key == "row" else []
    constraints: list[sa.Constraint] = [sa.PrimaryKeyConstraint(*key.split(), name=f"pk_{name}")]
    for names in unique:
        joined = "_".join(names.split())
        constraints.append(sa.UniqueConstraint(*names.split(), name=f"uq_{name}_{joined}"))
    for reference in refers:
        column, to = reference.split()
        fk = f"fk_{name}_{column}_{to.partition('.')[0]}"
        constraints.append(sa.ForeignKeyConstraint([column], [to], name=fk))
    op.create_table(name, *numbered, *columns, *constraints, **options)
    for names in indexes:
        op.create_index(f"ix_{name}_{'_'.join(names.split())}", name, names.split())


def _columns(
    kind: sa.types.TypeEngine[Any], names: str, *, nullable: bool = False
) -> Iterator[sa.Column[Any]]:
    for name in names.split():
        yield sa.Column(name, kind, nullable=nullable)


def _word(name: str, check: str, words: str, *, nullable: bool = False) -> sa.Column[Any]:
    kind = sa.Enum(*words.split(), name=check, native_enum=False, create_constraint=True, length=32)
    return sa.Column(name, kind, nullable=nullable)


def _assets() -> None:
    _table(
        "assets",
        *_columns(
            TEXT,
            "id job brand requester spec_hash words template kit_hash pixel_hash file_hash "
            "fingerprint parent change",
        ),
        *_columns(INT, "index width height version"),
        *_columns(PLAIN, "spec reproduction evidence"),
        *_columns(TIME, "created_at"),
        *_columns(REAL, "seconds"),
        _word(
            "state",
            "assetstate",
            "candidate discarded in_review approved rejected expired withdrawn",
        ),
        unique=("id",),
        indexes=(
            "brand created_at row",
            "brand state created_at row",
            "created_at row",
            "job",
            "requester created_at row",
            "spec_hash brand",
            "state created_at row",
            "template created_at row",
        ),
    )


def _deliveries() -> None:
    _table(
        "deliveries",
        *_columns(TEXT, "platform delivery"),
        *_columns(TIME, "at"),
        key="platform delivery",
    )


def _jobs() -> None:
    _table(
        "jobs",
        *_columns(
            TEXT,
            "id brand kit_version kit_hash requester error error_reference slot source_asset "
            "worker",
        ),
        *_columns(PLAIN, "brief items"),
        *_columns(TIME, "created_at updated_at"),
        *_columns(PLAIN, "origin", nullable=True),
        *_columns(FLAG, "private"),
        *_columns(INT, "priority rank fence version"),
        *_columns(TIME, "lease_until", nullable=True),
        *_columns(REAL, "seconds"),
        _word("state", "jobstate", "queued rendering checking done failed cancelled"),
        unique=("id",),
        indexes=(
            "brand created_at row",
            "created_at row",
            "requester created_at row",
            "state rank created_at row",
        ),
    )


def _keys() -> None:
    _table(
        "keys",
        *_columns(TEXT, "id person secret_hash"),
        *_columns(TIME, "created_at expires_at"),
        *_columns(TIME, "used_at", nullable=True),
        *_columns(PLAIN, "scopes"),
        *_columns(INT, "version"),
        _word("kind", "keykind", "link session api"),
        unique=("id",),
        indexes=("person",),
    )


def _kits() -> None:
    _table(
        "kits",
        *_columns(TEXT, "hash brand version source"),
        *_columns(PLAIN, "kit"),
        *_columns(TIME, "stored_at"),
        unique=("hash",),
        indexes=("brand",),
    )


def _ledger() -> None:
    _table(
        "ledger",
        *_columns(TEXT, "id action subject actor brand previous hash"),
        *_columns(TIME, "at"),
        *_columns(PLAIN, "facts commitments"),
        *_columns(ROW, "seq", nullable=True),
        unique=(
            "id",
            "seq",
        ),
        indexes=(
            "actor row",
            "brand row",
            "subject row",
        ),
    )


def _loras() -> None:
    _table(
        "loras",
        *_columns(TEXT, "brand name version sha256 owner dataset_sha256"),
        *_columns(REAL, "weight min_weight max_weight"),
        *_columns(PLAIN, "triggers"),
        _word("status", "lorastatus", "draft evaluated in_review approved retired"),
        unique=(
            "brand name version",
            "brand sha256",
        ),
    )


def _outbox() -> None:
    _table(
        "outbox",
        *_columns(TEXT, "id platform channel thread subject error worker"),
        *_columns(PLAIN, "target card"),
        *_columns(TIME, "created_at due_at"),
        *_columns(PLAIN, "update sent", nullable=True),
        *_columns(TIME, "not_before lease_until", nullable=True),
        *_columns(INT, "attempts fence version"),
        *_columns(TEXT, "sent_platform sent_channel sent_message", nullable=True),
        _word("state", "outboxstate", "pending sending sent ambiguous failed superseded"),
        unique=("id",),
        indexes=("state due_at row",),
    )
    op.create_index("ix_outbox_sent", "outbox", ["sent_message", "sent_channel", "sent_platform"])
    op.create_index(
        "ix_outbox_place", "outbox", ["subject", "platform", "channel", "thread", "row"]
    )


def _people() -> None:
    _table(
        "people",
        *_columns(TEXT, "id name"),
        *_columns(TIME, "created_at"),
        *_columns(INT, "version"),
        unique=("id",),
    )


def _publications() -> None:
    _table(
        "publications",
        *_columns(
            TEXT,
            "id asset review brand rendition file_hash pixel_hash platform channel caption "
            "requested_by error worker",
        ),
        *_columns(PLAIN, "target"),
        *_columns(TIME, "due_at created_at"),
        *_columns(INT, "attempts fence version"),
        *_columns(PLAIN, "receipt", nullable=True),
        *_columns(TIME, "sent_at lease_until", nullable=True),
        _word("state", "publicationstate", "pending sending sent ambiguous failed deleted"),
        unique=(
            "id",
            "review platform channel",
        ),
        indexes=(
            "asset created_at",
            "state due_at row",
        ),
    )


def _reviews() -> None:
    _table(
        "reviews",
        *_columns(TEXT, "id asset brand requester pixel_hash caption"),
        *_columns(PLAIN, "rendition_hashes"),
        *_columns(PLAIN, "target", nullable=True),
        *_columns(TIME, "opened_at deadline"),
        *_columns(INT, "quorum version"),
        *_columns(TIME, "decided_at", nullable=True),
        _word("state", "reviewstate", "open escalated decided expired withdrawn"),
        _word("outcome", "answer", "approve reject change", nullable=True),
        unique=("id",),
        indexes=(
            "asset opened_at",
            "state deadline",
            "state opened_at",
        ),
    )
    is_open = sa.text("state IN ('open', 'escalated')")
    op.create_index(
        "uq_reviews_open_asset",
        "reviews",
        ["asset"],
        unique=True,
        sqlite_where=is_open,
        postgresql_where=is_open,
    )


def _schedules() -> None:
    _table(
        "schedules",
        *_columns(TEXT, "id brand name zone theme owner fallback_asset"),
        *_columns(PLAIN, "weekdays templates target"),
        *_columns(CLOCK, "at"),
        *_columns(TIME, "created_at"),
        *_columns(INT, "version"),
        _word("state", "schedulestate", "active paused ended"),
        unique=("id",),
        indexes=("brand",),
    )


def _timeline() -> None:
    _table(
        "timeline",
        *_columns(TEXT, "id channel author user text blob only_for"),
        *_columns(TIME, "at"),
        *_columns(PLAIN, "card", nullable=True),
        *_columns(TEXT, "outgoing", nullable=True),
        *_columns(TIME, "edited_at", nullable=True),
        *_columns(INT, "version"),
        unique=(
            "id",
            "outgoing",
        ),
        indexes=("channel row",),
    )


def _asset_words() -> None:
    _table(
        "asset_words",
        *_columns(TEXT, "word"),
        *_columns(TIME, "created_at"),
        *_columns(ROW, "asset"),
        key="word created_at asset",
        refers=("asset assets.row",),
        sqlite_with_rowid=False,
    )


def _current_kits() -> None:
    _table(
        "current_kits",
        *_columns(TEXT, "brand hash"),
        *_columns(TIME, "since"),
        key="brand",
        refers=("hash kits.hash",),
    )


def _identities() -> None:
    _table(
        "identities",
        *_columns(TEXT, "person platform user team"),
        unique=("platform user team",),
        refers=("person people.id",),
        indexes=("person",),
    )


def _ledger_personal() -> None:
    _table(
        "ledger_personal",
        *_columns(TEXT, "event name value salt"),
        key="event name",
        refers=("event ledger.id",),
    )


def _reactions() -> None:
    _table(
        "reactions",
        *_columns(TEXT, "message emoji user"),
        unique=("message emoji user",),
        refers=("message timeline.id",),
    )


def _renditions() -> None:
    _table(
        "renditions",
        *_columns(TEXT, "id asset transform file_hash pixel_hash mime"),
        *_columns(BIG, "bytes"),
        *_columns(INT, "width height"),
        unique=(
            "id",
            "asset transform",
        ),
        refers=("asset assets.id",),
    )


def _roles() -> None:
    _table(
        "roles",
        *_columns(TEXT, "person brand"),
        _word("role", "role", "requester approver brand_manager admin auditor"),
        unique=("person brand role",),
        refers=("person people.id",),
    )


def _slots() -> None:
    _table(
        "slots",
        *_columns(TEXT, "id schedule brand template job asset publication reason"),
        *_columns(DATE, "local_date"),
        *_columns(TIME, "due_at"),
        *_columns(INT, "version"),
        _word(
            "state",
            "slotstate",
            "planned rendering in_review ready posted missed skipped fallback_posted",
        ),
        unique=(
            "id",
            "schedule local_date",
        ),
        refers=("schedule schedules.id",),
        indexes=("due_at row",),
    )


def _votes() -> None:
    _table(
        "votes",
        *_columns(TEXT, "review person name reason platform"),
        *_columns(TIME, "at"),
        *_columns(FLAG, "own_request"),
        _word("answer", "answer", "approve reject change"),
        unique=("review person",),
        refers=("review reviews.id",),
    )
