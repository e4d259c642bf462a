"""The folding of old charges into transfers. No SQLAlchemy: the serving process does it."""

import secrets

from anykey.accounts.ledger import REVENUE, organisation_of
from anykey.storage.database import Connection

_FOLD = """DELETE FROM charges WHERE id IN
(SELECT id FROM charges WHERE at < ? AND state IN ('settled', 'void') ORDER BY at LIMIT ?)
RETURNING account, cost_nano - uncollected_nano"""
_FOLDED = """INSERT INTO transfers (id, at, kind, debit, credit, amount_nano, organisation, actor)
VALUES (?, ?, 'calls', ?, ?, ?, ?, 'retention')"""


def fold_charges(connection: Connection, before_ms: int, now_ms: int, most: int) -> int:
    """Put up to `most` final charges that are older than `before_ms` into one transfer for each account, inside a transaction:
    the sums stay, what each call came to is gone. Returns how many there were."""
    rows = connection.execute(_FOLD, (before_ms, most)).fetchall()
    sums: dict[str, int] = {}
    for account, paid in rows:
        sums[account] = sums.get(account, 0) + paid
    for account, paid in sums.items():
        if paid:
            values = (f"tr_{secrets.token_hex(12)}", now_ms, account, REVENUE, paid, organisation_of(account))
            connection.execute(_FOLDED, values)
    return len(rows)
