"""A gateway that sells: a price for every model, keys with budgets or prepaid credit, and what its calls were charged."""

import asyncio
import time
from pathlib import Path
from typing import Any, NamedTuple

from anykey.accounts.keys import parse
from anykey.accounts.purse import Period
from anykey.administration.budgets import set_budgets
from anykey.administration.home import Home, prepare_home
from anykey.administration.rate_cards import put_cards
from anykey.conversation.usage import Usage
from anykey.storage.key_changes import reading
from tests.fakes.gateway import RunningGateway

CARD = b'model = "*"\ninput = "3.7"\ncache_read = "0.37"\noutput = "11.3"\n'
INPUT_NANO, OUTPUT_NANO = 3700, 11_300
"""Of a token, by that card."""
ANSWER_NANO = 7 * INPUT_NANO + 3 * OUTPUT_NANO
"""Of the answer that all scripted upstreams give: 7 tokens in, 3 out."""
PLENTY_NANO = 10**15
_COLUMNS = "id, state, basis, cost_nano, reserved_nano, uncollected_nano, price_id, lines"


class ChargeRow(NamedTuple):
    """A charge as it is kept."""

    id: str
    state: str
    basis: str | None
    cost_nano: int
    reserved_nano: int
    uncollected_nano: int
    price_id: str | None
    lines: str | None


def price_everything(directory: Path, card: bytes = CARD) -> Home:
    """Put the card into the home of a `RunningGateway` at `directory` that is still to be started."""
    home = prepare_home(directory / "home", {})
    put_cards(home, card)
    return home


def key_id(gateway: RunningGateway) -> str:
    """The id of the gateway's key."""
    parsed = parse(gateway.key)
    assert parsed is not None
    return parsed.id


def allow(gateway: RunningGateway, nano: int = PLENTY_NANO, period: Period = "lifetime") -> None:
    """Give the gateway's key a budget, so that its calls are reserved."""
    set_budgets(gateway.home, "key", key_id(gateway), {period: nano})


def cost_nano(usage: Usage) -> int:
    """What the card asks for it."""
    return usage.input_tokens * INPUT_NANO + usage.cache_read_tokens * 370 + usage.total_output() * OUTPUT_NANO


def charges(home: Home) -> dict[str, ChargeRow]:
    """All that is kept, by the request's id."""
    rows: list[Any] = reading(home.database, lambda found: found.execute(f"SELECT {_COLUMNS} FROM charges").fetchall())
    return {row[0]: ChargeRow(*row) for row in rows}


async def settled(home: Home, *ids: str) -> list[ChargeRow]:
    """The charges of these calls, once none of them is open."""
    deadline = time.monotonic() + 5
    while True:
        found = charges(home)
        if all(one in found and found[one].state != "open" for one in ids) or time.monotonic() > deadline:
            return [found[one] for one in ids]
        await asyncio.sleep(0.01)
