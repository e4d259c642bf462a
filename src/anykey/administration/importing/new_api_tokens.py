"""The tokens of one-api and new-api as keys to be made here: what they may do, and what is left of their quota.

Source: model/token.go of both (`expired_time` -1: never; `model_limits` is heeded only where `model_limits_enabled`; one-api has
`models` and `subnet` instead), common.QuotaPerUnit (500,000 for 1 USD), read on 2026-11-21.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

from anykey.accounts.networks import network_of
from anykey.administration.importing.records import NewKey, Note
from anykey.administration.tenants import NAME_LENGTH_MAX

QUOTA_PER_USD = Decimal(500_000)
NANO_PER_USD = 10**9
MOST_NANO = 10**18
ENABLED = "1"


class Tokens:
    """Reads one row after another; what was not taken goes to `notes`. `now_s` is Unix seconds, `quota_per_usd` the text of the
    option QuotaPerUnit."""

    def __init__(self, notes: list[Note], now_s: int, quota_per_usd: str | None = None) -> None:
        self._notes = notes
        self._now_s = now_s
        self._names: set[str] = set()
        said = _decimal(quota_per_usd)
        self._per_usd = said if said is not None and said > 0 else QUOTA_PER_USD

    def key(self, row: Mapping[str, Any], groups: frozenset[str]) -> NewKey | None:
        """The key to be made for a token; None: it is not in force, or used up. `groups` are those that there will be."""
        name = self._name(row)
        place = f"tokens.{_text(row, 'id')} {name}"
        if _text(row, "deleted_at") or _text(row, "DeletedAt"):
            return None
        if _text(row, "status") not in {"", ENABLED}:
            return self._leave(place, "import.disabled")
        expires_at = _whole(row, "expired_time")
        if 0 < expires_at <= self._now_s:
            return self._leave(place, "import.expired")
        quota = None if _flag(row, "unlimited_quota") else self._nano(_whole(row, "remain_quota"))
        if quota == 0:
            return self._leave(place, "import.used_up")
        group = _text(row, "group").strip() or None
        if group is not None and group not in groups:
            return self._leave(place, "import.no_group", group=group)
        return NewKey(
            name,
            group=None if group == "default" else group,
            allowed_models=_models(row),
            quota_nano=quota,
            expires_at=expires_at if expires_at > 0 else None,
            ip_allow=self._networks(place, row),
        )

    def _leave(self, place: str, code: str, **values: str) -> None:
        self._notes.append(Note(place, code, values))

    def _nano(self, quota: int) -> int:
        """What is left, in whole nano-USD; never more than it was."""
        exact = Decimal(max(quota, 0)) * NANO_PER_USD / self._per_usd
        return int(min(exact, Decimal(MOST_NANO)))

    def _name(self, row: Mapping[str, Any]) -> str:
        """The token's name, each once: tokens of several users may have the same."""
        number = _text(row, "id")
        said = "".join(sign for sign in _text(row, "name") if sign.isprintable()).strip()[:NAME_LENGTH_MAX]
        name = said or f"token-{number}"
        if name in self._names:
            name = f"{name[: NAME_LENGTH_MAX - len(number) - 1]}-{number}"
        self._names.add(name)
        return name

    def _networks(self, place: str, row: Mapping[str, Any]) -> tuple[str, ...] | None:
        """Where it may be used from. A list of which something cannot be read lets nobody in but those that can."""
        words = _text(row, "allow_ips").replace(",", "\n").split() or _text(row, "subnet").replace(",", "\n").split()
        found: list[str] = []
        for word in words:
            try:
                found.append(str(network_of(word)))
            except ValueError:
                self._leave(f"{place}.allow_ips", "import.not_taken")
        return tuple(found) or None


def _models(row: Mapping[str, Any]) -> tuple[str, ...] | None:
    text = _text(row, "model_limits") if _flag(row, "model_limits_enabled") else _text(row, "models")
    return tuple(word.strip() for word in text.split(",") if word.strip()) or None


def _flag(row: Mapping[str, Any], name: str) -> bool:
    return _text(row, name).strip().lower() in {"1", "true", "t"}


def _text(row: Mapping[str, Any], name: str) -> str:
    value = row.get(name)
    if value is None:
        return ""
    return json.dumps(value) if isinstance(value, dict | list) else str(value)


def _whole(row: Mapping[str, Any], name: str) -> int:
    found = _decimal(_text(row, name))
    return 0 if found is None else int(found)


def _decimal(text: str | None) -> Decimal | None:
    try:
        found = Decimal((text or "").strip())
    except InvalidOperation:
        return None
    return found if found.is_finite() and abs(found) < 10**18 else None
