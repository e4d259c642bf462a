"""How the configured providers are doing, as the running gateways told each other, and the verb that forgets a bad standing."""

import time
from collections.abc import Iterable, Iterator
from typing import Literal

import msgspec

from anykey.accounts.permissions import LOCAL, Actor, require
from anykey.administration.errors import AdministrationError
from anykey.administration.home import Home
from anykey.providers.configured import ProviderSettings
from anykey.providers.secret import Secret
from anykey.routing.pool import id_of, mark_of
from anykey.storage.health import HealthRow
from anykey.storage.shared_health import HealthPlaces

State = Literal["well", "open", "half_open", "barred", "resting", "slowed", "disabled"]
_OVER: dict[str, State] = {"open": "half_open", "barred": "half_open"}
"""What becomes of a state when its time is over: one call probes; all others are well."""


class HealthView(msgspec.Struct, frozen=True, kw_only=True):
    """One credential, or one deployment with one. Times are Unix milliseconds. `failure` is the kind of the last failure and
    `reason` its words, `told_by` the process that met it."""

    provider: str
    deployment: str | None = None
    credential: str | None = None
    state: State = "well"
    since_ms: int | None = None
    until_ms: int | None = None
    failure: str | None = None
    reason: str | None = None
    told_by: str | None = None


def provider_health(
    home: Home, providers: Iterable[ProviderSettings], valkey: Secret | None = None
) -> list[HealthView]:
    """A line for each credential of each provider, and after them one for each deployment that is not well. `valkey`: the URL of
    the Valkey through which health is shared too."""
    found = HealthPlaces(home.database, valkey, home.pepper).read()
    rows = {(row.deployment, row.credential): row for row in found}
    now_ms = int(time.time() * 1000)
    return [view for provider in providers for view in _of_provider(provider, rows, now_ms)]


def enable(home: Home, name: str, *, actor: Actor = LOCAL, valkey: Secret | None = None) -> list[HealthView]:
    """Have every running gateway use what `name` means again, at once: a provider with all it has, or one credential
    (`provider#label`). Returns what was not well. Raises AdministrationError where nothing of that name was."""
    require(actor, "providers:write", None)
    now_ms = int(time.time() * 1000)
    places = HealthPlaces(home.database, valkey, home.pepper)
    rows = [row for row in places.read() if _is_meant(row, name)]
    if not rows:
        raise AdministrationError("health.nothing", name=name)
    places.forget(rows, name, actor.name)
    return [_view(id_of(row.credential).partition("#")[0], row, now_ms) for row in rows]


def _of_provider(
    provider: ProviderSettings, rows: dict[tuple[str, str], HealthRow], now_ms: int
) -> Iterator[HealthView]:
    marks = [mark_of(credential, provider.name) for credential in provider.all_credentials()]
    for mark in marks or [mark_of(None, provider.name)]:
        row = rows.get(("", mark))
        if row is None:
            yield HealthView(provider=provider.name, credential=id_of(mark) if marks else None)
        else:
            yield _view(provider.name, row, now_ms)
        for (deployment, used), circuit in rows.items():
            if deployment and used == mark:
                yield _view(provider.name, circuit, now_ms)


def _view(provider: str, row: HealthRow, now_ms: int) -> HealthView:
    kind, _, words = row.reason.partition(": ")
    over = row.until_ms is not None and row.until_ms <= now_ms
    state: State = _OVER.get(row.state, "well") if over else row.state
    return HealthView(
        provider=provider,
        deployment=row.deployment or None,
        credential=id_of(row.credential),
        state=state,
        since_ms=row.changed_ms,
        until_ms=row.until_ms,
        failure=kind,
        reason=words or None,
        told_by=row.changed_by,
    )


def _is_meant(row: HealthRow, name: str) -> bool:
    credential = id_of(row.credential)
    return name in (credential, credential.partition("#")[0], row.deployment)
