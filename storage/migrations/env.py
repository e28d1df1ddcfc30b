"""How alembic runs here: on the connection that `storage.upgrades` hands over."""

from alembic import context

from storage.tables import METADATA

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=METADATA,
    # SQLite can't alter most things in place; batches make the table anew.
    render_as_batch=True,
    # Both databases can undo table changes, so an upgrade happens whole or not at all.
    transactional_ddl=True,
)
with context.begin_transaction():
    context.run_migrations()
