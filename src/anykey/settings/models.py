"""Reads what the file says of models: the public ones with their deployments, and the rewriting of names."""

from collections.abc import Iterable, Mapping
from fnmatch import fnmatchcase
from typing import Any, NamedTuple, cast

from anykey.providers.configured import ProviderSettings
from anykey.routing.configured import ModelSettings, Rewrite, RouteSettings, Shadow, split_path
from anykey.routing.names import fault_of_pattern, providers_by_name, wildcard
from anykey.routing.tree import Target
from anykey.settings.schema import DEPLOYMENT, EXPECTED, MODEL, REWRITE, ROUTE, SHADOW
from anykey.settings.section import Path, Source, Table, as_table, read_section, wrong_type


class Known(NamedTuple):
    """The providers there are, by every name; `named` are the provider tables of the file, also those whose own problems were
    reported already."""

    providers: Mapping[str, ProviderSettings]
    named: frozenset[str]

    @classmethod
    def of(cls, providers: Iterable[ProviderSettings], named: Iterable[str]) -> "Known":
        """Those of the configuration."""
        return cls(providers_by_name(providers), frozenset(named))

    def has(self, provider: str) -> bool:
        """Whether a provider answers to that name."""
        return provider in self.providers or provider in self.named

    def names(self) -> list[str]:
        """The configured names, each once."""
        return list(dict.fromkeys(provider.name for provider in self.providers.values()))


def read_models(source: Source, table: object, known: Known) -> list[ModelSettings]:
    """Read `[models]`; a model of a built-in provider is public without being named there. Problems go to `source`."""
    models: list[ModelSettings] = []
    taken: dict[str, str] = {}
    for name, entry in as_table(source, ("models",), table).items():
        path = ("models", name)
        values = read_section(source, path, entry, MODEL)
        if name.count("*") > 1:
            source.problem(path, "settings.two_stars", found=repr(name))
        targets = read_deployments(source, (*path, "deployments"), values["deployments"], name, known)
        for word in (name, *values["aliases"]):
            if word in taken:
                source.problem((*path, "aliases"), "settings.name_taken", found=repr(word), other=taken[word])
            taken.setdefault(word, name)
        if targets:
            values |= {key: tuple(values[key]) for key in ("aliases", "larger", "on_content_policy")}
            values["shadow"] = _shadow(source, (*path, "shadow"), values["shadow"], name, known)
            values["deployments"] = targets
            models.append(ModelSettings(name, **values))
    for provider in known.providers.values():
        for name in provider.listed_models() if provider.kind.built_in else ():
            if name not in taken:
                taken[name] = name
                models.append(ModelSettings(name, (f"{provider.name}/{name}",)))
    return models


def check_further(source: Source, models: Iterable[ModelSettings], known: Known) -> None:
    """The models that others go on to must be there."""
    listed = list(models)
    for model in listed:
        for key in ("larger", "on_content_policy"):
            for name in cast("tuple[str, ...]", getattr(model, key)):
                check_model(source, ("models", model.name, key), name, listed, known)


def check_model(source: Source, path: Path, name: str, models: Iterable[ModelSettings], known: Known) -> None:
    """Add a problem unless something answers to `name`: a public model, a path, or a model that a provider is known for."""
    public = [word for model in models for word in (model.name, *model.aliases)]
    kinds = [(provider.listed_models(), provider.kind.model_patterns) for provider in known.providers.values()]
    provider, model = split_path(name)
    fits = (
        name in public
        or (model and known.has(provider))
        or any((fit := wildcard(word)) is not None and fit.match(name) is not None for word in public)
        or any(name in listed or any(fnmatchcase(name.lower(), glob) for glob in globs) for listed, globs in kinds)
    )
    if not fits:
        source.unknown(path, "settings.unknown_model", name, public)


def read_deployments(source: Source, path: Path, value: Any, name: str, known: Known) -> tuple[str | Target, ...]:
    """Read a list of deployments of the (public or routed) name `name`: each `provider/model`, or a table that says more."""
    if not value:
        source.problem(path, "settings.missing")
        return ()
    found: list[str | Target] = []
    for entry in cast("list[Any]", value):
        if isinstance(entry, str):
            text, made = entry, None
        elif isinstance(entry, dict):
            said = read_section(source, path, entry, DEPLOYMENT)
            text, made = said["model"] or "", said
        else:
            wrong_type(source, path, EXPECTED["deployments"], entry)
            continue
        if _is_deployment(source, path, text, name, known):
            found.append(text if made is None else _target(text, made))
    return tuple(found)


def read_route(source: Source, path: Path, value: Any, name: str, known: Known) -> RouteSettings | None:
    """Read a group's route: a list of deployments, or a table with `deployments` and how they share the calls."""
    values: Table = {"deployments": value, "strategy": "priority", "sticky": False}
    if not isinstance(value, list):
        values = read_section(source, path, value, ROUTE)
    targets = read_deployments(source, path, values["deployments"], name, known)
    return RouteSettings(targets, values["strategy"], values["sticky"]) if targets else None


def read_rewrites(source: Source, value: object) -> tuple[Rewrite, ...]:
    """Read `[[rewrites]]`, in their order."""
    if not isinstance(value, list):
        wrong_type(source, ("rewrites",), "a list of tables: [[rewrites]]", value)
        return ()
    found: list[Rewrite] = []
    for number, entry in enumerate(cast("list[Any]", value), start=1):
        path = ("rewrites", str(number))
        values = read_section(source, path, entry, REWRITE)
        missing = [key for key in REWRITE if values[key] is None]
        for key in missing:
            source.problem((*path, key), "settings.missing")
        fault = None if missing else fault_of_pattern(values["match"], values["to"])
        if fault is not None:
            source.problem((*path, "match"), "settings.bad_pattern", reason=fault)
        elif not missing:
            found.append(Rewrite(values["match"], values["to"]))
    return tuple(found)


def _is_deployment(source: Source, path: Path, text: str, name: str, known: Known) -> bool:
    provider, model = split_path(text)
    if not provider or not model:
        source.problem(path, "settings.bad_deployment", found=repr(text))
    elif not known.has(provider):
        source.unknown(path, "settings.unknown_provider", provider, known.names())
    elif "*" in text and "*" not in name:
        source.problem(path, "settings.star_without", found=repr(text))
    else:
        return True
    return False


def _target(text: str, said: Table) -> Target:
    provider, model = split_path(text)
    return Target(provider, model, weight=said["weight"], region=said["region"], timeout_s=said["timeout_s"])


def _shadow(source: Source, path: Path, table: Any, name: str, known: Known) -> Shadow | None:
    if table is None:
        return None
    values = read_section(source, path, table, SHADOW)
    missing = [key for key in SHADOW if values[key] is None]
    for key in missing:
        source.problem((*path, key), "settings.missing")
    if missing or not _is_deployment(source, path, values["deployment"], name, known):
        return None
    return Shadow(values["deployment"], values["percent"])
