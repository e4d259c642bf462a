"""``cache_control``: the end of a prefix worth keeping. At most four may stand in one request."""

from __future__ import annotations

from typing import NamedTuple

from anykey.conversation.losses import LossLog
from anykey.conversation.parts import CacheHint, Json
from anykey.protocols.anthropic_messages.extras import keep, put

BREAKPOINT_LIMIT = 4
PLAIN_HINT = CacheHint()
_LIFETIMES = {"5m": "5m", "1h": "1h", "30m": "5m", "12h": "1h"}
"""Chat's 30 minutes and 12 hours become the next shorter lifetime: a cache that ends early costs less than one unused."""


def decode_cache(value: Json | None) -> CacheHint | None:
    """``{"type": "ephemeral", "ttl": "1h"}`` as a hint."""
    if value is None:
        return None
    if len(value) == 1 and value.get("type") == "ephemeral":
        return PLAIN_HINT
    rest = dict(value)
    ttl = rest.pop("ttl", None)
    if rest.get("type") == "ephemeral":
        del rest["type"]
    if ttl is not None and not isinstance(ttl, str):
        rest["ttl"] = ttl
        ttl = None
    return CacheHint(ttl, keep(rest))


class _Breakpoint(NamedTuple):
    region: str
    block: Json
    path: str


class CacheWriter:
    """Writes hints as they come, in the order of the prefix (tools, system, messages), and thins them out at the end.

    ``region`` is where the writer stands now; the last hint of the tools and of the system text outlive those of old messages.
    """

    __slots__ = ("_enabled", "_log", "_written", "region")

    def __init__(self, log: LossLog, *, enabled: bool) -> None:
        self._enabled = enabled
        self._log = log
        self._written: list[_Breakpoint] = []
        self.region = "messages"

    def write(self, block: Json, hint: CacheHint, path: str) -> None:
        """Put ``hint`` on ``block``; ``path`` names the owner of the hint."""
        path = f"{path}.cache"
        if not self._enabled:
            self._log.dropped(path, "this upstream takes no cache hints")
            return
        control: Json = {"type": "ephemeral"}
        if hint.extras:
            control = {}
            put(control, hint.extras, path, self._log)
            control.setdefault("type", "ephemeral")
        if hint.ttl is not None:
            self._write_lifetime(control, hint.ttl, path)
        block["cache_control"] = control
        self._written.append(_Breakpoint(self.region, block, path))

    def _write_lifetime(self, control: Json, ttl: str, path: str) -> None:
        lifetime = _LIFETIMES.get(ttl)
        if lifetime is None:
            self._log.dropped(f"{path}.ttl", "only 5m and 1h exist here")
            return
        if lifetime != ttl:
            self._log.approximated(f"{path}.ttl", f"sent as {lifetime}")
        control["ttl"] = lifetime

    def thin_out(self) -> None:
        """Keep four: the last of the tools, the last of the system text, and the latest others."""
        written = self._written
        if len(written) <= BREAKPOINT_LIMIT:
            return
        last_of = {entry.region: number for number, entry in enumerate(written)}
        kept = {last_of[region] for region in ("request", "tools", "instructions") if region in last_of}
        for number in range(len(written) - 1, -1, -1):
            if len(kept) < BREAKPOINT_LIMIT:
                kept.add(number)
        for number, entry in enumerate(written):
            if number not in kept:
                del entry.block["cache_control"]
                self._log.dropped(entry.path, "only four cache breakpoints may stand in one request")
