"""The judgement: what the upstream says it answered against what the ledger says it cost.

Law: each call that the upstream answered with a 200 has exactly one charge, settled for the upstream's own usage or kept as
unknown; no charge costs money without such an answer; and every total is the sum of the charges. Times play no part.
"""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from tests.crash.calls import number_of, plan_of, usage_of


class Charge(NamedTuple):
    """A row of `charges`, as far as it matters here."""

    id: str
    model: str
    state: str
    basis: str | None
    reserved_nano: int
    cost_nano: int
    uncollected_nano: int
    account: str
    budgets: tuple[str, ...]


class Budget(NamedTuple):
    """What a budget says was spent of it and is held."""

    spent_nano: int
    held_nano: int


class Balance(NamedTuple):
    """One account's sums."""

    debits_pending: int
    debits_posted: int
    credits_posted: int


class Books(NamedTuple):
    """All that the database says of money. `rows` has the cost of each usage row by its charge's id (None: none is written)."""

    charges: Sequence[Charge]
    budgets: Mapping[str, Budget]
    balances: Mapping[str, Balance]
    rows: Mapping[str, int | None]


class Verdict(NamedTuple):
    """`lost`: answered upstream, nothing in the ledger holds it. `doubled`: paid twice, or without an answer. `wrong`: another
    amount than the upstream's own. Each entry is a sentence that names its call."""

    calls: int
    settled: int
    unknown: int
    lost: tuple[str, ...]
    doubled: tuple[str, ...]
    wrong: tuple[str, ...]

    @property
    def clean(self) -> bool:
        """Whether nothing is amiss."""
        return not (self.lost or self.doubled or self.wrong)


def judge(answered: Mapping[int, int], books: Books, left: frozenset[int] | None = None) -> Verdict:
    """Compare. `answered`: how often the upstream answered each call with a 200. `left`: the calls whose clients went away (None:
    those whose plan says so), which may cost what had come by then."""
    of_call: dict[int, list[Charge]] = defaultdict(list)
    for charge in books.charges:
        if (number := number_of(charge.model)) is not None:
            of_call[number].append(charge)
    lost: list[str] = []
    doubled: list[str] = []
    wrong: list[str] = []
    for number in sorted(answered.keys() | of_call.keys()):
        charges = of_call[number]
        times = answered.get(number, 0)
        states = [charge.state for charge in charges]
        if times > 1:
            doubled.append(f"call {number} was sent upstream {times} times")
        if len(charges) > 1:
            doubled.append(f"call {number} has {len(charges)} charges: {', '.join(states)}")
        if times and not any(state in {"settled", "unknown"} for state in states):
            lost.append(f"call {number} was answered upstream and its charges are {states or 'none'}")
        if not times and any(charge.cost_nano for charge in charges):
            doubled.append(f"call {number} costs money and was not answered upstream")
        gone = plan_of(number).leaves if left is None else number in left
        wrong += [problem for charge in charges if times and (problem := _amount_problem(number, charge, left=gone))]
    wrong += sum_problems(books)
    counts = Counter(charge.state for charge in books.charges)
    return Verdict(len(answered), counts["settled"], counts["unknown"], tuple(lost), tuple(doubled), tuple(wrong))


def _amount_problem(number: int, charge: Charge, *, left: bool) -> str | None:
    """What is wrong with the amount of a charge whose call was answered upstream."""
    if charge.state == "open":
        return f"call {number} is open still"
    if charge.state != "settled":
        return f"call {number} is {charge.state} and costs {charge.cost_nano}" if charge.cost_nano else None
    due = usage_of(number).cost_nano
    # Estimated and exact: the usage was heard, but the stream broke off before its end.
    if charge.cost_nano == due and charge.basis in {"upstream", "estimated"}:
        return None
    if left and charge.basis in {"estimated", "upstream"} and 0 < charge.cost_nano <= charge.reserved_nano:
        return None
    return f"call {number} costs {charge.cost_nano} ({charge.basis}) and the upstream bills {due}"


def sum_problems(books: Books) -> list[str]:
    """Totals that are not the sum of the charges."""
    spent: Counter[str] = Counter()
    held: Counter[str] = Counter()
    posted: Counter[str] = Counter()
    pending: Counter[str] = Counter()
    problems: list[str] = []
    for charge in books.charges:
        waiting = charge.reserved_nano if charge.state in {"open", "unknown"} else 0
        posted[charge.account] += charge.cost_nano - charge.uncollected_nano
        pending[charge.account] += waiting
        for budget in charge.budgets:
            spent[budget] += charge.cost_nano
            held[budget] += waiting
        if charge.state == "settled" and charge.id not in books.rows:
            problems.append(f"charge {charge.id} of {charge.model} has no usage row")
        elif charge.state == "settled" and books.rows[charge.id] != charge.cost_nano:
            problems.append(f"charge {charge.id} costs {charge.cost_nano}, its usage row says {books.rows[charge.id]}")
    for name, budget in books.budgets.items():
        if (budget.spent_nano, budget.held_nano) != (spent[name], held[name]):
            problems.append(f"budget {name} says {budget}, its charges sum to {spent[name]} and {held[name]}")
    for name, balance in books.balances.items():
        if name.startswith("credit:") and (balance.debits_posted, balance.debits_pending) != (
            posted[name],
            pending[name],
        ):
            problems.append(f"account {name} says {balance}, its charges sum to {posted[name]} and {pending[name]}")
    debits = sum(balance.debits_posted for balance in books.balances.values())
    credits_ = sum(balance.credits_posted for balance in books.balances.values())
    if debits != credits_:
        problems.append(f"all debits are {debits}, all credits {credits_}")
    return problems
