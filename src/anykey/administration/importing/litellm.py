"""LiteLLM's `config.yaml`: its models become public models here, its deployments providers, its literal keys sealed credentials.

What has no counterpart is a note, never a silent drop. Nothing is fetched and nothing in the file is run. Source of the words:
LiteLLM's configuration reference, read on 2026-11-21.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any, cast

import msgspec
import yaml

from anykey.administration.errors import AdministrationError
from anykey.administration.importing.addresses import is_address
from anykey.administration.importing.litellm_providers import Deployed, Given, deployed, given, secret_of
from anykey.administration.importing.records import Imported, NewCredential, Note
from anykey.administration.plain_yaml import read_yaml

Table = Mapping[str, Any]
LARGEST_FILE = 4 * 1024 * 1024
STRATEGIES = {
    "simple-shuffle": "weighted",
    "least-busy": "least_busy",
    "latency-based-routing": "lowest_latency",
    "cost-based-routing": "lowest_cost",
}
FINEST, DEAREST = Decimal("1e-30"), Decimal("1e12")
"""USD for a million tokens: what is outside is no price."""
_SECTIONS = frozenset({"model_list", "router_settings", "litellm_settings"})
_HEEDED = {
    "router_settings": frozenset(
        {"routing_strategy", "fallbacks", "context_window_fallbacks", "content_policy_fallbacks", "model_group_alias"}
    ),
    "litellm_settings": frozenset({"fallbacks", "context_window_fallbacks", "content_policy_fallbacks"}),
}
_PARAMS = frozenset(
    {
        "model", "api_base", "base_url", "api_key", "api_version", "custom_llm_provider", "weight", "order", "timeout",
        "stream_timeout", "extra_headers", "aws_access_key_id", "aws_secret_access_key", "aws_region_name", "vertex_project",
        "vertex_location", "vertex_credentials", "input_cost_per_token", "output_cost_per_token", "cache_read_input_token_cost",
        "cache_creation_input_token_cost",
    }
)  # fmt: skip
_RATES = {
    "input_cost_per_token": "input",
    "output_cost_per_token": "output",
    "cache_read_input_token_cost": "cache_read",
    "cache_creation_input_token_cost": "cache_write_5m",
}
_TEXT_MODES = frozenset({"chat", "completion", "responses"})


def read_litellm(text: bytes, environ: Mapping[str, str]) -> Imported:
    """Return what the file says. `environ` fills `os.environ/NAME` where an address is named so.

    Raises AdministrationError for what is no such file.
    """
    table = _parsed(text)
    reader = _Reader(environ)
    for number, entry in enumerate(_list(table.get("model_list")), start=1):
        reader.entry(f"model_list[{number}]", entry)
    reader.settings(table)
    for name in table.keys() - _SECTIONS:
        reader.note(name, "import.not_taken")
    return reader.result()


class _Reader:
    """Collects what the entries say."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ
        self._providers: dict[str, dict[str, Any]] = {}
        self._names: dict[tuple[bytes, Given], str] = {}
        self._credentials: list[NewCredential] = []
        self._models: dict[str, list[tuple[int, dict[str, Any]]]] = {}
        self._extra: dict[str, dict[str, Any]] = {}
        self._cards: dict[str, Table] = {}
        self._notes: list[Note] = []

    def note(self, place: str, code: str, **values: str) -> None:
        """Write down what was not taken."""
        self._notes.append(Note(place, code, values))

    def entry(self, place: str, entry: object) -> None:
        """One of `model_list`."""
        if not isinstance(entry, dict):
            self.note(place, "import.not_a_table")
            return
        row = _table(cast("object", entry))
        name, params, info = (
            str(row.get("model_name") or ""),
            _table(row.get("litellm_params")),
            _table(row.get("model_info")),
        )
        if not name or not params.get("model"):
            self.note(place, "import.missing", field="model_name" if not name else "litellm_params.model")
            return
        mode = info.get("mode")
        if mode is not None and str(mode) not in _TEXT_MODES:
            self.note(place, "import.mode", mode=str(mode)[:80])
            return
        base = given(params.get("api_base") or params.get("base_url")).value(self._environ)
        if base is not None and not is_address(base):
            self.note(f"{place} {name}", "import.address")
            return
        found = deployed(params, self._environ)
        if isinstance(found, str):
            self.note(f"{place} {name}", "import.provider", provider=found)
            return
        if name.count("*") > 1 or name == "*" or ("*" in found.model) != ("*" in name):
            self.note(f"{place} {name}", "import.wildcard")
            return
        for field in sorted(params.keys() - _PARAMS):
            self.note(f"{place}.litellm_params.{field}", "import.not_taken")
        self._deployment(name, found, params)
        self._card(name, {**info, **params})

    def settings(self, table: Table) -> None:
        """What holds for all models: how they share calls, and where they go when they fail."""
        for section, heeded in _HEEDED.items():
            said = _table(table.get(section))
            for field in sorted(said.keys() - heeded):
                self.note(f"{section}.{field}", "import.not_taken")
            for field, key in (
                ("context_window_fallbacks", "larger"),
                ("content_policy_fallbacks", "on_content_policy"),
            ):
                for model, others in _fallbacks(said.get(field)):
                    known = [other for other in others if other in self._models]
                    if model in self._models and known:
                        self._extra.setdefault(model, {})[key] = known
            for model, others in _fallbacks(said.get("fallbacks")):
                self._fall_back(f"{section}.fallbacks", model, others)
        router = _table(table.get("router_settings"))
        self._strategy(str(router.get("routing_strategy") or "simple-shuffle"))
        for alias, model in _table(router.get("model_group_alias")).items():
            target = str(_table(cast("object", model)).get("model") or model)
            if target in self._models:
                self._extra.setdefault(target, {}).setdefault("aliases", []).append(str(alias))
            else:
                self.note(f"router_settings.model_group_alias.{alias}", "import.unknown_model", model=target)

    def result(self) -> Imported:
        """Everything that was read."""
        models = {
            name: {"deployments": [_shortest(entry) for _, entry in sorted(found, key=lambda one: one[0])]}
            | self._extra.get(name, {})
            for name, found in self._models.items()
        }
        return Imported(
            source="litellm",
            providers=self._providers,
            models=models,
            credentials=tuple(self._credentials),
            rate_cards=tuple(self._cards.values()),
            notes=tuple(self._notes),
        )

    def _deployment(self, name: str, found: Deployed, params: Table) -> None:
        entry: dict[str, Any] = {"model": f"{self._provider(found)}/{found.model}"}
        weight, timeout = params.get("weight"), params.get("timeout")
        if isinstance(weight, int) and not isinstance(weight, bool) and weight >= 0:
            entry["weight"] = weight
        if isinstance(timeout, int | float) and not isinstance(timeout, bool) and timeout > 0:
            entry["timeout_s"] = float(timeout)
        order = params.get("order")
        listed = self._models.setdefault(name, [])
        if all(entry["model"] != other["model"] for _, other in listed):
            listed.append((order if isinstance(order, int) else 0, entry))

    def _provider(self, found: Deployed) -> str:
        """The name of the provider with this table and credential; entries that share both share it."""
        mark = (msgspec.json.encode(found.table, order="deterministic"), found.credential)
        if mark in self._names:
            return self._names[mark]
        name, number = found.hint, 2
        while name in self._providers:
            name, number = f"{found.hint}_{number}", number + 1
        self._names[mark] = name
        table = dict(found.table)
        if found.credential.variable is not None:
            table["api_key"] = {"env": found.credential.variable}
        secret = secret_of(found.credential)
        if secret is not None:
            self._credentials.append(NewCredential(name, secret))
        self._providers[name] = table
        return name

    def _card(self, name: str, said: Table) -> None:
        rates = {ours: _per_million(said.get(theirs)) for theirs, ours in _RATES.items()}
        given = {unit: price for unit, price in rates.items() if price is not None}
        if "input" in given and "output" in given and "*" not in name:
            self._cards.setdefault(name, {"model": name, "source": "litellm", **given})

    def _fall_back(self, place: str, model: str, others: list[str]) -> None:
        """A model that fails is answered by the deployments of others, after its own."""
        if model not in self._models:
            self.note(place, "import.unknown_model", model=model)
            return
        own = self._models[model]
        if len(own) > 1:
            self.note(f"{place} {model}", "import.order_instead_of_share")
        last = max(order for order, _ in own)
        for step, other in enumerate(others, start=1):
            if other not in self._models:
                self.note(place, "import.unknown_model", model=other)
                continue
            known = {entry["model"] for _, entry in own}
            own += [
                (last + step, {**entry})
                for _, entry in self._models[other]
                if other != model and entry["model"] not in known
            ]
        self._extra.setdefault(model, {})["strategy"] = "priority"

    def _strategy(self, named: str) -> None:
        strategy = STRATEGIES.get(named)
        if strategy is None:
            self.note("router_settings.routing_strategy", "import.strategy", strategy=named)
        for name, found in self._models.items():
            ordered = len({order for order, _ in found}) > 1
            if len(found) > 1 and not ordered and strategy is not None:
                self._extra.setdefault(name, {}).setdefault("strategy", strategy)


