"""The catalogue's records: what a row of `catalogue/*.toml` may say. Pure values; `load.py` reads them.

A `ProviderKind` is a vendor (or a plan of a vendor whose keys are separate); an `EndpointRow` is one door of
it: a protocol spoken at an address, in a lane (general, coding, ...) and a region.
"""

from collections.abc import Mapping
from fnmatch import fnmatchcase
from typing import get_args

import msgspec

from anykey.conversation.parts import ProtocolName

DialectValue = bool | int | str

PROTOCOLS: tuple[ProtocolName, ...] = get_args(ProtocolName)
"""The protocols a row or a configuration may name, by the names of their folders in `anykey.protocols`."""

DEFAULT_PATHS: Mapping[ProtocolName, str] = {
    "openai_chat": "/chat/completions",
    "openai_responses": "/responses",
    "anthropic_messages": "/v1/messages",
    "gemini_generate": "/v1beta/models",
}
"""What follows the base URL, by protocol. OpenAI's base holds the version (`.../v1`), Anthropic's does not."""


class EndpointRow(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One door. `base_url` is empty where the user (custom) or the server (demo) gives it."""

    protocol: ProtocolName
    base_url: str
    lane: str = "general"
    region: str = "global"
    path: str = ""
    """What follows `base_url`; empty means the protocol's own, see `DEFAULT_PATHS`."""
    models_url: str | None = None
    count_tokens: bool = False
    """Whether the protocol's counting endpoint answers here too (`count_tokens`, `input_tokens`, `:countTokens`)."""
    auth: str = ""
    """The scheme of this door where it differs from its kind's."""
    headers: dict[str, str] = {}


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
    credential_envs: tuple[str, ...] = ()
    """Environment variables that may hold the credential, the most telling one first."""
    credential_auth: dict[str, str] = {}
    """The scheme for credentials of one of those variables, where it differs (Anthropic's AUTH_TOKEN)."""
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
    model_patterns: tuple[str, ...] = ()
    """Globs of bare model names that clearly are this vendor's."""
    dialect: dict[str, dict[str, DialectValue]] = {}
    dialect_by_model: tuple[ModelDialect, ...] = ()
    notes: dict[str, str] = {}

    def dialect_of(self, protocol: str, model: str) -> dict[str, DialectValue]:
        """Return the dialect fields of `protocol` for `model`: the kind's, then each matching model row's."""
        fields = dict(self.dialect.get(protocol, {}))
        name = model.lower()
        for row in self.dialect_by_model:
            if row.protocol == protocol and any(fnmatchcase(name, glob) for glob in row.match):
                fields.update(row.fields)
        return fields
