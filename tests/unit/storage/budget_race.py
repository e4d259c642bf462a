"""One process of the budget race: opens as many charges as it is told, all at once, and prints how many were served.

python -m tests.unit.storage.budget_race URL PREFIX COUNT
"""

import asyncio
import sys

from anykey.storage.charges import Opened
from anykey.storage.postgres_database import PostgresDatabase
from anykey.storage.till import Till
from tests.fakes.charges import budget, ending, opening, purse

ESTIMATE = 7
LIMIT = budget(100 * ESTIMATE, "5h")


async def race(url: str, prefix: str, count: int) -> int:
    till = Till(PostgresDatabase(url))
    spends = purse(LIMIT, prepaid=True)
    asks = (till.open(opening(f"{prefix}{number}", spends, ESTIMATE)) for number in range(count))
    served = [answer for answer in await asyncio.gather(*asks) if isinstance(answer, Opened)]
    # some settle while others still ask, at exactly what was reserved
    for number in range(len(served)):
        till.close(ending(f"{prefix}{number}", ESTIMATE))
    await till.aclose()
    return len(served)


if __name__ == "__main__":
    print(asyncio.run(race(sys.argv[1], sys.argv[2], int(sys.argv[3]))))
