"""What the settings are once read: frozen values, everything checked, nothing left to look up."""

from pathlib import Path
from typing import Literal

import msgspec

from anykey.providers.configured import ProviderSettings, Timeouts
from anykey.providers.secret import Secret
from anykey.routing.configured import ModelSettings, RoutingSettings
from anykey.settings.problems import Problem


class ServerSettings(msgspec.Struct, frozen=True):
    """Where the gateway listens and what it takes in."""

    host: str = "127.0.0.1"
    port: int = 4000
    max_body_bytes: int = 67_108_864
    keepalive_s: float = 15.0
    responses_websocket: bool = True
    environment_providers: bool = True
    discovery_hours: int = 6
    trusted_proxies: tuple[str, ...] = ()


class ResponsesSettings(msgspec.Struct, frozen=True):
    """What is kept for clients of the Responses protocol, and for how long."""

    store: bool = True
    ttl_days: int = 30
    max_stored_bytes: int = 33_554_432


class LedgerSettings(msgspec.Struct, frozen=True):
    """How the money of calls is kept. `power`: what is settled outlives the loss of power, not only of the process."""

    durability: Literal["process", "power"] = "process"
    every_call: bool = False
    assumed_output_tokens: int = 16_384


class RetentionSettings(msgspec.Struct, frozen=True):
    """After how many days calls, their charges and what was told to webhooks are deleted; 0: never."""

    exchanges_days: int = 90
    charges_days: int = 0
    deliveries_days: int = 30


class LoggingSettings(msgspec.Struct, frozen=True):
    """How much of each side of a call is kept, of keys that are logged in full."""

    max_body_bytes: int = 1_048_576


class UpstreamSettings(msgspec.Struct, frozen=True):
    """What holds for every upstream unless a provider says otherwise."""

    ca_file: Path | None = None
    timeouts: Timeouts = Timeouts()


class Settings(msgspec.Struct, frozen=True):
    """The whole configuration. `config` is the file that was read, or None."""

    home: Path
    config: Path | None
    server: ServerSettings
    upstream: UpstreamSettings
    providers: tuple[ProviderSettings, ...]
    models: tuple[ModelSettings, ...]
    warnings: tuple[Problem, ...] = ()
    responses: ResponsesSettings = ResponsesSettings()
    routing: RoutingSettings = RoutingSettings()
    ledger: LedgerSettings = LedgerSettings()
    retention: RetentionSettings = RetentionSettings()
    logging: LoggingSettings = LoggingSettings()
    database: Secret | None = None
    """The URL of a PostgreSQL database; None: the file in the data directory."""
    valkey: Secret | None = None
    """The URL of a Valkey or Redis server for what several processes count together; None: the database counts it."""

    def with_demo(self, base_url: str, token: str) -> "Settings":
        """Return these settings with the started demo's address and token in every provider built into the gateway."""

        def started(provider: ProviderSettings) -> ProviderSettings:
            if not provider.kind.built_in:
                return provider
            doors = tuple(msgspec.structs.replace(door, base_url=base_url) for door in provider.endpoints)
            return msgspec.structs.replace(provider, endpoints=doors, credential=Secret(token))

        return msgspec.structs.replace(self, providers=tuple(map(started, self.providers)))
