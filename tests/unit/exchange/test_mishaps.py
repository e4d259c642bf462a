"""What an attempt's end means: for the client, and for the next deployment."""

import logging

import pytest

from anykey.conversation.failures import Failure, FailureKind
from anykey.exchange.mishaps import (
    AttemptFailed,
    cut_short,
    is_cut,
    may_go_elsewhere,
    network_failure,
    refuses_state,
    unreadable,
)
from anykey.upstream.failures import (
    BodyTooLarge,
    ConnectFailed,
    ConnectionLost,
    ConnectTimeout,
    FirstByteTimeout,
    FramingBroken,
    IdleTimeout,
    NameNotResolved,
    ProxyFailed,
    TlsFailed,
    TotalTimeout,
    UpstreamError,
)


@pytest.mark.parametrize("kind", [ConnectTimeout, FirstByteTimeout, IdleTimeout, TotalTimeout])
def test_a_time_that_passed_is_a_timeout(kind: type[UpstreamError]) -> None:
    assert network_failure(kind("late", response_started=False), "lab").kind == "upstream_timeout"


@pytest.mark.parametrize(
    "kind", [NameNotResolved, ConnectFailed, TlsFailed, ProxyFailed, ConnectionLost, FramingBroken, BodyTooLarge]
)
def test_any_other_fault_of_the_network_is_the_upstreams(kind: type[UpstreamError]) -> None:
    failure = network_failure(kind("10.1.2.3:443 broke", response_started=True), "lab")
    assert (failure.kind, failure.fault) == ("upstream_error", "upstream")
    assert may_go_elsewhere(failure)


@pytest.mark.parametrize("kind", UpstreamError.__subclasses__())
def test_the_client_reads_the_providers_name_and_the_log_its_address(
    kind: type[UpstreamError], caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO):
        message = network_failure(kind("10.1.2.3:443 broke", response_started=True), "lab").message
    assert message.startswith("The provider lab ")
    assert "10.1.2.3" not in message
    assert "10.1.2.3:443 broke" in caplog.text


@pytest.mark.parametrize(
    ("kind", "elsewhere"),
    [
        ("rate_limited", True),
        ("overloaded", True),
        ("unavailable", True),
        ("upstream_timeout", True),
        ("upstream_refused_credential", True),
        ("quota_exhausted", True),
        ("model_not_found", True),
        ("invalid_request", False),
        ("context_too_long", False),
        ("content_blocked", False),
        ("too_large", False),
        ("internal", False),
    ],
)
def test_what_the_next_deployment_may_do_better(kind: FailureKind, elsewhere: bool) -> None:
    assert may_go_elsewhere(Failure(kind, "why")) is elsewhere


def test_a_cut_and_an_unreadable_answer_name_the_provider() -> None:
    assert "lab" in cut_short("lab").message
    assert "lab" in unreadable("lab").message
    assert str(AttemptFailed(cut_short("lab"))) == cut_short("lab").message


@pytest.mark.parametrize(
    "message",
    [
        "messages.3.content.0: Invalid `signature` in `thinking` block",
        "messages.1.content.0: Invalid `data` in `redacted_thinking` block",
        "`thinking` or `redacted_thinking` blocks in the latest assistant message cannot be modified.",
        "The encrypted content for item rs_0 could not be verified.",
        "Could not decrypt the provided encrypted_content.",
        "Thought signature is not valid.",
        "Item 'rs_0' of type 'reasoning' was provided without its required following item.",
        "Item with id 'rs_0a1' not found. Items are not persisted when `store` is set to false.",
        "This thinking block is bound to another organization.",
    ],
)
def test_an_upstream_refuses_state_in_many_words(message: str) -> None:
    assert refuses_state(Failure("invalid_request", message, upstream_status=400))
    assert refuses_state(Failure("invalid_request", message))  # told inside a stream
    assert not refuses_state(Failure("overloaded", message, upstream_status=529))


def test_the_code_may_say_it() -> None:
    code = "invalid_encrypted_content"
    assert refuses_state(Failure("invalid_request", "No.", code=code, upstream_status=400))


@pytest.mark.parametrize(
    "message", ["max_tokens: too large", "messages: at least one message is required", "no such tool"]
)
def test_another_refusal_is_not_about_state(message: str) -> None:
    assert not refuses_state(Failure("invalid_request", message, upstream_status=400))


@pytest.mark.parametrize(
    ("body", "cut"),
    [
        (b"", True),
        (b" \n", True),
        (b'{"id":"x","choices":[{"me', True),
        (b"[{", True),
        (b'{"ok":true}', False),
        (b"<!doctype html>", False),
        (b"upstream connect error", False),
    ],
)
def test_half_an_answer_is_not_what_somebody_else_says(body: bytes, cut: bool) -> None:
    assert is_cut(body) is cut
