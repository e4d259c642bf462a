"""Some upstreams repeat in an error the credential they were sent. Law: no word of a failure that holds one leaves here, neither
to the client nor into the log or the usage row."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from anykey.conversation.failures import Failure
from anykey.exchange.mishaps import AttemptFailed
from anykey.routing.plan import PlanStep

HIDDEN = b"***"
LEAST_SECRET = 12
"""Characters. What is shorter is no secret but what an open server is given (`ollama`, `lm-studio`), and a word of its errors."""


def conceal(error: AttemptFailed, step: PlanStep) -> None:
    """Take the credentials of the step's provider out of what an attempt came to."""
    error.failure = concealed_failure(error.failure, step)
    if error.spoken is not None:
        error.spoken = error.spoken._replace(body=concealed(error.spoken.body, step))


def concealed_failure(failure: Failure, step: PlanStep) -> Failure:
    """`failure` without the credentials of the step's provider."""
    told = msgspec.json.encode(failure)
    hidden = concealed(told, step)
    return failure if hidden is told else msgspec.json.decode(hidden, type=Failure)


def concealed(told: bytes, step: PlanStep) -> bytes:
    """JSON, or events of it, without the credentials of the step's provider; the same object where none is in it."""
    for secret in _secrets(step):
        if secret in told:
            told = told.replace(secret, HIDDEN)
    return told


def _secrets(step: PlanStep) -> Iterator[bytes]:
    """The credentials as they stand inside a JSON string."""
    for credential in step.endpoint.credentials:
        secret = credential.secret.reveal()
        if len(secret) >= LEAST_SECRET:
            yield msgspec.json.encode(secret)[1:-1]
