"""The key in the query: encoded, on the wire, and nowhere else."""

import logging

import pytest

from anykey.providers.auth import query_key
from anykey.providers.configured import Timeouts
from anykey.providers.secret import Secret
from anykey.upstream.client import UpstreamClient
from anykey.upstream.failures import UpstreamError
from anykey.upstream.records import Call
from tests.fakes.wire import RecordedCall, WireConnection, WireServer

KEY = Secret("AIza+SyD/k-1&x=y")


def test_no_header_and_an_encoded_query() -> None:
    assert query_key.headers(KEY) == ()
    assert query_key.query(KEY) == "key=AIza%2BSyD%2Fk-1%26x%3Dy"


async def _answers_nothing(_call: RecordedCall, connection: WireConnection) -> None:
    connection.reset()


async def test_a_call_that_fails_does_not_tell_the_key(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    client = UpstreamClient()
    said: list[str] = []
    async with WireServer(_answers_nothing) as server:
        reached = Call("POST", f"{server.url}/v1?{query_key.query(KEY)}", (), b"{}", Timeouts(connect_s=1))
        unreached = Call("POST", f"http://127.0.0.1:1/v1?{query_key.query(KEY)}", (), b"{}", Timeouts(connect_s=1))
        for call in (reached, unreached):
            with pytest.raises(UpstreamError) as caught:
                await client.send(call)
            said += [repr(call), str(caught.value), repr(caught.value)]
    await client.aclose()
    assert server.calls[0].target == "/v1?key=AIza%2BSyD%2Fk-1%26x%3Dy"
    assert "SyD" not in "".join(said) + caplog.text
