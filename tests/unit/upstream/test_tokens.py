"""Access tokens against a real server: asked for once, kept while good, refused in words that tell no secret."""

import asyncio
import logging
import ssl
from pathlib import Path

import pytest
import trustme

from anykey.providers.secret import Secret
from anykey.upstream.client import UpstreamClient
from anykey.upstream.failures import ConnectFailed, UpstreamError
from anykey.upstream.tokens import TokenRefused, TokenSource
from tests.fakes.wire import RecordedCall, Script, WireConnection, WireServer, reply_json
from tests.unit.providers.auth.keys import authorized_user

SCHEME = "google_oauth"


class Clock:
    """Seconds since 1970, moved by hand."""

    def __init__(self) -> None:
        self.now_s = 1_790_000_000.5

    def __call__(self) -> float:
        return self.now_s


def _grants(lives_s: int = 3600) -> Script:
    """Each call gets another token: t-0, t-1 …"""
    given = iter(range(1000))

    async def script(_call: RecordedCall, connection: WireConnection) -> None:
        await connection.json(200, {"access_token": f"t-{next(given)}", "expires_in": lives_s, "token_type": "Bearer"})

    return script


def _user(server: WireServer, name: str = "r3fresh") -> Secret:
    return authorized_user(token_uri=f"{server.url}/token", refresh_token=name)


async def _token(tokens: TokenSource, credential: Secret) -> str:
    return (await tokens.get(SCHEME, credential)).reveal()


async def _refusal(tokens: TokenSource, credential: Secret) -> TokenRefused:
    with pytest.raises(TokenRefused) as caught:
        await tokens.get(SCHEME, credential)
    return caught.value


async def test_a_token_is_kept_until_a_minute_before_its_end(client: UpstreamClient) -> None:
    clock = Clock()
    tokens = TokenSource(client, clock)
    async with WireServer(_grants()) as server:
        assert await _token(tokens, _user(server)) == "t-0"
        clock.now_s += 3539
        assert await _token(tokens, _user(server)) == "t-0"
        clock.now_s += 1
        assert await _token(tokens, _user(server)) == "t-1"
        assert await _token(tokens, _user(server, "other")) == "t-2"
    assert [(call.method, call.target) for call in server.calls] == [("POST", "/token")] * 3
    assert b"refresh_token=r3fresh" in server.calls[0].body


async def test_a_token_that_lives_less_than_a_minute_is_used_once(client: UpstreamClient) -> None:
    tokens = TokenSource(client, Clock())
    async with WireServer(_grants(lives_s=30)) as server:
        assert [await _token(tokens, _user(server)) for _ in range(2)] == ["t-0", "t-1"]


async def test_many_who_want_one_send_one_request(client: UpstreamClient) -> None:
    tokens = TokenSource(client, Clock())
    async with WireServer(_grants()) as server:
        many = await asyncio.gather(*(_token(tokens, _user(server)) for _ in range(50)))
    assert set(many) == {"t-0"}
    assert len(server.calls) == 1


async def test_who_began_a_request_may_leave(client: UpstreamClient) -> None:
    asked, go_on = asyncio.Event(), asyncio.Event()

    async def slow(_call: RecordedCall, connection: WireConnection) -> None:
        asked.set()
        await go_on.wait()
        await connection.json(200, {"access_token": "t-slow", "expires_in": 3600})

    tokens = TokenSource(client, Clock())
    async with WireServer(slow) as server:
        first = asyncio.create_task(_token(tokens, _user(server)))
        second = asyncio.create_task(_token(tokens, _user(server)))
        await asked.wait()
        first.cancel()
        go_on.set()
        assert await second == "t-slow"
        assert first.cancelled()
    assert len(server.calls) == 1


async def test_a_request_that_nobody_waits_for_may_fail(
    client: UpstreamClient, caplog: pytest.LogCaptureFixture
) -> None:
    asked, go_on = asyncio.Event(), asyncio.Event()

    async def broken(_call: RecordedCall, connection: WireConnection) -> None:
        asked.set()
        await go_on.wait()
        connection.reset()

    tokens = TokenSource(client, Clock())
    async with WireServer(broken) as server:
        waiting = asyncio.create_task(_token(tokens, _user(server)))
        await asked.wait()
        waiting.cancel()
        go_on.set()
        async with asyncio.timeout(1):
            while client.open_count:
                await asyncio.sleep(0.005)
        server.script = _grants()
        assert await _token(tokens, _user(server)) == "t-0"
    assert not caplog.records


