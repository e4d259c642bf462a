"""One-api and new-api: their channels become providers and models here, their tokens keys, their ratios rate cards.

The key of a token cannot be carried over, for this gateway's keys have a form of their own: each is made anew. What has no
counterpart is a note, never a silent drop. Money there is counted in quota, of which 500,000 are 1 USD unless the option
QuotaPerUnit says otherwise; a model ratio of 1 is $0.002 for 1,000 tokens. Sources: model/token.go, setting/ratio_setting/
model_ratio.go and cache_ratio.go of QuantumNous/new-api and the same of songquanpeng/one-api, read on 2026-11-21.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Any, cast

from anykey.administration.importing.new_api_dump import Dump, Row
from anykey.administration.importing.new_api_kinds import KINDS, Family, key_text, provider_of, region_in
from anykey.administration.importing.new_api_prices import PRICE_OPTIONS, group_ratios, prices
from anykey.administration.importing.new_api_tokens import Tokens
from anykey.administration.importing.records import Imported, NewCredential, Note
from anykey.providers.secret import Secret

__all__ = ["Family", "read_new_api"]

ENABLED = "1"
_SLUG = re.compile(r"[^a-z0-9]+")
_LONGEST_NAME = 48
_WISHES = frozenset(
    {"param_override", "header_override", "status_code_mapping", "openai_organization", "system_prompt"}
)
"""Fields of a channel that change what is sent, and have no counterpart here."""


def read_new_api(dump: Dump, family: Family, now_s: int) -> Imported:
    """Return what the dump says. `now_s`: keys that are over by then are left."""
    reader = _Channels(family)
    for row in sorted(dump.channels, key=lambda row: _number(row.get("id"))):
        reader.channel(row)
    ratios = group_ratios(dump.options, reader.notes)
    models = reader.models()
    cards = prices(dump.options, frozenset(models), reader.notes)
    tokens = Tokens(reader.notes, now_s, dump.options.get("QuotaPerUnit"))
    named = {name: reader.group(name, ratios.get(name)) for name in sorted(reader.grouped.keys() | ratios.keys())}
    groups = {name: table for name, table in named.items() if name and table}
    keys = [
        tokens.key(row, frozenset((*groups, "default")))
        for row in sorted(dump.tokens, key=lambda row: _number(row.get("id")))
    ]
    others = len(dump.options.keys() - PRICE_OPTIONS - {"QuotaPerUnit"})
    if others:
        reader.note("options", "import.other_options", count=str(others))
    return Imported(
        source=family,
        providers=reader.providers,
        models=models,
        groups=groups,
        credentials=tuple(reader.credentials),
        rate_cards=tuple(cards),
        keys=tuple(key for key in keys if key is not None),
        notes=tuple(reader.notes),
    )


class _Channels:
    """Collects what the channels say."""

    def __init__(self, family: Family) -> None:
        self._family: Family = family
        self.providers: dict[str, Mapping[str, Any]] = {}
        self.credentials: list[NewCredential] = []
        self.grouped: dict[str, list[str]] = {}
        self.notes: list[Note] = []
        self._served: dict[str, list[tuple[int, int, str]]] = {}

    def note(self, place: str, code: str, **values: str) -> None:
        """Write down what was not taken."""
        self.notes.append(Note(place, code, values))

    def channel(self, row: Row) -> None:
        """One channel: a provider with its credentials, behind the models that it serves."""
        place = f"channels.{_text(row, 'id')} {_text(row, 'name')}".rstrip()
        number = _number(row.get("type"))
        models = [name.strip() for name in _text(row, "models").split(",") if name.strip()]
        if _text(row, "status") not in {"", ENABLED}:
            self.note(place, "import.disabled")
            return
        table = provider_of(self._family, number, _text(row, "base_url"), _text(row, "other"))
        if table is None or not models:
            self.note(place, "import.channel_type" if table is None else "import.no_models", type=str(number))
            return
        for field in sorted(_WISHES & row.keys()):
            if _text(row, field).strip() not in {"", "{}", "null"}:
                self.note(f"{place}.{field}", "import.not_taken")
        name = self._name(row, KINDS[self._family].get(number, "custom"))
        keys = _keys(_text(row, "key"))
        self._credentials(place, name, table, keys)
        region = region_in(keys[0]) if keys and table["kind"] == "bedrock" else ""
        self.providers[name] = {**table, "variables": {"region": region}} if region else table
        self._serve(place, name, row, models)
        for group in _text(row, "group").split(",") or ["default"]:
            self.grouped.setdefault(group.strip() or "default", []).append(name)

    def models(self) -> dict[str, Mapping[str, Any]]:
        """The public models: those of higher priority are tried first, those of one priority share the calls by weight."""
        found: dict[str, Mapping[str, Any]] = {}
        for model, served in self._served.items():
            ordered = sorted(served, key=lambda one: -one[0])
            ranks = {priority for priority, _, _ in ordered}
            if len(ranks) > 1 and len(ranks) < len(ordered):
                self.note(f"models.{model}", "import.order_instead_of_share")
            weighted = any(weight for _, weight, _ in ordered) and len(ranks) == 1 and len(ordered) > 1
            deployments: list[Any] = [
                {"model": path, "weight": weight} if weighted else path for _, weight, path in ordered
            ]
            share = {"strategy": "weighted"} if len(ranks) == 1 and len(ordered) > 1 else {}
            found[model] = {"deployments": deployments, **share}
        return found

    def group(self, name: str, ratio: Decimal | None) -> dict[str, Any]:
        """What is special about a group: its providers, where not all, and its price."""
        own = list(dict.fromkeys(self.grouped.get(name, ())))
        if not own and self.providers:
            self.note(f"groups.{name}", "import.empty_group")
            return {}
        table: dict[str, Any] = {} if len(own) == len(self.providers) else {"providers": own}
        if ratio is not None and ratio != 1:
            table["price_multiplier"] = f"{ratio.normalize():f}"
        return table if table or name == "default" else {"models": ["*"]}

    def _name(self, row: Row, kind: str) -> str:
        slug = _SLUG.sub("_", _text(row, "name").lower()).strip("_")[:_LONGEST_NAME] or f"{kind}_{_text(row, 'id')}"
        name, number = slug, 2
        while name in self.providers:
            name, number = f"{slug}_{number}", number + 1
        return name

    def _credentials(self, place: str, name: str, table: Mapping[str, Any], keys: list[str]) -> None:
        if not keys:
            self.note(place, "import.no_key", provider=name)
        for number, text in enumerate(keys, start=1):
            label = f"key-{number}" if len(keys) > 1 else None
            self.credentials.append(NewCredential(name, Secret(key_text(table["kind"], text)), label))

    def _serve(self, place: str, provider: str, row: Row, models: list[str]) -> None:
        mapping = _mapping(_text(row, "model_mapping"))
        if mapping is None:
            self.note(f"{place}.model_mapping", "import.not_a_table")
        weight, priority = max(_number(row.get("weight")), 0), _number(row.get("priority"))
        for model in dict.fromkeys(models):
            if "*" in model:
                self.note(f"{place} {model}", "import.wildcard")
                continue
            path = f"{provider}/{_mapped(mapping or {}, model)}"
            self._served.setdefault(model, []).append((priority, weight, path))


def _keys(text: str) -> list[str]:
    """The keys of a channel: one a line, or a JSON array of them (a service account's key is a table there)."""
    if text.strip().startswith("["):
        try:
            found: object = json.loads(text)
        except ValueError:
            found = None
        if isinstance(found, list):
            entries = cast("list[object]", found)
            return [entry if isinstance(entry, str) else json.dumps(entry) for entry in entries if entry]
    if text.strip().startswith("{"):
        return [text.strip()]
    return list(dict.fromkeys(line.strip() for line in text.splitlines() if line.strip()))


def _mapping(text: str) -> dict[str, str] | None:
    """`model_mapping`: public name → upstream's; None: it is no table of texts."""
    if not text.strip():
        return {}
    try:
        found: object = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if not isinstance(found, dict):
        return None
    pairs = cast("dict[str, object]", found)
    return {name: value for name, value in pairs.items() if isinstance(value, str) and value.strip()}


def _mapped(mapping: Mapping[str, str], model: str) -> str:
    """Where the mapping leads; it may go on from one name to the next, and not round in a circle."""
    seen = {model}
    while (following := mapping.get(model)) is not None and following not in seen:
        seen.add(following)
        model = following
    return model


def _text(row: Row, name: str) -> str:
    """A value as text; nothing for what is not there."""
    value = row.get(name)
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value) if isinstance(value, dict | list) else str(value)


def _number(value: object) -> int:
    try:
        return int(Decimal(str(value).strip()))
    except (InvalidOperation, ValueError, OverflowError):
        return 0
