"""Runs the migrations on the connection that ``store/migrate`` hands over, each one in a transaction of its own."""

from alembic import context

from callcenter.store.schema import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    # SQLite can take back a schema change, and an interrupted migration must leave nothing behind.
    transactional_ddl=True,
    render_as_batch=True,
)
with context.begin_transaction():
    context.run_migrations()
