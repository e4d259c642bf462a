"""Shadow copies: a call is also sent to a deployment that is being tried out, and its answer is thrown away.

The caller neither waits for a copy nor pays for it: it leaves a usage row of its own, of nobody's key, with the route ``shadow``.
"""

from __future__ import annotations

import asyncio
import logging

import msgspec

from anykey.conversation.failures import Failure, FailureError
from anykey.exchange.asking import ask
from anykey.exchange.exchange import Exchange, Inbound
from anykey.exchange.gateway import Gateway
from anykey.exchange.mishaps import AttemptFailed
from anykey.exchange.ports import Headers
from anykey.exchange.state import FOREIGN_STATE, may_carry_state
from anykey.routing.plan import Plan, PlanStep

log = logging.getLogger(__name__)

MOST_SHADOWS = 64
"""At a time; a call beyond that has no copy."""
SHADOW_KEY = "shadow"
"""Stands for a key in the usage rows of copies."""


class Nowhere:
    """Takes an answer and keeps nothing of it."""

    def __init__(self) -> None:
        self.started = False

    gone = False

    async def start(self, status: int, headers: Headers) -> None:  # noqa: ARG002 the port's signature
        self.started = True

    async def write(self, data: bytes) -> None:
        """Forget it."""

    async def end(self) -> None:
        """Nobody waits for it."""

    async def whole(self, status: int, headers: Headers, body: bytes) -> None:  # noqa: ARG002 the port's signature
        self.started = True


def cast_shadows(exchange: Exchange, plan: Plan, gateway: Gateway) -> None:
    """Begin a copy for each shadow of ``plan``, beside the call. What the model of another provider thought stays with that."""
    carries = may_carry_state(exchange.body, exchange.codec.name)
    for number, step in enumerate(plan.shadow, 1):
        if len(gateway.shadows) >= MOST_SHADOWS:
            log.info("%s: no shadow copy, %d are under way", exchange.request_id, MOST_SHADOWS)
            return
        strip = FOREIGN_STATE if carries and step.endpoint.provider != plan.first.endpoint.provider else ""
        cast = _cast(_copy(exchange, number), step, strip, gateway)
        task = asyncio.get_running_loop().create_task(cast, name="shadow copy")
        gateway.shadows.add(task)
        task.add_done_callback(gateway.shadows.discard)


async def end_shadows(gateway: Gateway) -> None:
    """Give up those under way: the gateway stops."""
    tasks = list(gateway.shadows)
    for task in tasks:
        task.cancel()
    if tasks:
        await asyncio.wait(tasks)


def _copy(exchange: Exchange, number: int) -> Exchange:
    inbound = Inbound(exchange.codec, exchange.headers, exchange.body, exchange.client, exchange.path)
    copy = Exchange(f"{exchange.request_id}-shadow{number}", inbound, exchange.began, exchange.at_ms)
    if exchange.key is not None:
        copy.key = msgspec.structs.replace(exchange.key, id=SHADOW_KEY)
    copy.model, copy.stream, copy.peek = exchange.model, exchange.stream, exchange.peek
    copy.trace_id, copy.group, copy.metadata = exchange.trace_id, exchange.group, exchange.metadata
    copy.route = SHADOW_KEY
    copy.chargeable = False
    return copy


async def _cast(exchange: Exchange, step: PlanStep, strip: str, gateway: Gateway) -> None:
    """One copy. Its failures are nobody's: they are in its row, and say nothing of the deployment to others."""
    exchange.begin_attempt(step)
    try:
        await ask(exchange, gateway.ways.first(step), strip, Nowhere(), gateway)
    except (AttemptFailed, FailureError) as error:
        exchange.failure = error.failure
    except asyncio.CancelledError:
        exchange.failure = Failure("unavailable", "The gateway stopped before the copy was answered.")
        raise
    except Exception:
        log.exception("the shadow copy %s failed inside the gateway", exchange.request_id)
        exchange.failure = Failure("internal", "The gateway failed; its log has the details.")
    finally:
        if exchange.key is not None:
            gateway.recorder.record(exchange.row(gateway.monotonic()))
