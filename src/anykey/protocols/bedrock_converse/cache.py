"""``cachePoint``: an entry of its own after what ends a prefix worth keeping. At most four may stand in one request."""

from __future__ import annotations

from typing import NamedTuple

from anykey.conversation.losses import LossLog
from anykey.conversation.parts import CacheHint, Json
from anykey.protocols.bedrock_converse.dialect import Dialect
from anykey.protocols.bedrock_converse.extras import report

POINT_LIMIT = 4
POINT = "cachePoint"
_DEFAULT_LIFETIME = "5m"
_LIFETIMES = {"5m": "5m", "1h": "1h", "30m": "5m", "12h": "1h"}
"""Other protocols' lifetimes become the next shorter one: a cache that ends early costs less than one unused."""


class _Written(NamedTuple):
    region: str
    point: Json
    path: str


class CacheWriter:
    """Writes points as they come, in the order of the prefix (tools, system, messages), and thins them out at the end.

    ``region`` is where the writer stands now; the last point of the tools and of the system text outlive those of old messages.
    """

    __slots__ = ("_dialect", "_dropped", "_log", "_written", "region")

    def __init__(self, dialect: Dialect, log: LossLog) -> None:
        self._dialect = dialect
        self._log = log
        self._written: list[_Written] = []
        self._dropped: set[int] = set()
        self.region = "messages"

    def write(self, entries: list[Json], hint: CacheHint, path: str) -> None:
        """Put a point behind ``entries``; ``path`` names the owner of the hint."""
        path = f"{path}.cache"
        taken = self._dialect.cache_points
        if taken == "none" or (taken == "prompt" and self.region == "tools"):
            self._log.dropped(path, "this model takes no cache points here")
            return
        report(hint.extras, path, self._log)
        point: Json = {"type": "default"}
        if hint.ttl is not None:
            self._write_lifetime(point, hint.ttl, path)
        if entries and POINT in entries[-1]:  # two hints at one place are one point
            entries[-1][POINT].update(point)
            return
        entry: Json = {POINT: point}
        entries.append(entry)
        self._written.append(_Written(self.region, entry, path))

    def _write_lifetime(self, point: Json, ttl: str, path: str) -> None:
        lifetime = _LIFETIMES.get(ttl)
        if lifetime is None:
            self._log.dropped(f"{path}.ttl", "only 5m and 1h exist here")
        elif lifetime == _DEFAULT_LIFETIME or self._dialect.cache_ttl:
            if lifetime != ttl:
                self._log.approximated(f"{path}.ttl", f"sent as {lifetime}")
            if self._dialect.cache_ttl:
                point["ttl"] = lifetime
        else:
            self._log.approximated(f"{path}.ttl", f"this model keeps a prefix for {_DEFAULT_LIFETIME} only")

    def thin_out(self) -> None:
        """Choose four: the last of the tools, the last of the system text, the latest others. ``swept`` leaves out the rest."""
        written = self._written
        if len(written) <= POINT_LIMIT:
            return
        last_of = {entry.region: number for number, entry in enumerate(written)}
        kept = {last_of[region] for region in ("tools", "instructions") if region in last_of}
        for number in range(len(written) - 1, -1, -1):
            if len(kept) < POINT_LIMIT:
                kept.add(number)
        for number, entry in enumerate(written):
            if number not in kept:
                self._dropped.add(id(entry.point))
                self._log.dropped(entry.path, "only four cache points may stand in one request")

    def swept(self, entries: list[Json]) -> list[Json]:
        """``entries`` without the points that were one too many."""
        return [entry for entry in entries if id(entry) not in self._dropped] if self._dropped else entries
