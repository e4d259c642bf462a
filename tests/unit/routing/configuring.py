"""Configurations for routing tests, made of values, without a file."""

import msgspec

from anykey.providers.configured import ProviderSettings
from anykey.providers.load import find
from anykey.providers.secret import Secret
from anykey.routing.ask import Ask, Grant
from anykey.routing.building import build_snapshot
from anykey.routing.configured import GroupSettings, ModelSettings, RoutingSettings
from anykey.routing.plan import Plan, Unroutable, plan
from anykey.routing.snapshot import Snapshot
from anykey.settings.doors import default_doors, moved


class Given(msgspec.Struct, frozen=True):
    """A configuration as `build_snapshot` takes it."""

    providers: tuple[ProviderSettings, ...]
    models: tuple[ModelSettings, ...] = ()
    routing: RoutingSettings = RoutingSettings()


class View:
    """A view of deployments that the test knows everything about."""

    def __init__(
        self,
        resting: dict[str, str] | None = None,
        busy: dict[str, int] | None = None,
        latency_ms: dict[str, float] | None = None,
    ) -> None:
        self._resting, self._busy, self._latency_ms = resting or {}, busy or {}, latency_ms or {}

    @property
    def all_well(self) -> bool:
        return not self._resting

    def resting(self, deployment: str) -> str | None:
        return self._resting.get(deployment)

    def busy(self, deployment: str) -> int:
        return self._busy.get(deployment, 0)

    def latency_ms(self, deployment: str) -> float:
        return self._latency_ms.get(deployment, 0.0)


def provider(kind: str, name: str = "", **settings: object) -> ProviderSettings:
    """Return a provider of `kind` with its default doors and a credential."""
    row = find(kind)
    assert row is not None
    doors = default_doors(row)
    if not doors[0].base_url:
        doors = moved(doors, "http://127.0.0.1:9")
    made = ProviderSettings(name or kind, row, doors, Secret("k-1"))
    return msgspec.structs.replace(made, **settings)


def snapshot(*providers: ProviderSettings, **models: tuple[str, ...]) -> Snapshot:
    """Return the snapshot of these providers and public models."""
    public = tuple(ModelSettings(name, deployments) for name, deployments in models.items())
    return build_snapshot(Given(providers, public))


def grouped(*groups: GroupSettings, models: tuple[ModelSettings, ...] = (), **routing: object) -> Snapshot:
    """Return the snapshot of three providers, these public models and these groups."""
    providers = (provider("custom", "lab"), provider("anthropic"), provider("byteplus"))
    return build_snapshot(Given(providers, models, msgspec.structs.replace(RoutingSettings(groups=groups), **routing)))


def planned(known: Snapshot, model: str, view: View | None = None, **asked: object) -> Plan:
    """Return the plan of a Chat call, which there must be."""
    made = plan(known, msgspec.structs.replace(Ask(model=model, protocol="openai_chat"), **asked), view)
    assert isinstance(made, Plan), made
    return made


def refused(known: Snapshot, model: str, **asked: object) -> Unroutable:
    """Return why there is no plan, of which there must be none."""
    made = plan(known, msgspec.structs.replace(Ask(model=model, protocol="openai_chat"), **asked))
    assert isinstance(made, Unroutable), made
    return made


def ids(made: Plan) -> list[str]:
    """The deployments of a plan in order."""
    return [step.deployment.id for step in made.steps]


def of_group(name: str, *caps: tuple[str, ...]) -> Grant:
    """A grant in a group, with caps."""
    return Grant(key="k1", group=name, caps=caps, cap_sources=("the key",) * len(caps))
