"""A provider as an operator set it up: a kind of the catalogue with its lane, region, credential and limits.

`anykey.settings` makes these from the file and the environment; `anykey.routing` builds its snapshot from them.
They live down here because both may import this folder and neither may import the other.
"""

import msgspec

from anykey.protocols.hosted import HostedPolicy
from anykey.providers.auth.binding import Origin
from anykey.providers.records import DialectValue, EndpointRow, ProviderKind
from anykey.providers.secret import Secret


class Timeouts(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How long an upstream may take, in seconds, each on the monotonic clock."""

    connect_s: float = 5.0
    """Name, TCP, proxy tunnel and TLS together."""
    first_byte_s: float = 120.0
    """From the request written to the response's status and headers."""
    idle_s: float = 60.0
    """Between two pieces of the body; also between two pieces of the request being taken."""
    total_s: float = 1800.0
    """From the call to the end of the body."""


class StoredCredential(msgspec.Struct, frozen=True):
    """One of a provider's credentials. `id` is `provider#label` and may be shown; of several, each gets calls by its `weight`;
    `auth` is its scheme where that differs from the provider's. `origin`: the only place it may be sent; None: wherever the
    provider's own addresses lead."""

    id: str
    secret: Secret
    weight: int = 1
    auth: str = ""
    origin: Origin | None = None


class ProviderSettings(msgspec.Struct, frozen=True):
    """One configured provider. `endpoints` holds the doors of the chosen lane and region only."""

    name: str
    kind: ProviderKind
    endpoints: tuple[EndpointRow, ...]
    credential: Secret | None = None
    auth: str = ""
    """The scheme the operator chose (or the credential's variable implies); empty: each door's own."""
    timeouts: Timeouts = Timeouts()
    models: tuple[str, ...] = ()
    """Pinned models; empty: the catalogue's."""
    headers: tuple[tuple[str, str], ...] = ()
    hosted_tools: HostedPolicy = "drop"
    """What becomes of a call with a tool that only another provider runs itself."""
    native_state: bool = False
    """It keeps stored responses itself, where it speaks Responses."""
    dialect: dict[str, dict[str, DialectValue]] = {}
    """The operator's overrides, by protocol; they win over the kind's fields, for every model."""
    origin: str = "file"
    """Where it came from: `file`, `built in`, `stored`, or the environment variable that held the credential."""
    credentials: tuple[StoredCredential, ...] = ()
    """All of its credentials; empty where there is none, or only `credential`."""

    def listed_models(self) -> tuple[str, ...]:
        """Return the models to show for this provider: the pinned ones, else the catalogue's."""
        return self.models or self.kind.models

    def all_credentials(self) -> tuple[StoredCredential, ...]:
        """Return its credentials; the only one of a provider that has no list is called `default`."""
        if self.credentials or self.credential is None:
            return self.credentials
        return (StoredCredential(f"{self.name}#default", self.credential),)

    def __repr__(self) -> str:
        # Headers may hold secrets of the operator's, so only names are shown.
        return f"ProviderSettings(name={self.name!r}, kind={self.kind.id!r})"
