"""The ledger against a simple model: whatever calls, crashes, replays and operators do, in whatever order, every sum agrees and
nobody spends more than there is.

The model knows only the rules: what each charge holds and came to, what was paid in. After every step the balances, budgets and
states of the database must be the model's, and the checker must find every sum right.
"""

import asyncio
import dataclasses
import tempfile
from collections.abc import Coroutine
from contextlib import closing
from pathlib import Path
from typing import Any, Literal, TypeVar

import hypothesis.strategies as st
import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, initialize, invariant, multiple, rule

from anykey.accounts.ledger import leaves_at, slice_of
from anykey.accounts.purse import Budget, Period
from anykey.administration import codes, ledger, wallets
from anykey.administration.codes import Order
from anykey.administration.errors import AdministrationError
from anykey.administration.home import Home, prepare_home
from anykey.administration.wallets import Said
from anykey.storage.charges import Opened, Refused
from anykey.storage.processes import give_up
from anykey.storage.till import Till
from tests.fakes.charges import NOON_MS, budget, ending, keep, opening, purse

T = TypeVar("T")
AMOUNTS = st.integers(0, 60)
PERIODS: tuple[Period, ...] = ("lifetime", "5h", "30d")


@dataclasses.dataclass
class Call:
    """A charge in the model."""

    prepaid: bool
    held: int
    state: Literal["open", "unknown", "settled", "void"] = "open"
    cost: int = 0
    paid: int = 0


