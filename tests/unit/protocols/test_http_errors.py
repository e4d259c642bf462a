"""What the errors of every protocol share."""

import pytest

from anykey.conversation.failures import Failure
from anykey.conversation.parts import Json
from anykey.protocols.codec import Headers
from anykey.protocols.http_errors import account_fault, refusal_headers, retry_after

DATE = (b"date", b"Sat, 21 Nov 2026 10:00:00 GMT")
GOOGLE: Json = {"details": [{"@type": "x"}, "odd", {"@type": "RetryInfo", "retryDelay": "48.5s"}]}


@pytest.mark.parametrize(
    ("headers", "detail", "seconds"),
    [
        ([], None, None),
        ([(b"retry-after", b"3")], None, 3.0),
        ([(b"retry-after", b"9"), (b"retry-after-ms", b"1500")], None, 1.5),
        ([(b"retry-after", b"Sat, 21 Nov 2026 10:00:30 GMT"), DATE], None, 30.0),
        ([(b"retry-after", b"Sat, 21 Nov 2026 09:00:00 GMT"), DATE], None, 0.0),
        ([(b"retry-after", b"Sat, 21 Nov 2026 10:00:30 GMT")], None, None),
        ([(b"retry-after", b"soon")], None, None),
        ([(b"retry-after", b"-1")], None, None),
        ([(b"retry-after-ms", b"nan")], None, None),
        ([], GOOGLE, 48.5),
        ([], {"details": "none"}, None),
    ],
)
def test_how_long_to_wait(headers: Headers, detail: Json | None, seconds: float | None) -> None:
    assert retry_after(headers, detail) == seconds


def test_a_fault_of_our_account_is_told_in_our_words() -> None:
    assert account_fault("upstream_refused_credential", 403) == (
        "The gateway's credential for this provider was refused (HTTP 403)."
    )
    assert account_fault("quota_exhausted", None) == "The gateway's account at this provider has no quota left."
    assert account_fault("rate_limited", 429) is None


@pytest.mark.parametrize(
    ("failure", "permanent", "added"),
    [
        (Failure("rate_limited", "x", retry_after_s=1.2), False, [(b"retry-after", b"2")]),
        (Failure("rate_limited", "x", should_retry=True), False, [(b"x-should-retry", b"true")]),
        (Failure("rate_limited", "x", should_retry=False), False, [(b"x-should-retry", b"false")]),
        (Failure("authentication", "x"), True, [(b"x-should-retry", b"false")]),
        (Failure("internal", "x"), False, []),
    ],
)
def test_refusal_headers(failure: Failure, permanent: bool, added: list[tuple[bytes, bytes]]) -> None:
    headers = refusal_headers(failure, b"request-id", "req_1", permanent=permanent)
    assert list(headers) == [
        (b"content-type", b"application/json"),
        (b"request-id", b"req_1"),
        (b"x-anykey-request-id", b"req_1"),
        *added,
    ]
