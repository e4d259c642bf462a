"""Finds providers in the environment: a credential variable that is set configures the kind it belongs to.

Several kinds may know one variable (ARK_API_KEY). It belongs to the kind that names it earliest in its list:
BYTEPLUS_API_KEY to byteplus, ARK_API_KEY to volcengine. Plans whose keys must not be used elsewhere are never found
so; they are named in the file, or in ANYKEY_PROVIDERS ("byteplus_coding,openai"), which then is the whole list.
"""

from collections.abc import Collection, Iterator, Mapping

from anykey.providers.configured import ProviderSettings, Timeouts
from anykey.providers.load import catalogue, find
from anykey.providers.records import ProviderKind
from anykey.settings.credentials import Credential, fault_of, from_environment
from anykey.settings.doors import default_doors
from anykey.settings.section import Source

CHOICE = "ANYKEY_PROVIDERS"
OWN_KEY_PREFIX = "ak-"

Found = tuple[ProviderKind, Credential | None]


def owners() -> Mapping[str, ProviderKind]:
    """Return, for each credential variable, the kind it configures when nothing else is said."""
    found: dict[str, tuple[int, ProviderKind]] = {}
    for kind in catalogue().values():
        if kind.from_environment:
            for place, variable in enumerate(kind.credential_envs):
                if variable not in found or place < found[variable][0]:
                    found[variable] = (place, kind)
    return {variable: kind for variable, (_, kind) in found.items()}


def discover(
    source: Source, environ: Mapping[str, str], configured: Collection[ProviderSettings], timeouts: Timeouts
) -> list[ProviderSettings]:
    """Return the providers the environment adds to those `configured`. Problems and warnings go to `source`.

    A kind that is configured already is not added, and a variable that a provider uses already is not used again:
    a coding plan's key must not open the general lane, which bills by use.
    """
    taken = {provider.kind.id for provider in configured} | {provider.name for provider in configured}
    if environ.get(CHOICE, "").strip():
        found = _chosen(source, environ, taken)
    else:
        found = _owned(source, environ, {provider.origin for provider in configured})
    return [_provider(kind, held, timeouts) for kind, held in found if kind.id not in taken]


def _owned(source: Source, environ: Mapping[str, str], used: Collection[str]) -> Iterator[Found]:
    """Yield the kinds whose own variables are set, in the catalogue's order."""
    owner_of = owners()
    for kind in catalogue().values():
        own = [name for name in kind.credential_envs if name not in used and owner_of.get(name) is kind]
        held = from_environment(own, environ)
        if held is None:
            continue
        if held.secret.reveal().startswith(OWN_KEY_PREFIX):
            # A shell that points a client at this gateway has our key in the vendor's variable.
            source.warn((held.variable,), "settings.own_key_ignored", kind=kind.id)
        elif fault_of(held.secret.reveal()):
            source.warn((held.variable,), "settings.placeholder_ignored", kind=kind.id)
        else:
            yield kind, held


def _chosen(source: Source, environ: Mapping[str, str], taken: Collection[str]) -> Iterator[Found]:
    """Yield the kinds that ANYKEY_PROVIDERS names, in its order."""
    for name in filter(None, map(str.strip, environ[CHOICE].split(","))):
        kind = find(name)
        if kind is None or not (kind.built_in or kind.endpoints[0].base_url):
            source.unknown((CHOICE,), "settings.unknown_value", name, catalogue())
            continue
        held = from_environment(kind.credential_envs, environ)
        fault = fault_of(held.secret.reveal()) if held else None
        if held and fault:
            source.problem((CHOICE,), fault, source=f"the environment variable {held.variable}")
        elif held is None and not kind.auth_optional and kind.id not in taken:
            variables = " or ".join(kind.credential_envs)
            source.problem((CHOICE,), "settings.no_credential", kind=kind.id, variables=variables)
        yield kind, held


def _provider(kind: ProviderKind, held: Credential | None, timeouts: Timeouts) -> ProviderSettings:
    return ProviderSettings(
        name=kind.id,
        kind=kind,
        endpoints=default_doors(kind),
        credential=held.secret if held else None,
        auth=kind.credential_auth.get(held.variable, "") if held else "",
        timeouts=timeouts,
        origin=held.variable if held else CHOICE,
    )
