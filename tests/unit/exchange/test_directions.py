"""Headers that direct a call: ours and Portkey's, what each may say, and what is refused by its name."""

import pytest

from anykey.conversation.failures import FailureError
from anykey.exchange.directions import NO_DIRECTIONS, directions_of
from anykey.protocols.codec import Headers
from anykey.providers.secret import Secret

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"


def headers(**said: str) -> Headers:
    """`x_anykey_provider="…"` as a header."""
    return tuple((name.replace("_", "-").encode(), value.encode()) for name, value in said.items())


def test_a_call_without_any_has_none() -> None:
    plain = headers(authorization="Bearer ak-1", user_agent="x", x_portkey_strict_open_ai_compliance="false")
    assert directions_of(plain, admin=False) is NO_DIRECTIONS
    assert not NO_DIRECTIONS.steers


@pytest.mark.parametrize("family", ["x_anykey_", "x_portkey_"])
def test_both_families_say_the_same(family: str) -> None:
    region = "byteplus_region" if family == "x_portkey_" else "region"
    timeout = "request_timeout" if family == "x_portkey_" else "timeout"
    said = {
        "provider": "@byteplus",
        "config": "prod@3",
        "metadata": '{"team": "search", "seats": 3, "beta": true, "none": null}',
        "trace_id": "trace-7",
        region: "eu-west-1",
        timeout: "2500",
    }
    found = directions_of(headers(**{family + name: value for name, value in said.items()}), admin=False)
    assert (found.provider, found.config, found.trace_id, found.region) == (
        "@byteplus",
        "prod@3",
        "trace-7",
        "eu-west-1",
    )
    assert found.metadata == {"team": "search", "seats": "3", "beta": "true"}
    assert found.timeout_s == 2.5
    assert found.steers
    assert not found.inline
    assert not found.names_hosts


def test_ours_wins_and_portkeys_older_word_is_understood() -> None:
    both = headers(x_portkey_provider="b", x_anykey_provider="a")
    assert directions_of(both, admin=False).provider == "a"
    assert directions_of(headers(x_portkey_virtual_key="openai-1"), admin=False).provider == "openai-1"


def test_a_trace_alone_does_not_steer() -> None:
    found = directions_of(headers(traceparent=f"00-{TRACE}-00f067aa0ba902b7-01"), admin=False)
    assert found.trace_id == TRACE
    assert not found.steers


@pytest.mark.parametrize(
    "value",
    ["", "garbage", f"ff-{TRACE}-00f067aa0ba902b7-01", f"00-{'0' * 32}-00f067aa0ba902b7-01", f"00-{TRACE}-{'0' * 16}-01",
     f"00-{TRACE.upper()}-00f067aa0ba902b7-01"],
)  # fmt: skip
def test_a_malformed_traceparent_is_ignored(value: str) -> None:
    assert directions_of(headers(traceparent=value), admin=False).trace_id is None


def test_our_trace_id_goes_before_the_traceparent() -> None:
    both = headers(traceparent=f"00-{TRACE}-00f067aa0ba902b7-01", x_portkey_trace_id="mine")
    assert directions_of(both, admin=False).trace_id == "mine"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("x-anykey-provider", "a/b"),
        ("x-anykey-provider", "../x"),
        ("x-portkey-provider", "a" * 101),
        ("x-anykey-config", "not a name"),
        ("x-anykey-config", "prod@0"),
        ("x-anykey-config", "[1]"),
        ("x-anykey-metadata", "[1]"),
        ("x-anykey-metadata", "{"),
        ("x-portkey-metadata", '{"a": {"b": 1}}'),
        ("x-anykey-metadata", '{"a": "' + "x" * 513 + '"}'),
        ("x-anykey-metadata", '{"' + "k" * 65 + '": "v"}'),
        ("x-anykey-metadata", "{" + ",".join(f'"k{n}": "v"' for n in range(17)) + "}"),
        ("x-anykey-trace-id", "two words"),
        ("x-anykey-trace-id", "t" * 129),
        ("x-anykey-region", "eu west"),
        ("x-anykey-timeout", "0"),
        ("x-anykey-timeout", "1.5"),
        ("x-portkey-request-timeout", "999999999"),
        ("x-anykey-upstream-key", "a b"),
    ],
)
def test_a_bad_value_is_a_400_that_names_its_header(name: str, value: str) -> None:
    with pytest.raises(FailureError) as refused:
        directions_of(((name.encode(), value.encode()),), admin=True)
    assert (refused.value.failure.kind, refused.value.failure.param) == ("invalid_request", name)
    assert refused.value.failure.message.startswith(name)


def test_a_value_that_is_no_text() -> None:
    with pytest.raises(FailureError, match="UTF-8"):
        directions_of(((b"x-anykey-metadata", b'{"a": "\xff"}'),), admin=False)


def test_a_custom_host_is_an_admins() -> None:
    said = headers(x_portkey_custom_host="https://api.example.com/v1/", x_portkey_provider="openai")
    with pytest.raises(FailureError) as refused:
        directions_of(said, admin=False)
    assert (refused.value.failure.kind, refused.value.failure.param) == ("permission", "x-portkey-custom-host")
    found = directions_of(said, admin=True)
    assert (found.custom_host, found.provider, found.names_hosts) == ("https://api.example.com/v1", "openai", True)


@pytest.mark.parametrize(
    "host", ["http://api.example.com", "https://127.0.0.1:1", "https://10.0.0.1", "https://u:p@example.com"]
)
def test_no_admin_reaches_into_the_network(host: str) -> None:
    with pytest.raises(FailureError) as refused:
        directions_of(headers(x_anykey_custom_host=host), admin=True)
    assert refused.value.failure.kind == "invalid_request"


def test_a_config_and_a_host_at_once() -> None:
    with pytest.raises(FailureError, match="at once"):
        directions_of(headers(x_anykey_custom_host="https://example.com", x_anykey_config="a"), admin=True)


def test_an_inline_config_speaks_for_its_caller() -> None:
    found = directions_of(headers(x_portkey_config='{"provider": "a"}'), admin=False)
    assert found.inline
    assert found.names_hosts


def test_whose_credential_the_upstream_gets() -> None:
    host = {"x_anykey_custom_host": "https://example.com"}
    portkey = {"x_portkey_api_key": "ak-1", "authorization": "Bearer sk-theirs"}
    assert directions_of(headers(**host, **portkey), admin=True).upstream_key == Secret("sk-theirs")
    ours = {"x_portkey_api_key": "ak-1", "authorization": "Bearer ak-1"}
    assert directions_of(headers(**host, **ours), admin=True).upstream_key is None, "a key of ours leaves for nobody"
    assert directions_of(headers(**host, authorization="Bearer sk-x"), admin=True).upstream_key is None, (
        "that is our key"
    )
    assert directions_of(headers(**portkey), admin=False).upstream_key == Secret("sk-theirs"), (
        "its key's config may name one"
    )
    dummy = {**portkey, "authorization": "Bearer OPENAI_API_KEY"}
    assert directions_of(headers(**host, **dummy), admin=True).upstream_key is None, (
        "portkey_ai sends it for want of a key"
    )
    named = directions_of(headers(**host, **portkey, x_anykey_upstream_key="sk-named"), admin=True)
    assert named.upstream_key == Secret("sk-named")
    assert "sk-named" not in repr(named)
