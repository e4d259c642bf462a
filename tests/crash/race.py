"""A budget for a hundred calls, and five hundred at once."""

import asyncio
from collections import Counter
from collections.abc import Iterable
from typing import NamedTuple

from tests.crash.calls import PATHS, race_request
from tests.crash.load import converse

CALLS, AFFORDABLE = 500, 100
BUDGET_USD = "1"
"""A hundred times the price of a call."""


class Outcome(NamedTuple):
    """How many calls ended with each status, by what their callers were told."""

    statuses: Counter[int]

    @property
    def served(self) -> int:
        """Calls that were answered well."""
        return self.statuses[200]


async def race(ports: list[int], key: str, numbers: Iterable[int]) -> Outcome:
    """Make these calls at once, spread over the gateways at `ports`. All connections are open before the first call is sent."""
    opened = [
        (number, await asyncio.open_connection("127.0.0.1", ports[place % len(ports)]))
        for place, number in enumerate(numbers)
    ]
    heard = await asyncio.gather(
        *(
            converse(*connection, PATHS["chat"], race_request(number), key, leaves=False)
            for number, connection in opened
        )
    )
    return Outcome(Counter(one.status for one in heard))
