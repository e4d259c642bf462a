"""What an operator asks about providers: the kinds there are, one kind in full, and whether the configured ones are well.

No credential is in anything returned here, only whether there is one.
"""

from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from pathlib import Path

import msgspec

from anykey.administration.configuration import load_configuration
from anykey.administration.errors import AdministrationError
from anykey.conversation.parts import ProtocolName
from anykey.protocols.catalog import UPSTREAM_CODECS
from anykey.providers.configured import ProviderSettings
from anykey.providers.load import catalogue, find
from anykey.providers.records import DEFAULT_PATHS, DialectValue, EndpointRow, LaneRule, ProviderKind, Variable
from anykey.routing.snapshot import request_url
from anykey.settings import SettingsError
from anykey.settings.problems import Problem

PROTOCOL_FAMILIES: Mapping[ProtocolName, str] = {
    "openai_chat": "openai_chat_completions",
    "openai_responses": "openai_responses",
    "anthropic_messages": "anthropic_messages",
    "gemini_generate": "gemini_generate_content",
    "bedrock_converse": "bedrock_converse",
}
"""The protocols by the names that operators know from elsewhere."""


class DoorView(msgspec.Struct, frozen=True):
    """One door. `request_endpoint` is where a call goes, with `{model}` for the model; empty where the kind has no address."""

    protocol: ProtocolName
    lane: str
    region: str
    auth: str
    base_url: str
    request_endpoint: str
    models_endpoint: str | None
    headers: dict[str, str]


class KindRow(msgspec.Struct, frozen=True):
    """A kind as a line of the list. `configured`: the names of the providers here that are of it."""

    kind: str
    names: dict[str, str]
    group: str
    protocols: tuple[str, ...]
    lanes: tuple[str, ...]
    regions: tuple[str, ...]
    credential_envs: tuple[str, ...]
    configured: tuple[str, ...]


class KindView(msgspec.Struct, frozen=True):
    """All that the catalogue says of a kind. Texts for people are by language."""

    kind: str
    names: dict[str, str]
    group: str
    protocol_family: str
    feature_family: str
    auth_scheme: str
    credential_envs: tuple[str, ...]
    aliases: tuple[str, ...]
    default_base_url: str
    request_endpoint: str
    models_endpoint: str | None
    auth_optional: bool
    model_probe_auth_optional: bool
    default_api_key_env: str | None
    oauth_envs: tuple[str, ...]
    primary_request_route: str
    primary_model_catalog_route: str | None
    from_environment: bool
    default_model: str
    fallback_models: tuple[str, ...]
    models: tuple[str, ...]
    model_patterns: tuple[str, ...]
    variables: tuple[Variable, ...]
    lane_rule: LaneRule | None
    endpoints: tuple[DoorView, ...]
    dialect: dict[str, dict[str, DialectValue]]
    docs: str
    notes: dict[str, str]


class ProviderCheck(msgspec.Struct, frozen=True):
    """A configured provider that is well: its doors, and whether it has a credential."""

    name: str
    kind: str
    lane: str
    region: str
    credential: bool
    endpoints: tuple[DoorView, ...]


class CheckReport(msgspec.Struct, frozen=True):
    """What was found. With `problems` the configuration is refused as a whole, so `providers` is empty then."""

    providers: tuple[ProviderCheck, ...]
    problems: tuple[Problem, ...]
    warnings: tuple[Problem, ...]


def list_kinds(configured: Iterable[ProviderSettings]) -> list[KindRow]:
    """Return all kinds of the catalogue, in the order of their ids, with the providers `configured` of each."""
    names: dict[str, list[str]] = {}
    for provider in configured:
        names.setdefault(provider.kind.id, []).append(provider.name)
    return [_row(kind, tuple(names.get(kind.id, ()))) for kind in catalogue().values()]


def describe_kind(name: str) -> KindView:
    """Return the kind of this id or alias in full. Raises AdministrationError where there is none."""
    kind = find(name)
    if kind is None:
        near = get_close_matches(
            name[:80], [word for known in catalogue().values() for word in (known.id, *known.aliases)], n=1
        )
        raise AdministrationError("providers.unknown_kind", kind=name[:80], near=near[0] if near else "custom")
    doors = tuple(_door(kind, door) for door in kind.endpoints)
    first = doors[0]
    return KindView(
        kind=kind.id,
        names=kind.names,
        group=kind.group,
        protocol_family=PROTOCOL_FAMILIES[kind.endpoints[0].protocol],
        feature_family=kind.feature_family,
        auth_scheme=kind.auth,
        credential_envs=kind.credential_envs,
        aliases=kind.aliases,
        default_base_url=first.base_url,
        request_endpoint=first.request_endpoint,
        models_endpoint=first.models_endpoint,
        auth_optional=kind.auth_optional,
        model_probe_auth_optional=kind.probe_auth_optional,
        default_api_key_env=kind.credential_envs[0] if kind.credential_envs else None,
        oauth_envs=kind.oauth_envs,
        primary_request_route=first.request_endpoint,
        primary_model_catalog_route=first.models_endpoint,
        from_environment=kind.from_environment and not set(kind.credential_variables) <= set(kind.shared_envs),
        default_model=kind.default_model,
        fallback_models=kind.fallback_models,
        models=kind.models,
        model_patterns=kind.model_patterns,
        variables=kind.variables,
        lane_rule=kind.lane_rule,
        endpoints=doors,
        dialect=kind.dialect,
        docs=kind.docs,
        notes=kind.notes,
    )


def check_providers(environ: Mapping[str, str], config: Path | None = None) -> CheckReport:
    """Load the configuration of `environ` (see load_configuration) and say of each provider where it is called and whether with
    a credential. Nothing is sent anywhere. Raises AdministrationError or StorageError where the data directory cannot be used."""
    try:
        settings = load_configuration(environ, config)
    except SettingsError as error:
        return CheckReport((), tuple(error.problems), ())
    return CheckReport(tuple(map(_checked, settings.providers)), (), settings.warnings)


def _row(kind: ProviderKind, configured: tuple[str, ...]) -> KindRow:
    return KindRow(
        kind=kind.id,
        names=kind.names,
        group=kind.group,
        protocols=tuple(dict.fromkeys(door.protocol for door in kind.endpoints)),
        lanes=tuple(dict.fromkeys(door.lane for door in kind.endpoints)),
        regions=tuple(dict.fromkeys(door.region for door in kind.endpoints)),
        credential_envs=kind.credential_variables,
        configured=configured,
    )


def _checked(provider: ProviderSettings) -> ProviderCheck:
    first = provider.endpoints[0]
    return ProviderCheck(
        name=provider.name,
        kind=provider.kind.id,
        lane=first.lane,
        region=first.region,
        credential=provider.credential is not None,
        endpoints=tuple(_door(provider.kind, door) for door in provider.endpoints),
    )


def _door(kind: ProviderKind, door: EndpointRow) -> DoorView:
    url = request_url(door.base_url, door.path or DEFAULT_PATHS[door.protocol]) if door.base_url else ""
    return DoorView(
        protocol=door.protocol,
        lane=door.lane,
        region=door.region,
        auth=door.auth or kind.auth,
        base_url=door.base_url,
        request_endpoint=_called(door.protocol, url) if url else "",
        models_endpoint=door.models_url,
        headers=door.headers,
    )


def _called(protocol: ProtocolName, url: str) -> str:
    """The URL of a call, as the protocol's codec makes it: with the model in it where the protocol says so."""
    return UPSTREAM_CODECS[protocol].call_url(url, "MODEL", stream=False).replace("MODEL", "{model}")
