"""What Alembic runs to reach the database: the connection it was handed by run.py, inside its transaction."""

from alembic import context

context.configure(connection=context.config.attributes["connection"], transaction_per_migration=False)
context.run_migrations()
