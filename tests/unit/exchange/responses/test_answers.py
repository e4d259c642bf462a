"""How verbs answer: known keys only, every failure in OpenAI's shape, parameters read or refused by name."""

from typing import Any

import pytest

from anykey.accounts.keys import ApiKey
from anykey.conversation.failures import FailureError, invalid
from anykey.exchange.exchange import Exchange, Inbound
from anykey.exchange.ports import Headers
from anykey.exchange.responses import answers as module
from anykey.exchange.responses.answers import Asking, Query, Target, answered, not_found, read_body
from anykey.protocols.catalog import CODECS
from anykey.storage.errors import DatabaseError
from tests.unit.exchange.responses.remembering import MINE, gateway_with, remembering


class Client:
    """What a client was told."""

    started = False
    gone = False
    status = 0
    body = b""
    headers: Headers = ()

    async def start(self, status: int, headers: Headers) -> None:
        raise AssertionError("nothing is streamed here")

    async def write(self, data: bytes) -> None:
        raise AssertionError("nothing is streamed here")

    async def end(self) -> None:
        raise AssertionError("nothing is streamed here")

    async def whole(self, status: int, headers: Headers, body: bytes) -> None:
        self.status, self.headers, self.body = status, headers, body


def exchange(body: bytes = b"") -> Exchange:
    return Exchange("req_1", Inbound(CODECS["openai_chat"], (), body, "test"), 0.0, 0)


def known(*_: object) -> ApiKey:
    return MINE


async def told(raised: Exception | None, tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> Client:
    async def work(asking: Asking) -> bytes:
        assert (asking.key, asking.target.id) == (MINE, "x")
        if raised is not None:
            raise raised
        return b'{"ok":true}'

    monkeypatch.setattr(module, "authenticate", known)
    client = Client()
    async with remembering(tmp_path) as memory:
        await answered(work)(exchange(), client, gateway_with(memory), Target("x"))
    return client


@pytest.mark.parametrize(
    ("raised", "status", "said"),
    [
        (None, 200, b'{"ok":true}'),
        (not_found("Response", "resp_1"), 404, b"Response with id 'resp_1' not found."),
        (invalid("too long", "metadata"), 400, b"too long"),
        (DatabaseError("disk full"), 503, b"cannot read what it keeps"),
        (ZeroDivisionError("secret"), 500, b"its log has the details"),
    ],
)
async def test_every_end_is_told(
    tmp_path: Any, monkeypatch: pytest.MonkeyPatch, raised: Exception | None, status: int, said: bytes
) -> None:
    client = await told(raised, tmp_path, monkeypatch)
    assert (client.status, said in client.body, b"secret" in client.body) == (status, True, False)
    assert (b"x-anykey-request-id", b"req_1") in client.headers


async def test_without_a_memory_the_setting_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    async def work(_: Asking) -> bytes:
        raise AssertionError("must not be asked")

    monkeypatch.setattr(module, "authenticate", known)
    client = Client()
    await answered(work)(exchange(), client, gateway_with(None), Target("x"))
    assert (client.status, b"[responses] store is false" in client.body) == (400, True)


def test_a_query_is_read() -> None:
    query = Query(b"stream=true&starting_after=7&order=asc&limit=3&after=msg_1&name=a%20b")
    assert (query.flag("stream"), query.flag("other"), query.number("starting_after")) == (True, False, 7)
    page = query.page()
    assert (page.order, page.limit, page.after) == ("asc", 3, "msg_1")
    assert (query.text("name"), query.text("none"), query.number("none")) == ("a b", None, None)
    plain = Query(b"").page()
    assert (plain.order, plain.limit, plain.after) == ("desc", 20, None)


@pytest.mark.parametrize("text", [b"limit=0", b"limit=101", b"limit=x", b"order=up"])
def test_a_parameter_that_cannot_be_read_is_named(text: bytes) -> None:
    with pytest.raises(FailureError) as refused:
        Query(text).page()
    assert refused.value.failure.param == text.split(b"=")[0].decode()


def test_a_body_is_an_object_or_nothing() -> None:
    assert read_body(exchange(b"")) == {}
    assert bytes(read_body(exchange(b'{"a": 1}'))["a"]) == b"1"
    for body in (b"[]", b"{", b"5"):
        with pytest.raises(FailureError):
            read_body(exchange(body))