class Ledger(RuleBasedStateMachine):
    """Calls of one key on one wallet and three budgets, an operator, and a clock."""

    charges = Bundle("charges")
    codes = Bundle("codes")

    @initialize(limits=st.tuples(*[st.integers(50, 300)] * len(PERIODS)))
    def begin(self, limits: tuple[int, ...]) -> None:
        self.loop = asyncio.new_event_loop()
        self.folder = tempfile.TemporaryDirectory()
        self.home: Home = prepare_home(Path(self.folder.name))
        self.budgets: tuple[Budget, ...] = tuple(
            budget(limit, period) for period, limit in zip(PERIODS, limits, strict=True)
        )
        keep(self.home.database, *self.budgets)
        self.now_ms = NOON_MS
        self.till = self.new_till()
        self.calls: dict[str, Call] = {}
        self.spends: list[tuple[int, int]] = []
        self.wallet = self.references = 0
        self.payments: dict[str, int] = {}

    def teardown(self) -> None:
        if hasattr(self, "loop"):
            self.run(self.till.aclose())
            self.loop.close()
            self.folder.cleanup()

    def new_till(self) -> Till:
        return Till(self.home.database, clock_ms=lambda: self.now_ms, watched=False)  # recovery is a step of its own

    def run(self, steps: Coroutine[Any, Any, T]) -> T:
        return self.loop.run_until_complete(steps)

    # What there is, in the model.

    def held(self, *, wallet: bool = False) -> int:
        unsettled = (call for call in self.calls.values() if call.state in ("open", "unknown"))
        return sum(call.held for call in unsettled if call.prepaid or not wallet)

    def spent(self, period: Period) -> int:
        """What counts at this moment."""
        total = 0
        for at_ms, cost in self.spends:
            slice_ms = slice_of(period, at_ms)
            leaves = None if slice_ms is None else leaves_at(period, slice_ms)
            total += cost if leaves is None or leaves > self.now_ms else 0
        return total

    def fits(self, needed: int, *, prepaid: bool) -> bool:
        if not needed:
            return True
        if prepaid and needed > self.wallet - self.held(wallet=True):
            return False
        return all(self.spent(one.period) + self.held() + needed <= one.limit_nano for one in self.budgets)

    # What happens.

    @rule(target=charges, needs=st.lists(AMOUNTS, min_size=1, max_size=6), prepaid=st.booleans())
    def open(self, needs: list[int], prepaid: bool) -> Any:
        """Several calls at once: each is served if it fits behind those before it."""
        names = [f"c{len(self.calls) + index}" for index in range(len(needs))]
        spends = purse(*self.budgets, prepaid=prepaid)

        async def all_at_once() -> list[Opened | Refused]:
            asks = (self.till.open(opening(n, spends, need, self.now_ms)) for n, need in zip(names, needs, strict=True))
            return await asyncio.gather(*asks)

        served: list[str] = []
        for name, needed, answer in zip(names, needs, self.run(all_at_once()), strict=True):
            assert isinstance(answer, Opened) == self.fits(needed, prepaid=prepaid)
            self.calls[name] = Call(prepaid, needed, state="open" if isinstance(answer, Opened) else "void")
            if isinstance(answer, Opened):
                served.append(name)
            else:
                self.calls[name].held = -1
        return multiple(*served)

    @rule(name=charges, more=AMOUNTS)
    def extend(self, name: str, more: int) -> None:
        call = self.calls[name]
        if call.state != "open" or not self.lives(name):
            return
        refused = self.run(self.till.extend(name, purse(*self.budgets, prepaid=call.prepaid), more))
        assert (refused is None) == self.fits(more, prepaid=call.prepaid)
        call.held += more if refused is None else 0

    @rule(name=charges, cost=AMOUNTS, end=st.sampled_from(["settled", "void", "unknown"]), times=st.integers(1, 3))
    def close(self, name: str, cost: int, end: Literal["settled", "void", "unknown"], times: int) -> None:
        """The end of a call, or a replay of it, or another end for what has one."""

        async def replayed() -> None:
            for _ in range(times):
                self.till.close(ending(name, cost, end, self.now_ms))
            await self.till.open(opening(f"sync{len(self.calls)}", purse(), 0))

        before = self.calls[name].state
        if before == "open" or (before == "unknown" and end != "unknown"):
            self.end(
                name, cost if end == "settled" else 0, end, self.now_ms
            )  # whatever it says, only a settled one costs
        self.run(replayed())
        self.calls[f"sync{len(self.calls)}"] = Call(prepaid=False, held=0)

    @rule()
    def crash(self) -> None:
        """The process dies and another one finds what it left."""
        self.run(self.till.aclose())
        with closing(self.home.database.connect()) as connection:
            give_up(connection, self.till.process_id)
        for call in self.calls.values():
            call.state = "unknown" if call.state == "open" else call.state
        self.till = self.new_till()

    @rule(how=st.sampled_from(["estimate", "void", "amounts"]), amount=AMOUNTS)
    def reconcile(self, how: Literal["estimate", "void", "amounts"], amount: int) -> None:
        unknown = [name for name, call in self.calls.items() if call.state == "unknown"]
        done = ledger.reconcile(self.home, dict.fromkeys(unknown, amount) if how == "amounts" else how)
        assert done.settled + done.voided == len(unknown)
        at_ms = self.settled_at(unknown)
        for name in sorted(unknown, key=lambda name: (name,)):
            cost = {"estimate": self.calls[name].held, "void": 0, "amounts": amount}[how]
            self.end(name, cost, "settled" if cost else "void", at_ms, later=True)
        self.settle_wallet(unknown)

    @rule(amount=st.integers(1, 500), again=st.booleans())
    def top_up(self, amount: int, again: bool) -> None:
        self.references += not (again and self.references)
        reference = f"payment {self.references}"
        known = self.payments.setdefault(reference, amount)
        if known != amount:
            with pytest.raises(AdministrationError) as refused:
                wallets.top_up(self.home, "default", amount, said=Said(reference))
            assert refused.value.code == "wallets.other_transfer"
            return
        done = wallets.top_up(self.home, "default", amount, said=Said(reference))
        self.wallet += amount if done.new else 0

    @rule(amount=st.integers(1, 100))
    def refund(self, amount: int) -> None:
        if amount <= self.wallet - self.held(wallet=True):
            wallets.refund(self.home, "default", amount)
            self.wallet -= amount
            return
        with pytest.raises(AdministrationError) as refused:
            wallets.refund(self.home, "default", amount)
        assert refused.value.code == "wallets.not_enough"

    @rule(target=codes, amount=st.integers(1, 50), bonus=st.booleans())
    def make_code(self, amount: int, bonus: bool) -> tuple[str, int]:
        (made,) = codes.create_batch(self.home, Order(amount_nano=amount, bonus=bonus))
        return made.text, amount

    @rule(code=consumes(codes))
    def redeem(self, code: tuple[str, int]) -> None:
        text, amount = code
        codes.redeem(self.home, text, "default")
        self.wallet += amount
        with pytest.raises(AdministrationError) as refused:
            codes.redeem(self.home, text, "default")
        assert refused.value.code == "codes.used_up"

    @rule(hours=st.sampled_from([1, 3, 6, 24 * 31]))
    def clock_forward(self, hours: int) -> None:
        self.now_ms += hours * 3_600_000

    # What must hold after each of them.

    @invariant()
    def every_sum_agrees(self) -> None:
        if not hasattr(self, "home"):
            return
        found = ledger.verify(self.home)
        assert found.broken == []
        assert found.settled_nano == sum(call.cost for call in self.calls.values())

    @invariant()
    def the_wallet_is_the_models(self) -> None:
        if not hasattr(self, "home"):
            return
        found = wallets.balance_of(self.home, "default")
        assert (found.balance_nano, found.held_nano) == (self.wallet, self.held(wallet=True))
        assert found.available_nano >= 0

    @invariant()
    def every_charge_has_its_state(self) -> None:
        if not hasattr(self, "home"):
            return
        with closing(self.home.database.connect(read_only=True)) as connection:
            kept = {row[0]: row[1:] for row in connection.execute("SELECT id, state, cost_nano FROM charges")}
        assert kept == {n: (call.state, call.cost) for n, call in self.calls.items() if call.held >= 0}

    def lives(self, name: str) -> bool:
        """Whether the charge belongs to the process there is now."""
        with closing(self.home.database.connect(read_only=True)) as connection:
            row = connection.execute("SELECT process FROM charges WHERE id = ?", (name,)).fetchone()
        return bool(row) and row[0] == self.till.process_id

    def settled_at(self, names: list[str]) -> int:
        """When an operator did it: by the machine's clock, not by the model's."""
        if not names:
            return 0
        with closing(self.home.database.connect(read_only=True)) as connection:
            return connection.execute("SELECT settled_at FROM charges WHERE id = ?", (names[0],)).fetchone()[0]

    def end(self, name: str, cost: int, end: str, at_ms: int, *, later: bool = False) -> None:
        call = self.calls[name]
        if end == "unknown":
            call.state = "unknown"
            return
        available = self.wallet - self.held(wallet=True)
        call.state = "settled" if end == "settled" else "void"
        call.cost = cost
        if cost:
            self.spends.append((at_ms, cost))
        if call.prepaid and not later:
            call.paid = min(cost, call.held + available)
            self.wallet -= call.paid

    def settle_wallet(self, names: list[str]) -> None:
        """Calls that are settled together pay out of what all of them held."""
        prepaid = [self.calls[name] for name in names if self.calls[name].prepaid]
        available = self.wallet - self.held(wallet=True) - sum(call.held for call in prepaid)
        available += sum(call.held - min(call.cost, call.held) for call in prepaid)
        paid = sum(min(call.cost, call.held) for call in prepaid)
        lacking = sum(max(call.cost - call.held, 0) for call in prepaid)
        self.wallet -= paid + min(lacking, available)


Ledger.TestCase.settings = settings(
    max_examples=20, stateful_step_count=25, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
TestLedger = Ledger.TestCase
