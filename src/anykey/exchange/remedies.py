"""What the gateway does about the losses of a translated request: it refuses the call, or reaches the effect by other means.

An encoder says with a Loss what its upstream could not be sent. A call with a hosted tool may have to be refused
(``protocols.hosted``), and so has a strict one (``strictness``). An ``emulated`` Loss at ``stop`` or ``stop[i]`` leaves the stop
sequence to the gateway (``protocols.stops``), one at ``choice_count`` the several answers (``fanned``).
"""

from __future__ import annotations

from typing import NamedTuple

from anykey.conversation.failures import Failure, FailureError
from anykey.conversation.losses import Loss
from anykey.conversation.request import GenerateRequest
from anykey.exchange.exchange import Exchange
from anykey.exchange.fanned import MOST_COPIES
from anykey.exchange.strictness import refuse_losses
from anykey.protocols.hosted import refuse
from anykey.protocols.stops import unsent
from anykey.routing.plan import PlanStep


class Remedies(NamedTuple):
    """``stops``: the sequences at which the gateway ends the answer. ``copies``: how often the upstream is called."""

    stops: tuple[str, ...] = ()
    copies: int = 1


NONE = Remedies()


def remedies(
    exchange: Exchange, step: PlanStep, request: GenerateRequest, decoding: tuple[Loss, ...], encoding: tuple[Loss, ...]
) -> Remedies:
    """For the ``request`` that was encoded for ``step``, by the losses of its ``decoding`` and ``encoding``. FailureError (400):
    the call must not be made."""
    refuse_losses(exchange, (*decoding, *encoding))
    if not encoding:
        return NONE
    refuse(request, encoding, step.hosted)
    return Remedies(unsent(request, encoding), _copies(request, encoding))


def _copies(request: GenerateRequest, losses: tuple[Loss, ...]) -> int:
    if not any(loss.path == "choice_count" and loss.kind == "emulated" for loss in losses):
        return 1
    wanted = request.choice_count or 1
    if wanted > MOST_COPIES:
        told = f"{wanted} answers were asked for; this model gives one a call, and {MOST_COPIES} calls are the most."
        raise FailureError(Failure("invalid_request", told, param="n", code="too_many_choices", should_retry=False))
    return wanted