def _parsed(text: bytes) -> Table:
    if len(text) > LARGEST_FILE:
        raise AdministrationError("import.too_large", bytes=LARGEST_FILE)
    try:
        found = read_yaml(text)
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError, ValueError) as error:
        mark = getattr(error, "problem_mark", None)
        raise AdministrationError("import.unreadable", place="?" if mark is None else str(mark.line + 1)) from None
    if not isinstance(found, dict) or not isinstance(found.get("model_list"), list):  # pyright: ignore[reportUnknownMemberType] - parsed data
        raise AdministrationError("import.no_model_list")
    return _table(cast("object", found))


def _fallbacks(value: object) -> Iterator[tuple[str, list[str]]]:
    """`[{model: [other, …]}, …]`, as LiteLLM writes it; what has another form is left out."""
    for entry in _list(value):
        for model, others in _table(entry).items():
            yield str(model), [str(other) for other in _list(others)]


def _shortest(entry: dict[str, Any]) -> Any:
    return entry["model"] if len(entry) == 1 else entry


def _per_million(cost: object) -> str | None:
    """USD per token as USD per million, in the digits it has."""
    if isinstance(cost, bool) or not isinstance(cost, int | float | str):
        return None
    try:
        price = (Decimal(str(cost)) * 1_000_000).normalize()
    except (ArithmeticError, ValueError):  # a number may have more digits than Python writes
        return None
    said = price.is_finite() and (price == 0 or FINEST <= price <= DEAREST)
    return f"{price:f}" if said else None


def _table(value: object) -> Table:
    """A table; nothing for what is none. YAML has names that are numbers, dates and more."""
    if not isinstance(value, dict):
        return {}
    return {str(name): item for name, item in cast("dict[object, Any]", value).items()}


def _list(value: object) -> list[Any]:
    return cast("list[Any]", value) if isinstance(value, list) else []
