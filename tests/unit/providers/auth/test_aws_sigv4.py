"""SigV4 against AWS's own signer, byte for byte, and the regions that hosts name."""

from collections.abc import Generator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any
from unittest.mock import patch
from urllib.parse import quote

import pytest
from botocore.auth import SigV4Auth  # pyright: ignore[reportMissingTypeStubs] - it ships none
from botocore.awsrequest import AWSRequest  # pyright: ignore[reportMissingTypeStubs]
from botocore.credentials import Credentials  # pyright: ignore[reportMissingTypeStubs]
from hypothesis import given, settings
from hypothesis import strategies as st

from anykey.providers.auth import SCHEMES, aws_sigv4
from anykey.providers.auth.aws_sigv4 import KeySet, region_of
from anykey.providers.auth.scheme import SignedCall
from anykey.providers.secret import Secret

HOST = "https://bedrock-runtime.us-east-1.amazonaws.com"
LASTING = Secret("AKIDEXAMPLE:wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY")
SESSION = Secret(LASTING.reveal() + ":IQoJb3JpZ2luX2VjE//+token==")
MODEL = "/model/anthropic.claude-opus-5-20260101-v1%3A0/converse"


def _on_the_wire(text: str) -> str:
    """A path as callers encode it: more or less, but visible ASCII."""
    return quote(text, safe="%/:=@+~")


_segments = st.text("abZ09-_.~:%/ é+=@$&,;!*'()", max_size=12).map(_on_the_wire)
_words = st.text("abZ09-_.~", min_size=1, max_size=5) | st.sampled_from(["a%2Fb", "%3A", "x%20y", "a"])
_pairs = st.lists(st.tuples(_words, st.none() | _words | st.just("")), max_size=4)
_values = st.text("ab 1/;=,", max_size=12)
_headers = st.lists(
    st.tuples(
        st.sampled_from(["content-type", "x-amz-target", "x-amz-meta-b", "user-agent", "x-amzn-trace-id"]), _values
    ),
    max_size=4,
    unique_by=lambda pair: pair[0],
)


@contextmanager
def _at(seconds: int) -> Generator[None]:
    with patch("botocore.auth.get_current_datetime", lambda: datetime.fromtimestamp(seconds, UTC)):
        yield


def _as_botocore_signs(credential: Secret, call: SignedCall, region: str) -> dict[bytes, bytes]:
    request: Any = AWSRequest(
        method=call.method,
        url=call.url,
        headers={name.decode(): value.decode() for name, value in call.headers},
        data=call.body,
    )
    signer: Any = SigV4Auth(Credentials(*credential.reveal().split(":")), call.service, region)
    with _at(call.at_s):
        signer.add_auth(request)
    return {
        name.encode(): request.headers[name].encode()
        for name in ("authorization", "x-amz-date", "x-amz-security-token")
        if name in request.headers
    }


@settings(max_examples=200, deadline=None)
@given(
    credential=st.sampled_from([LASTING, SESSION]),
    method=st.sampled_from(["POST", "GET"]),
    host=st.sampled_from([HOST, "https://BEDROCK-runtime.eu-west-3.amazonaws.com:8443", "http://[::1]:9000"]),
    path=st.lists(_segments, max_size=4).map(lambda parts: "".join(f"/{part}" for part in parts)) | st.just(MODEL),
    query=_pairs,
    headers=_headers,
    body=st.binary(max_size=64),
    at_s=st.integers(0, 4_000_000_000),
)
def test_it_signs_as_awss_own_signer(
    credential: Secret,
    method: str,
    host: str,
    path: str,
    query: list[tuple[str, str | None]],
    headers: list[tuple[str, str]],
    body: bytes,
    at_s: int,
) -> None:
    text = "&".join(name if value is None else f"{name}={value}" for name, value in query)
    url = host + path + (f"?{text}" if text else "")
    pairs = tuple((name.encode(), value.encode()) for name, value in headers)
    call = SignedCall(method, url, pairs, body, at_s, region="ap-southeast-1")
    assert dict(aws_sigv4.sign(credential, call)) == _as_botocore_signs(credential, call, "ap-southeast-1")


def test_the_order_and_names_of_what_is_added() -> None:
    call = SignedCall("POST", HOST + MODEL, ((b"content-type", b"application/json"),), b"{}", 1_790_000_000)
    (first, authorization), (date, stamp) = aws_sigv4.sign(LASTING, call)
    assert (first, date, stamp) == (b"authorization", b"x-amz-date", b"20260921T141320Z")
    assert authorization.startswith(
        b"AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20260921/us-east-1/bedrock/aws4_request, "
        b"SignedHeaders=content-type;host;x-amz-date, Signature="
    )


def test_an_old_date_or_token_among_the_headers_is_replaced() -> None:
    stale = ((b"x-amz-date", b"20200101T000000Z"), (b"x-amz-security-token", b"old"))
    call = SignedCall("POST", HOST + MODEL, (), b"{}", 1_790_000_000)
    assert aws_sigv4.sign(SESSION, call._replace(headers=stale)) == aws_sigv4.sign(SESSION, call)


def test_nothing_of_the_credential_is_the_same_for_every_call() -> None:
    assert aws_sigv4.headers(SESSION) == ()
    assert SCHEMES["aws_sigv4"].sign is aws_sigv4.sign


def test_the_secret_key_is_neither_sent_nor_shown() -> None:
    sent = aws_sigv4.sign(SESSION, SignedCall("POST", HOST + MODEL, (), b"", 0))
    assert b"wJalr" not in b"".join(value for _, value in sent)
    assert "wJalr" not in repr(KeySet("AKID", "wJalr"))


@pytest.mark.parametrize(
    ("host", "region"),
    [
        ("bedrock-runtime.us-east-1.amazonaws.com", "us-east-1"),
        ("bedrock-runtime-fips.us-gov-west-1.amazonaws.com", "us-gov-west-1"),
        ("bedrock-runtime.cn-north-1.amazonaws.com.cn", "cn-north-1"),
        ("bedrock-runtime.ap-southeast-2.api.aws", "ap-southeast-2"),
        ("vpce-0a1-b2.bedrock-runtime.eu-central-1.vpce.amazonaws.com", "eu-central-1"),
    ],
)
def test_regions_of_hosts(host: str, region: str) -> None:
    assert region_of(f"https://{host}/model/x/converse") == region


@pytest.mark.parametrize("host", ["127.0.0.1", "bedrock.lab.test", "amazonaws.com", "us-east-1.amazonaws.com.lab.test"])
def test_a_host_without_a_region_needs_a_configured_one(host: str) -> None:
    call = SignedCall("POST", f"https://{host}/model/x?s3cret", (), b"", 0)
    with pytest.raises(ValueError, match=f"{host} names no AWS region") as caught:
        aws_sigv4.sign(LASTING, call)
    assert "s3cret" not in str(caught.value)
    assert b"/eu-west-1/bedrock/" in aws_sigv4.sign(LASTING, call._replace(region="eu-west-1"))[0][1]


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("AKID:secret/+", None),
        ("AKID:secret:token==", None),
        ("AKID", "settings.bad_aws_credential"),
        ("AKID:", "settings.bad_aws_credential"),
        (":secret", "settings.bad_aws_credential"),
        ("AKID:secret:", "settings.bad_aws_credential"),
        ("a:b:c:d", "settings.bad_aws_credential"),
        ("AKID:sec ret", "settings.bad_credential"),
    ],
)
def test_faults(text: str, fault: str | None) -> None:
    assert aws_sigv4.fault(text) == fault
