"""What is kept for how long, and the deleting of what is over at once instead of within the hour."""

import msgspec

from anykey.accounts.permissions import LOCAL, Actor, require
from anykey.administration.home import Home
from anykey.administration.tenants import note
from anykey.settings.records import RetentionSettings
from anykey.storage.retention import PAUSE_S, RULES, count_rows, sweep_table
from anykey.storage.writing import writing


class TableRule(msgspec.Struct, frozen=True):
    """A table, and what holds for its rows: `keeps` as `Rule` has it; `days` where a setting says so, 0: for ever."""

    table: str
    keeps: str
    days: int | None
    rows: int


def show(home: Home, settings: RetentionSettings, *, actor: Actor = LOCAL) -> list[TableRule]:
    """Every table with its rule and the number of its rows."""
    require(actor, "settings:read", None)
    counts = count_rows(home.database)
    return [TableRule(table, rule.keeps, days_of(table, settings), counts[table]) for table, rule in RULES.items()]


def run(home: Home, settings: RetentionSettings, *, pause_s: float = PAUSE_S, actor: Actor = LOCAL) -> dict[str, int]:
    """Delete what is over, in batches with a pause between them. Returns how many rows went, by table."""
    require(actor, "settings:write", None)
    found = {
        table: sweep_table(home.database, table, days_of(table, settings) or 0, pause_s=pause_s) for table in RULES
    }
    gone = {table: count for table, count in found.items() if count}
    if gone:
        writing(
            home.database,
            lambda connection: note(connection, actor, "retention.run", ("database", "rows", None), (gone, None)),
        )
    return gone


def days_of(table: str, settings: RetentionSettings) -> int | None:
    """The days that the settings give the table; None: they say nothing of it."""
    period = RULES[table].period
    return None if period is None else getattr(settings, period)
