"""Finds providers in the environment: a credential variable that is set configures the kind it belongs to.

Several kinds may know one variable (ARK_API_KEY). It belongs to the kind that names it earliest in its list:
BYTEPLUS_API_KEY to byteplus, ARK_API_KEY to volcengine. Plans whose keys must not be used elsewhere, and variables that
serve other things too (GITHUB_TOKEN), are never found so; such kinds are named in the file, or in ANYKEY_PROVIDERS
("byteplus_coding,openai"), which then is the whole list.
"""

from collections.abc import Collection, Iterator, Mapping

import msgspec

from anykey.providers.addresses import filled, is_value, values_of
from anykey.providers.configured import ProviderSettings, Timeouts
from anykey.providers.load import catalogue, find
from anykey.providers.records import EndpointRow, ProviderKind
from anykey.settings.credentials import Credential, from_environment
from anykey.settings.doors import default_doors, unfilled
from anykey.settings.section import Source

CHOICE = "ANYKEY_PROVIDERS"
OWN_KEY_PREFIX = "ak-"

Found = tuple[ProviderKind, Credential | None]


def owners() -> Mapping[str, ProviderKind]:
    """Return, for each credential variable, the kind it configures when nothing else is said."""
    found: dict[str, tuple[int, ProviderKind]] = {}
    for kind in catalogue().values():
        if kind.from_environment:
            for place, variable in enumerate(kind.credential_variables):
                if variable not in kind.shared_envs and (variable not in found or place < found[variable][0]):
                    found[variable] = (place, kind)
    return {variable: kind for variable, (_, kind) in found.items()}


def discover(
    source: Source,
    environ: Mapping[str, str],
    configured: Collection[ProviderSettings],
    timeouts: Timeouts,
    stored: Collection[str] = frozenset(),
) -> list[ProviderSettings]:
    """Return the providers the environment adds to those `configured`. Problems and warnings go to `source`.

    A kind that is configured already is not added, and a variable that a provider uses already is not used again:
    a coding plan's key must not open the general lane, which bills by use.
    """
    taken = {provider.kind.id for provider in configured} | {provider.name for provider in configured}
    if environ.get(CHOICE, "").strip():
        found = _chosen(source, environ, taken.union(stored))
    else:
        given = {credential.secret.reveal() for provider in configured for credential in provider.credentials}
        used = {variable for variable, text in environ.items() if text.strip() in given}
        found = _owned(source, environ, used | {provider.origin for provider in configured})
    return [_provider(kind, held, timeouts, environ) for kind, held in found if kind.id not in taken]


def stored_kinds(
    stored: Collection[str],
    environ: Mapping[str, str],
    configured: Collection[ProviderSettings],
    timeouts: Timeouts,
) -> list[ProviderSettings]:
    """Return the kinds that are configured by nothing but a stored credential, unless ANYKEY_PROVIDERS is the whole list. A kind
    whose address needs more than the environment says is not among them."""
    if environ.get(CHOICE, "").strip():
        return []
    taken = {provider.kind.id for provider in configured} | {provider.name for provider in configured}
    kinds = [kind for name in sorted(stored) if name not in taken and (kind := catalogue().get(name)) is not None]
    placed = (kind for kind in kinds if not unfilled(kind, _doors(kind, environ)))
    return [msgspec.structs.replace(_provider(kind, None, timeouts, environ), origin="stored") for kind in placed]


def _owned(source: Source, environ: Mapping[str, str], used: Collection[str]) -> Iterator[Found]:
    """Yield the kinds whose own variables are set, in the catalogue's order."""
    owner_of = owners()
    for kind in catalogue().values():
        own = [name for name in kind.credential_variables if name not in used and owner_of.get(name) is kind]
        held = from_environment(own, environ, kind)
        if held is None:
            continue
        missing = unfilled(kind, _doors(kind, environ))
        if held.secret.reveal().startswith(OWN_KEY_PREFIX):
            # A shell that points a client at this gateway has our key in the vendor's variable.
            source.warn((held.variable,), "settings.own_key_ignored", kind=kind.id)
        elif held.fault == "settings.placeholder_credential":
            source.warn((held.variable,), "settings.placeholder_ignored", kind=kind.id)
        elif missing:
            name, variables = next(iter(missing.items()))
            source.warn((held.variable,), "settings.variable_missing", kind=kind.id, name=name, variables=variables)
        elif held.fault:
            source.warn((held.variable,), held.fault, source=f"{kind.id} was not configured from it")
        else:
            yield kind, held


def _chosen(source: Source, environ: Mapping[str, str], taken: Collection[str]) -> Iterator[Found]:
    """Yield the kinds that ANYKEY_PROVIDERS names, in its order."""
    for name in filter(None, map(str.strip, environ[CHOICE].split(","))):
        kind = find(name)
        if kind is None or not (kind.built_in or kind.endpoints[0].base_url):
            source.unknown((CHOICE,), "settings.unknown_value", name, catalogue())
            continue
        held = from_environment(kind.credential_variables, environ, kind)
        if held and held.fault:
            source.problem((CHOICE,), held.fault, source=f"the environment variable {held.variable}")
        elif held is None and not kind.auth_optional and kind.id not in taken:
            variables = " or ".join(kind.credential_variables)
            source.problem((CHOICE,), "settings.no_credential", kind=kind.id, variables=variables)
        for missing, variables in unfilled(kind, _doors(kind, environ)).items():
            source.problem((CHOICE,), "settings.no_variable", kind=kind.id, name=missing, variables=variables)
        yield kind, held


def _doors(kind: ProviderKind, environ: Mapping[str, str]) -> tuple[EndpointRow, ...]:
    """The kind's default doors; a variable without a usable value stays in their addresses."""
    values = values_of(kind, {}, environ)
    return filled(default_doors(kind), {name: value for name, value in values.items() if is_value(value)})


def _provider(
    kind: ProviderKind, held: Credential | None, timeouts: Timeouts, environ: Mapping[str, str]
) -> ProviderSettings:
    return ProviderSettings(
        name=kind.id,
        kind=kind,
        endpoints=_doors(kind, environ),
        credential=held.secret if held else None,
        auth=held.auth if held else "",
        timeouts=timeouts,
        origin=held.variable if held else CHOICE,
    )
