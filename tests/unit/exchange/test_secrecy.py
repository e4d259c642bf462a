import json

import pytest

from anykey.conversation.failures import Failure
from anykey.exchange.mishaps import AttemptFailed
from anykey.exchange.secrecy import conceal, concealed, concealed_failure
from anykey.protocols.codec import HttpReply
from anykey.protocols.hosted import HostedRule
from anykey.providers.configured import StoredCredential, Timeouts
from anykey.providers.secret import Secret
from anykey.routing.plan import PlanStep
from anykey.routing.snapshot import Deployment, Endpoint

SECRET = "sk-not-for-anybody"


def step(*secrets: str) -> PlanStep:
    """A step whose provider has these credentials."""
    credentials = tuple(StoredCredential(f"lab#{at}", Secret(secret)) for at, secret in enumerate(secrets))
    endpoint = Endpoint(
        "lab", "openai_chat", "http://lab/", False, None, (), (), Timeouts(), {}, credentials=credentials
    )
    return PlanStep(
        Deployment("lab/m", "lab", "m", {"openai_chat": endpoint}),
        endpoint,
        "verbatim",
        HostedRule("drop", "m", "models.m.hosted"),
    )


def test_a_failure_is_told_without_the_credential() -> None:
    said = Failure(
        "unavailable",
        f"no: {SECRET}",
        code=f"bad {SECRET}",
        retry_after_s=2.5,
        upstream_status=503,
        detail={"key": [SECRET]},
    )
    told = concealed_failure(said, step("another-long-secret", SECRET))
    assert told == Failure(
        "unavailable", "no: ***", code="bad ***", retry_after_s=2.5, upstream_status=503, detail={"key": ["***"]}
    )


def test_the_upstreams_own_words_too() -> None:
    body = json.dumps({"error": {"message": f"the key {SECRET}"}}).encode()
    error = AttemptFailed(Failure("invalid_request", f"the key {SECRET}"), HttpReply(400, ((b"a", b"b"),), body))
    conceal(error, step(SECRET))
    assert error.failure.message == "the key ***"
    assert error.spoken == HttpReply(400, ((b"a", b"b"),), b'{"error": {"message": "the key ***"}}')


def test_a_credential_is_found_as_json_spells_it() -> None:
    secret = 'with "quotes" in it'
    assert concealed(json.dumps(secret).encode(), step(secret)) == b'"***"'


@pytest.mark.parametrize("secrets", [(), ("ollama",), (SECRET,)])
def test_what_holds_no_secret_stays_the_same_object(secrets: tuple[str, ...]) -> None:
    body = b"ollama has no such model"
    failure = Failure("model_not_found", body.decode())
    assert concealed(body, step(*secrets)) is body
    assert concealed_failure(failure, step(*secrets)) is failure
