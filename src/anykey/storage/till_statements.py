"""The till's SQL, once for both databases. All of it is constant text with `?` for every value.

Rows are written many a statement (a statement costs a hand-over of the interpreter's lock), in a few sizes only, so that each
stays prepared. The casts tell PostgreSQL the types of a bare list of values.
"""

from collections.abc import Iterator, Sequence
from itertools import chain

SIZES = (256, 128, 64, 32, 16, 8, 4, 2, 1)

# A budget: what is held is added only where it fits and nothing that is spent has left the window meanwhile.
_BUDGET = "RETURNING limit_nano, spent_nano, held_nano, oldest_ms, owner_kind, owner, period"
HOLD_BUDGET = f"""UPDATE budgets SET held_nano = held_nano + ?
WHERE id = ? AND spent_nano + held_nano + ? <= limit_nano AND (oldest_ms IS NULL OR oldest_ms > ?) {_BUDGET}"""  # noqa: S608 - our own names
LOOK_AT_BUDGET = f"UPDATE budgets SET held_nano = held_nano WHERE id = ? {_BUDGET}"  # noqa: S608 - our own names
"""Also takes the row's lock, so that what was read stays true until the transaction ends."""
RELEASE_BUDGET = "UPDATE budgets SET held_nano = CASE WHEN held_nano < ? THEN 0 ELSE held_nano - ? END WHERE id = ?"
DROP_SLICES = "DELETE FROM budget_slices WHERE budget_id = ? AND slice_ms <= ? RETURNING spent_nano"
EXPIRE_BUDGET = f"""UPDATE budgets SET spent_nano = CASE WHEN spent_nano < ? THEN 0 ELSE spent_nano - ? END,
oldest_ms = (SELECT MIN(slice_ms) FROM budget_slices WHERE budget_id = budgets.id) WHERE id = ? {_BUDGET}"""  # noqa: S608 - our own names
SLICES_OF = "SELECT slice_ms, spent_nano FROM budget_slices WHERE budget_id = ? ORDER BY slice_ms"
# A limit that was taken away and given anew while calls were under way never held their estimates: hence no less than 0.
SPEND_BUDGET = """UPDATE budgets
SET held_nano = CASE WHEN held_nano < ? THEN 0 ELSE held_nano - ? END, spent_nano = spent_nano + ?,
oldest_ms = CASE WHEN oldest_ms IS NULL OR oldest_ms > CAST(? AS BIGINT) THEN CAST(? AS BIGINT) ELSE oldest_ms END
WHERE id = ? RETURNING limit_nano, spent_nano, owner_kind, owner"""

# A wallet: the constraint credit_not_negative says the same as the condition.
_CREDIT = "RETURNING credits_posted - debits_posted - debits_pending"
HOLD_CREDIT = f"""UPDATE balances SET debits_pending = debits_pending + ?
WHERE account = ? AND credits_posted - debits_posted - debits_pending >= ? {_CREDIT}"""  # noqa: S608 - our own names
LOOK_AT_CREDIT = f"UPDATE balances SET debits_pending = debits_pending WHERE account = ? {_CREDIT}"  # noqa: S608 - our own names
RELEASE_CREDIT = "UPDATE balances SET debits_pending = debits_pending - ? WHERE account = ?"
PAY_CREDIT = f"""UPDATE balances SET debits_pending = debits_pending - ?, debits_posted = debits_posted + ?
WHERE account = ? {_CREDIT}, credits_posted - debits_posted"""  # noqa: S608 - our own names
POST_DEBIT = """INSERT INTO balances (account, kind, organisation, debits_posted) VALUES (?, ?, ?, ?)
ON CONFLICT (account) DO UPDATE SET debits_posted = balances.debits_posted + excluded.debits_posted"""
POST_CREDIT = """INSERT INTO balances (account, kind, organisation, credits_posted) VALUES (?, ?, ?, ?)
ON CONFLICT (account) DO UPDATE SET credits_posted = balances.credits_posted + excluded.credits_posted"""

# Charges.
OPEN_COLUMNS = (
    "id",
    "at",
    "state",
    "process",
    "key_id",
    "organisation",
    "team",
    "member_id",
    "account",
    "budgets",
    "client",
    "client_protocol",
    "model",
    "deployment",
    "reserved_nano",
    "price_id",
)
EXTEND = """UPDATE charges SET reserved_nano = reserved_nano + ?, state = 'open'
WHERE id = ? AND process = ? AND state IN ('open', 'unknown') RETURNING reserved_nano, account, budgets"""
UNEXTEND = "UPDATE charges SET reserved_nano = reserved_nano - ? WHERE id = ?"
RESERVED = "SELECT reserved_nano FROM charges WHERE id = ?"
UNCOLLECTED = "UPDATE charges SET uncollected_nano = ? WHERE id = ?"
FORGET_ROW = "DELETE FROM exchanges WHERE id = ?"
CORRECT_ROW = "UPDATE exchanges SET cost_nano = ?, cost_basis = ? WHERE id = ?"
LOW_BALANCE = "SELECT low_balance_nano FROM organisations WHERE id = ?"


def _lists(row: str) -> dict[int, str]:
    return {size: ", ".join([row] * size) for size in SIZES}


OPEN = {
    size: f"INSERT INTO charges ({', '.join(OPEN_COLUMNS)}) VALUES {rows}"  # noqa: S608 - our own names
    for size, rows in _lists(f"({', '.join('?' * len(OPEN_COLUMNS))})").items()
}
KNOWN = {size: f"SELECT id FROM charges WHERE id IN ({rows})" for size, rows in _lists("?").items()}  # noqa: S608
SPEND_SLICES = {
    size: f"""INSERT INTO budget_slices (budget_id, slice_ms, spent_nano) VALUES {rows}
ON CONFLICT (budget_id, slice_ms) DO UPDATE SET spent_nano = budget_slices.spent_nano + excluded.spent_nano"""  # noqa: S608
    for size, rows in _lists("(?, ?, ?)").items()
}
_TYPES = ("TEXT", "TEXT", "BIGINT", "TEXT", "TEXT", "TEXT", "BIGINT")
_CLOSING = f"({', '.join(f'CAST(? AS {kind})' for kind in _TYPES)})"


_HELD = " RETURNING charges.id, charges.reserved_nano, charges.account, charges.budgets"


def _close(before: str, then: str = "") -> dict[int, str]:
    """The columns are: id, state, cost_nano, basis, price_id, lines, at."""
    return {
        size: f"""UPDATE charges SET state = closing.column2, cost_nano = closing.column3, basis = closing.column4,
price_id = COALESCE(closing.column5, charges.price_id), lines = closing.column6, settled_at = closing.column7
FROM (VALUES {rows}) AS closing WHERE charges.id = closing.column1 AND charges.state = '{before}'{then}"""  # noqa: S608
        for size, rows in _lists(_CLOSING).items()
    }


CLOSE_KEPT = _close("open")
"""Of charges that are known: each row that is returned costs as much as a statement."""
CLOSE_OPEN = _close("open", _HELD)
CLOSE_UNKNOWN = _close("unknown", _HELD)


def in_groups(statements: dict[int, str], rows: Sequence[tuple[object, ...]]) -> Iterator[tuple[str, list[object]]]:
    """The fewest statements of those sizes that together take all rows, each with its values."""
    done = 0
    for size in SIZES:
        while len(rows) - done >= size:
            yield statements[size], list(chain.from_iterable(rows[done : done + size]))
            done += size
