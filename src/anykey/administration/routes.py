"""Where a call would go and why, by the configuration and the state that a running gateway would use. Nothing is sent."""

import time
from collections.abc import Iterable

from anykey.administration.home import Home
from anykey.administration.known_models import known_models
from anykey.language import say
from anykey.providers.secret import Secret
from anykey.routing.ask import Ask
from anykey.routing.building import build_snapshot
from anykey.routing.explain import ExplainedStep, Explanation, explain
from anykey.routing.plan import Unroutable, plan
from anykey.routing.pool import mark_of
from anykey.routing.snapshot import Snapshot
from anykey.settings import Settings
from anykey.storage.configs import load_configs
from anykey.storage.health import HealthRow
from anykey.storage.rate_cards import load_cards
from anykey.storage.shared_health import HealthPlaces

_RESTING = frozenset({"open", "barred", "resting", "disabled"})


class StoredHealth:
    """The planner's view, as the running gateways told each other of it. What only they know, load and latency, is nought."""

    def __init__(self, rows: Iterable[HealthRow], snapshot: Snapshot, now_ms: int) -> None:
        self._snapshot = snapshot
        self._rows = {
            (row.deployment, row.credential): row
            for row in rows
            if row.state in _RESTING and (row.until_ms is None or row.until_ms > now_ms)
        }

    @property
    def all_well(self) -> bool:
        """Nobody rests."""
        return not self._rows

    def resting(self, deployment: str) -> str | None:
        """Why nobody of the deployment's credentials may be used for it now; None: one may."""
        name = deployment.partition("/")[0]
        provider = self._snapshot.by_name.get(name)
        credentials = provider.settings.all_credentials() if provider else ()
        marks = [mark_of(credential, name) for credential in credentials] or [mark_of(None, name)]
        found = [self._rows.get((deployment, mark)) or self._rows.get(("", mark)) for mark in marks]
        return found[0].reason if found[0] is not None and all(found) else None

    def busy(self, deployment: str) -> int:  # noqa: ARG002 - not known here
        """Calls under way: not known here."""
        return 0

    def latency_ms(self, deployment: str) -> float:  # noqa: ARG002 - not known here
        """A mean latency: not known here."""
        return 0.0


def stored_snapshot(home: Home, settings: Settings) -> Snapshot:
    """The snapshot that a gateway with these settings would route by."""
    known = known_models(home.database, settings)
    return build_snapshot(settings, *known, load_configs(home.database), load_cards(home.database))


def explain_call(home: Home, snapshot: Snapshot, ask: Ask, valkey: Secret | None = None) -> Explanation | Unroutable:
    """What would become of the call. `valkey`: the URL of the Valkey through which health is shared too."""
    rows = HealthPlaces(home.database, valkey, home.pepper).read()
    health = StoredHealth(rows, snapshot, int(time.time() * 1000))
    found = plan(snapshot, ask, health)
    return found if isinstance(found, Unroutable) else explain(found)


def told(explanation: Explanation) -> list[str]:
    """The explanation as lines for a person, in his language."""
    lines = [
        say(
            "routes.name",
            asked=explanation.model_asked,
            model=explanation.model,
            rule=say(f"routes.rule.{explanation.rule}"),
        ),
        say("routes.group", group=explanation.group),
    ]
    if explanation.scenario is not None:
        lines.append(say("routes.scenario", scenario=explanation.scenario))
    if explanation.config is not None:
        lines.append(say("routes.config", config=explanation.config))
    lines += [f"  - {reason}" for reason in explanation.reasons]
    lines.append(say("routes.all_resting" if explanation.all_resting else "routes.steps"))
    lines += _numbered(explanation.steps)
    for code, steps in (
        ("routes.if_too_long", explanation.if_too_long),
        ("routes.if_refused", explanation.if_refused),
        ("routes.shadow", explanation.shadow),
    ):
        lines += [say(code), *_numbered(steps)] if steps else []
    if explanation.left_out:
        lines.append(say("routes.left_out"))
        lines += [f"  - {out.deployment}: {out.why}" for out in explanation.left_out]
    return lines


def _numbered(steps: Iterable[ExplainedStep]) -> list[str]:
    return [
        f"  {number}. {step.deployment}  [{step.protocol}, {say(f'routes.{step.carriage}')}, {step.region or '-'}]  {step.why}"
        for number, step in enumerate(steps, start=1)
    ]
