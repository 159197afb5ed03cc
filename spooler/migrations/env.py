"""What Alembic runs: the migrations, on the connection that `upgrade` (or a developer's command) hands in."""

from alembic import context

from spooler.store.columns import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    render_as_batch=True,  # SQLite alters a table by copying it
)
with context.begin_transaction():
    context.run_migrations()
