"""The rules of money: which accounts there are, what may become of a charge, when a spend leaves a rolling window, and what
must be equal in a ledger that is right.

Accounts. Money moves between two accounts, always: a transfer takes its amount from one (a debit) and gives it to another (a
credit), so the posted debits of all accounts together equal their posted credits. `cash` is what was paid in, `bonus` what was
given away, `credit:ORG` what a prepaid organisation still has, `postpaid:ORG` what another one owes, `revenue` what its calls
earned, `writeoff` what corrections cost. Money that is held for calls under way is the pending debit of `credit:ORG`; nothing
else is ever pending.

A charge is the money of one call. `open`: it was committed before the first byte went upstream; the estimate is held in the
wallet and in every budget it must fit. `settled`: the call's cost went from the account to `revenue`, and what was held is
free again. `void`: the call cost nothing (it was refused, or failed with a status), and what was held is free again.
`unknown`: nobody can say what the call came to (the process died, or the upstream fell silent after it had the request); the
estimate stays held until the process itself says more after all or an operator reconciles it. Settled and void are final: what
comes later for the same call has no effect.
"""

from collections.abc import Iterable, Mapping
from typing import Literal, NamedTuple

from anykey.accounts.purse import PERIOD_MS, Period

ChargeState = Literal["open", "settled", "void", "unknown"]
Basis = Literal["upstream", "estimated", "free", "unknown", "unpriced"]
"""What a cost was reckoned from: the upstream's usage, our own count, nothing to pay, nothing known, no price known."""

BECOMES: Mapping[ChargeState, frozenset[ChargeState]] = {
    "open": frozenset(("settled", "void", "unknown")),
    "unknown": frozenset(("settled", "void")),
    "settled": frozenset(),
    "void": frozenset(),
}

CASH, BONUS, REVENUE, WRITEOFF = "cash", "bonus", "revenue", "writeoff"
CREDIT, POSTPAID = "credit", "postpaid"

_MINUTE_MS = 60_000
SLICE_MS: Mapping[Period, int | None] = {
    "lifetime": None,
    "5h": 5 * _MINUTE_MS,
    "1d": 15 * _MINUTE_MS,
    "7d": 60 * _MINUTE_MS,
    "30d": 360 * _MINUTE_MS,
}
"""How finely a period remembers when money was spent; None: not at all, for nothing ever leaves a lifetime."""
RETRY_SOON_MS = 1000
"""What is only held may be free at any moment."""


class AccountError(ValueError):
    """No such kind of account."""


def kind_of(account: str) -> str:
    """The kind of an account, which its name begins with. Raises AccountError."""
    kind, _, organisation = account.partition(":")
    if kind not in ((CREDIT, POSTPAID) if organisation else (CASH, BONUS, REVENUE, WRITEOFF)):
        raise AccountError(account)
    return kind


def organisation_of(account: str) -> str | None:
    """Whose account it is; None for those of the whole gateway."""
    return account.partition(":")[2] or None


def slice_of(period: Period, at_ms: int) -> int | None:
    """The beginning of the slice that `at_ms` falls into; None for a lifetime."""
    width = SLICE_MS[period]
    return None if width is None else at_ms - at_ms % width


def leaves_at(period: Period, slice_ms: int) -> int | None:
    """When the spend of the slice that began at `slice_ms` leaves the window: when its last moment is older than the period,
    so that no stretch of time as long as the period ever holds more than the limit. None for a lifetime: never."""
    length, width = PERIOD_MS[period], SLICE_MS[period]
    return None if length is None or width is None else slice_ms + width + length


def expired_before(period: Period, now_ms: int) -> int | None:
    """Slices that began at this moment or earlier have left the window; None for a lifetime."""
    length, width = PERIOD_MS[period], SLICE_MS[period]
    return None if length is None or width is None else now_ms - width - length


class Room(NamedTuple):
    """What is used of a budget, and what a charge needs. Amounts in nano-USD."""

    limit_nano: int
    spent_nano: int
    held_nano: int
    needed_nano: int


def resets_ms(period: Period, room: Room, slices: Iterable[tuple[int, int]], now_ms: int) -> int | None:
    """The earliest moment at which what is needed can fit, given the (slice, spent) of the window, oldest first. What is held
    is taken to come back at once. None: never, by itself."""
    lacking = room.spent_nano + room.needed_nano - room.limit_nano
    if lacking <= 0:
        return now_ms + RETRY_SOON_MS
    if room.needed_nano > room.limit_nano:
        return None
    for slice_ms, spent in slices:
        lacking -= spent
        leaves = leaves_at(period, slice_ms)
        if lacking <= 0 and leaves is not None:
            return max(leaves, now_ms + RETRY_SOON_MS)
    return None


class Rule(NamedTuple):
    """Two sums that must be equal. `rule` is a code: what the sums are of; `of` names the account or budget, if it is one's."""

    rule: str
    of: str
    left_nano: int
    right_nano: int

    @property
    def holds(self) -> bool:
        """Whether they are."""
        return self.left_nano == self.right_nano


class BalanceSums(NamedTuple):
    """An account as it is kept, and as its transfers and charges say it must be."""

    account: str
    kept: tuple[int, int, int, int]
    """debits_pending, debits_posted, credits_pending, credits_posted"""
    reckoned: tuple[int, int, int, int]


class BudgetSums(NamedTuple):
    """A budget as it is kept, and as its slices and charges say it must be. `slices_nano` is None for a lifetime."""

    id: str
    spent_nano: int
    held_nano: int
    slices_nano: int | None
    unsettled_nano: int


_SIDES = ("debits_pending", "debits_posted", "credits_pending", "credits_posted")


def rules(balances: Iterable[BalanceSums], budgets: Iterable[BudgetSums]) -> list[Rule]:
    """Everything that must be equal in a ledger that is right."""
    known = list(balances)
    debited, credited = (sum(sums.kept[side] for sums in known) for side in (1, 3))
    found = [Rule("balanced", "", debited, credited)]
    for sums in known:
        found += [
            Rule(side, sums.account, kept, reckoned)
            for side, kept, reckoned in zip(_SIDES, sums.kept, sums.reckoned, strict=True)
        ]
        if kind_of(sums.account) == CREDIT:
            left = sums.kept[3] - sums.kept[1] - sums.kept[0]
            found.append(Rule("not_negative", sums.account, left, max(left, 0)))
    for budget in budgets:
        found.append(Rule("held", budget.id, budget.held_nano, budget.unsettled_nano))
        if budget.slices_nano is not None:
            found.append(Rule("spent", budget.id, budget.spent_nano, budget.slices_nano))
    return found
