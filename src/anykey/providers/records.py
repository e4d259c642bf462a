"""The catalogue's records: what a row of `catalogue/*.toml` may say. Pure values; `load.py` reads them.

A `ProviderKind` is a vendor (or a plan of a vendor whose keys are separate); an `EndpointRow` is one door of
it: a protocol spoken at an address, in a lane (general, coding, ...) and a region.
"""

from collections.abc import Mapping
from fnmatch import fnmatchcase
from typing import Literal, get_args

import msgspec

from anykey.conversation.parts import ProtocolName

DialectValue = bool | int | str

PROTOCOLS: tuple[ProtocolName, ...] = get_args(ProtocolName)
"""The protocols a row or a configuration may name, by the names of their folders in `anykey.protocols`."""

Group = Literal["direct", "platform", "gateway", "aggregator", "hosted", "local", "coding", "subscription", "built_in"]
"""What sort of seller a kind is: the maker of models, a cloud with other products, a gateway in front of several, a seller of
many makers' models, a host of open models, a server of one's own, a plan for coding tools, a subscription, this gateway."""

DEFAULT_PATHS: Mapping[ProtocolName, str] = {
    "openai_chat": "/chat/completions",
    "openai_responses": "/responses",
    "anthropic_messages": "/v1/messages",
    "gemini_generate": "/v1beta/models",
    "bedrock_converse": "/model",
}
"""What follows the base URL, by protocol. OpenAI's base holds the version (`.../v1`), Anthropic's does not."""


class EndpointRow(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One door. `base_url` is empty where the user (custom) or the server (demo) gives it. The three addresses may hold
    `{name}` of the kind's variables, filled when the settings are read, and `{model}`, filled for each call."""

    protocol: ProtocolName
    base_url: str
    lane: str = "general"
    region: str = "global"
    path: str = ""
    """What follows `base_url`, perhaps with a query; empty means the protocol's own, see `DEFAULT_PATHS`."""
    models_url: str | None = None
    count_tokens: bool = False
    """Whether the protocol's counting endpoint answers here too (`count_tokens`, `input_tokens`, `:countTokens`)."""
    auth: str = ""
    """The scheme of this door where it differs from its kind's."""
    headers: dict[str, str] = {}


class Variable(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A `{name}` in a kind's addresses: from the provider's table, else from `envs`, else `default` (empty: it must be said)."""

    name: str
    envs: tuple[str, ...] = ()
    default: str = ""


class LaneRule(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What holds for kinds of one vendor that differ by lane only, so that quota, price and key of one are not spent at another.
    See `anykey.providers.lanes`."""

    vendor: str
    """Kinds with the same word are lanes of one vendor: a credential belongs to one of them."""
    hosts: tuple[str, ...]
    """The vendor's own hosts, by their ends."""
    url_must_contain: tuple[str, ...] = ()
    """An address at these hosts holds one of these, if there are any."""
    url_must_not_contain: tuple[str, ...] = ()
    """No address holds one of these, at any host."""
    advice: dict[str, str] = {}
    """Why, and what to do, by language."""


class ModelDialect(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Dialect fields that hold for some models only. Rows apply in order, so a later one wins."""

    protocol: ProtocolName
    match: tuple[str, ...]
    """Globs over the upstream model name, lower case."""
    fields: dict[str, DialectValue]


class ProviderKind(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One row of the catalogue. `id` is the file's name; texts are by language, `en` and `zh-CN`."""

    id: str
    names: dict[str, str]
    docs: str
    auth: str
    endpoints: tuple[EndpointRow, ...]
    """The first door's lane and region are the defaults of the kind."""
    group: Group = "hosted"
    feature_family: str = "openai_compatible"
    """The family of extensions its models have: `openai_compatible`, `anthropic`, `google`, `bedrock` or `volcengine`."""
    variables: tuple[Variable, ...] = ()
    lane_rule: LaneRule | None = None
    credential_envs: tuple[str, ...] = ()
    """Environment variables that may hold the credential, the most telling one first."""
    credential_auth: dict[str, str] = {}
    """The scheme for credentials of one of those variables, where it differs (Anthropic's AUTH_TOKEN)."""
    oauth_envs: tuple[str, ...] = ()
    """Environment variables that may hold an OAuth access token, sent as a bearer; looked at after `credential_envs`."""
    shared_envs: tuple[str, ...] = ()
    """Those of the variables that serve other things too, so that one being set alone configures nothing."""
    auth_optional: bool = False
    probe_auth_optional: bool = False
    """Whether the list of models is readable without a credential."""
    from_environment: bool = True
    """Whether a set credential variable alone configures this kind; plans with quotas of their own say no."""
    built_in: bool = False
    """Whether the gateway itself runs it: its address and credential exist only while the server does."""
    aliases: tuple[str, ...] = ()
    models: tuple[str, ...] = ()
    """A few current models, listed when the user pins none. Any other name still works as `provider/model`."""
    default_model: str = ""
    """The model of a plan that is made for one."""
    fallback_models: tuple[str, ...] = ()
    """What to take where the list of models cannot be had."""
    model_patterns: tuple[str, ...] = ()
    """Globs of bare model names that clearly are this vendor's."""
    dialect: dict[str, dict[str, DialectValue]] = {}
    dialect_by_model: tuple[ModelDialect, ...] = ()
    notes: dict[str, str] = {}

    @property
    def credential_variables(self) -> tuple[str, ...]:
        """All environment variables that may hold a credential, in order."""
        return self.credential_envs + self.oauth_envs

    def dialect_of(self, protocol: str, model: str) -> dict[str, DialectValue]:
        """Return the dialect fields of `protocol` for `model`: the kind's, then each matching model row's."""
        fields = dict(self.dialect.get(protocol, {}))
        name = model.lower()
        for row in self.dialect_by_model:
            if row.protocol == protocol and any(fnmatchcase(name, glob) for glob in row.match):
                fields.update(row.fields)
        return fields
