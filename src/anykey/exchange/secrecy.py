"""Some upstreams repeat in an error the credential they were sent. Law: it leaves here with no failure, neither to the client nor
into the log or the usage row. One gap: of a verbatim stream that has begun, an error that comes in pieces is relayed so."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from anykey.conversation.failures import Failure
from anykey.exchange.mishaps import AttemptFailed
from anykey.providers.secret import Secret
from anykey.routing.plan import PlanStep

HIDDEN = b"***"
LEAST_SECRET = 12
"""Characters. What is shorter is no secret but what an open server is given (`ollama`, `lm-studio`), and a word of its errors."""


def conceal(error: AttemptFailed, step: PlanStep, brought: Secret | None = None) -> None:
    """Take the credentials of the step's provider out of what an attempt came to, and the one that the caller `brought`."""
    error.failure = concealed_failure(error.failure, step, brought)
    if error.spoken is not None:
        error.spoken = error.spoken._replace(body=concealed(error.spoken.body, step, brought))


def concealed_failure(failure: Failure, step: PlanStep, brought: Secret | None = None) -> Failure:
    """`failure` without those credentials."""
    told = msgspec.json.encode(failure)
    hidden = concealed(told, step, brought)
    return failure if hidden is told else msgspec.json.decode(hidden, type=Failure)


def concealed(told: bytes, step: PlanStep, brought: Secret | None = None) -> bytes:
    """JSON, or events of it, without those credentials; the same object where none is in it."""
    for secret in _secrets(step, brought):
        if secret in told:
            told = told.replace(secret, HIDDEN)
    return told


def _secrets(step: PlanStep, brought: Secret | None) -> Iterator[bytes]:
    """The credentials as they stand inside a JSON string."""
    held = [credential.secret for credential in step.endpoint.credentials]
    for one in held if brought is None else (*held, brought):
        secret = one.reveal()
        if len(secret) >= LEAST_SECRET:
            yield msgspec.json.encode(secret)[1:-1]