async def test_a_refusal_stands_for_five_seconds(client: UpstreamClient) -> None:
    clock = Clock()
    tokens = TokenSource(client, clock)
    async with WireServer(
        reply_json({"error": "invalid_grant", "error_description": "r3fresh was revoked"}, 400)
    ) as server:
        refused = await _refusal(tokens, _user(server))
        assert refused.status == 400
        assert str(refused).startswith(f"127.0.0.1:{server.port} gives no access token: invalid_grant, ")
        clock.now_s += 4.9
        assert str(await _refusal(tokens, _user(server))) == str(refused)
        assert len(server.calls) == 1
        server.script = _grants()
        clock.now_s += 0.1
        assert await _token(tokens, _user(server)) == "t-0"


@pytest.mark.parametrize(
    ("status", "reply", "said"),
    [
        (401, {"error": "r3fresh"}, "it answers with status 401"),
        (403, {"error": {"message": "r3fresh"}}, "it answers with status 403"),
        (503, ["r3fresh"], "it answers with status 503"),
        (302, {}, "it answers with status 302"),
        (200, {"error": "r3fresh"}, "the reply holds no access token"),
        (200, {"access_token": "r3fresh\n"}, "fits into no header"),
    ],
)
async def test_a_refusal_repeats_nothing_of_the_reply(
    client: UpstreamClient, caplog: pytest.LogCaptureFixture, status: int, reply: object, said: str
) -> None:
    caplog.set_level(logging.DEBUG)
    tokens = TokenSource(client, Clock())
    async with WireServer(reply_json(reply, status)) as server:
        refused = await _refusal(tokens, _user(server))
    assert said in str(refused)
    assert refused.status == status
    assert "r3fresh" not in repr(refused) + caplog.text


async def test_an_address_that_is_not_googles_is_never_asked(client: UpstreamClient) -> None:
    refused = await _refusal(TokenSource(client, Clock()), authorized_user(token_uri="https://evil.test/token"))
    assert (refused.status, str(refused)) == (0, "the credential's token_uri is not an https address of Google's")
    assert client.open_count == 0


async def test_nobody_there_is_a_fault_of_the_network_and_asked_again(client: UpstreamClient) -> None:
    tokens = TokenSource(client, Clock())
    async with WireServer(_grants()) as server:
        port = server.port
    credential = authorized_user(token_uri=f"http://127.0.0.1:{port}/token")
    for _ in range(2):
        with pytest.raises(ConnectFailed):
            await tokens.get(SCHEME, credential)


async def test_a_reply_without_end_is_not_read(client: UpstreamClient) -> None:
    tokens = TokenSource(client, Clock())
    async with WireServer(reply_json({"access_token": "t" * 100_000})) as server:
        with pytest.raises(UpstreamError, match="over 65536 bytes"):
            await tokens.get(SCHEME, _user(server))


async def test_a_token_that_is_forgotten_is_asked_for_anew(client: UpstreamClient) -> None:
    tokens = TokenSource(client, Clock())
    async with WireServer(_grants()) as server:
        assert await _token(tokens, _user(server)) == "t-0"
        tokens.forget(SCHEME, _user(server))
        tokens.forget(SCHEME, _user(server))
        assert await _token(tokens, _user(server)) == "t-1"


async def test_a_scheme_without_tokens(client: UpstreamClient) -> None:
    with pytest.raises(ValueError, match="bearer has no access tokens"):
        await TokenSource(client, Clock()).get("bearer", Secret("k-1"))


async def test_over_tls(tmp_path: Path) -> None:
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)  # pyright: ignore[reportUnknownMemberType] - it names pyOpenSSL
    client = UpstreamClient(ca_file=tmp_path / "ca.pem")
    async with WireServer(_grants(), tls=context) as server:
        assert await _token(TokenSource(client, Clock()), _user(server)) == "t-0"
    await client.aclose()
