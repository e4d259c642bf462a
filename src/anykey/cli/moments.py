"""Lengths of time and moments as they are typed: `30m`, `24h`, `7d`; `2027-01-31`, `2027-01-31T12:00+01:00`."""

import re
import time
from datetime import datetime

import click

from anykey.language import say

_LENGTH = re.compile(r"([0-9]{1,6})([smhdw])")
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}


def seconds_of(text: str, option: str) -> int:
    """The seconds in `30m`, `24h` or `7d`; `0` is none. Raises click.BadParameter for `option`."""
    found = _LENGTH.fullmatch(text)
    if text == "0":
        return 0
    if found is None:
        raise click.BadParameter(say("cli.moments.bad_length", found=text), param_hint=option)
    return int(found[1]) * _SECONDS[found[2]]


def past_moment_of(text: str, option: str) -> int:
    """The moment (Unix seconds) so long before now; a day or a time as `moment_of` reads it. Raises click.BadParameter."""
    if _LENGTH.fullmatch(text):
        return int(time.time()) - seconds_of(text, option)
    return moment_of(text, option)


def moment_of(text: str, option: str) -> int:
    """The moment (Unix seconds) so long after now, or on a day, or at a time of a day; without a zone, the machine's own.
    `never` is 0. Raises click.BadParameter for `option`."""
    if text == "never":
        return 0
    if _LENGTH.fullmatch(text):
        return int(time.time()) + seconds_of(text, option)
    try:
        return int(datetime.fromisoformat(text).astimezone().timestamp())
    except (ValueError, OverflowError, OSError):
        raise click.BadParameter(say("cli.moments.bad_moment", found=text), param_hint=option) from None
