"""Amounts of money as text. Inside, money is a whole number of nano-USD (10^-9 USD); only here it becomes a decimal, exactly."""

import re

NANO_PER_USD = 1_000_000_000
AMOUNT_NANO_MAX = 10**18
"""1,000,000,000 USD: nine such amounts still fit into 64 bits together."""

_DECIMAL = re.compile(r"([0-9]{1,10})(?:\.([0-9]{1,9}))?")


def usd_text(nano: int) -> str:
    """`nano` as a decimal number of USD, exact: cents always, below them no trailing zeros. 1_230_000 is `0.00123`, 2 * 10**9
    is `2.00`."""
    if nano < 0:
        return "-" + usd_text(-nano)
    whole, rest = divmod(nano, NANO_PER_USD)
    text = f"{whole}.{rest:09d}"
    return text[:-7] + text[-7:].rstrip("0")


def dollars(nano: int) -> str:
    """`nano` for people: `$0.00123`, `-$2.00`."""
    return f"-${usd_text(-nano)}" if nano < 0 else f"${usd_text(nano)}"


def nano_of(text: str) -> int:
    """The nano-USD of a decimal number of USD, as `usd_text` writes it. Only digits with at most nine behind the point: no
    sign, no exponent, no separators. Raises ValueError for all else and above AMOUNT_NANO_MAX."""
    match = _DECIMAL.fullmatch(text)
    if match is None:
        raise ValueError(f"not an amount of USD: {text[:40]!r}")
    nano = int(match[1]) * NANO_PER_USD + int((match[2] or "").ljust(9, "0"))
    if nano > AMOUNT_NANO_MAX:
        raise ValueError(f"more than {usd_text(AMOUNT_NANO_MAX)} USD: {text[:40]!r}")
    return nano
