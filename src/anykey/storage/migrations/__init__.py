"""The history of the schema: numbered revisions, run by Alembic from inside the package."""
