"""What was used, added up by the hour and by the day: single calls may be forgotten, these stay."""

from sqlalchemy import Column, Index, Table, Text

from anykey.storage.schema.types import BIG, metadata
from anykey.storage.usage_columns import NUMBERS, SUMS, TEXTS

# One row for each combination of texts and numbers that occurred in the period that begins at `at` (Unix ms).
usage_hours, usage_days = (
    Table(
        name,
        metadata,
        Column("at", BIG, nullable=False),
        *(Column(text, Text) for text in TEXTS),
        *(Column(number, BIG, nullable=False) for number in (*NUMBERS, *SUMS)),
        Index(f"{name}_by_time", "at"),
    )
    for name in ("usage_hours", "usage_days")
)

# How far it is added up (storage/usage_rollup.py): `hours`, `days`; and `calls`, from when on every single call is still there.
usage_marks = Table("usage_marks", metadata, Column("name", Text, primary_key=True), Column("at", BIG, nullable=False))

# Hours in which something changed after they were over. Only added to by those who write calls: nobody waits for anybody.
usage_late = Table("usage_late", metadata, Column("at", BIG, nullable=False))
Index("usage_late_by_time", usage_late.c.at)
