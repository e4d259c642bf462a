"""Who calls in the crash tests: an organisation that pays beforehand, keys with budgets, and the prices of the models."""

import json

from tests.crash.calls import CACHE_READ_PICO, INPUT_PICO, OUTPUT_PICO, RACE, RACE_PRICE_USD, WIRES
from tests.crash.gateways import Home

PREPAID = "shop"
MONEY_USD = "1000000"
BUDGETS = (("--budget", "1d=100000", "--budget", "lifetime=100000"), ("--budget", "5h=100000"), ())


def priced(home: Home) -> list[str]:
    """Put the rate cards; nobody has a key yet."""
    cards = [
        {
            "model": f"{wire}-*",
            "input": _per_million(INPUT_PICO),
            "cache_read": _per_million(CACHE_READ_PICO),
            "output": _per_million(OUTPUT_PICO),
        }
        for wire in WIRES
    ]
    cards.append({"model": f"{RACE}-*", "per_call": RACE_PRICE_USD})
    file = home.folder / "cards.json"
    file.write_text(json.dumps({"rate_cards": cards}))
    home.anykey("rate-cards", "put", str(file))
    return []


def payers(home: Home) -> list[str]:
    """The keys of those who call: one that pays beforehand and has budgets, one with a budget, one that only pays."""
    priced(home)
    home.anykey("organisations", "create", PREPAID, "--prepaid")
    home.anykey("wallets", "topup", PREPAID, MONEY_USD)
    return [
        key(home, f"payer-{number}", *budgets, *(() if number == 1 else ("--organisation", PREPAID)))
        for number, budgets in enumerate(BUDGETS)
    ]


def key(home: Home, name: str, *options: str) -> str:
    """Make a key."""
    made: str = home.told("keys", "create", "--name", name, *options)["key"]
    return made


def _per_million(pico: int) -> str:
    """Pico-USD a token, as USD for a million."""
    return f"{pico // 10**6}.{pico % 10**6:06d}"
