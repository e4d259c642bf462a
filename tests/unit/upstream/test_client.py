"""The client against a real socket: keeping, retrying and giving up connections."""

import asyncio
import socket
import time

import pytest

from anykey.providers.configured import Timeouts
from anykey.upstream.client import UpstreamClient
from anykey.upstream.failures import ConnectionLost, ConnectTimeout, ProxyFailed, TotalTimeout, UpstreamError
from anykey.upstream.proxy import Proxy, ProxySettings
from anykey.upstream.records import Call
from anykey.upstream.reply import Reply
from tests.fakes.wire import RecordedCall, WireConnection, WireServer, reply_json, reply_sse


def _call(server: WireServer, **settings: float) -> Call:
    return Call("POST", server.url + "/v1?q=1", ((b"x-a", b"1"),), b"{}", Timeouts(**settings))


async def _fetch(client: UpstreamClient, call: Call) -> bytes:
    reply = await client.send(call)
    try:
        return await reply.read(1 << 20)
    finally:
        reply.abort()


async def _fetch_two(client: UpstreamClient, server: WireServer) -> list[bytes]:
    """At the same time, so on two connections."""
    return list(await asyncio.gather(_fetch(client, _call(server)), _fetch(client, _call(server))))


async def _count_open(client: UpstreamClient, expected: int) -> None:
    """Wait for the loop to have closed what is being closed."""
    async with asyncio.timeout(1):
        while client.open_count != expected:
            await asyncio.sleep(0.005)


async def test_one_call(client: UpstreamClient) -> None:
    async with WireServer(reply_json({"ok": True})) as server:
        reply = await client.send(_call(server))
        assert reply.status == 200
        assert reply.header(b"content-type") == b"application/json"
        assert reply.header(b"x-none") is None
        assert await reply.read(100) == b'{"ok": true}'
        assert await reply.next_chunk() == b""
        reply.abort()
        assert client.idle_count == 1
    [call] = server.calls
    assert (call.method, call.target, call.body) == ("POST", "/v1?q=1", b"{}")
    assert call.headers == [
        ("host", f"127.0.0.1:{server.port}"),
        ("accept-encoding", "identity"),
        ("x-a", "1"),
        ("content-length", "2"),
    ]


async def test_connections_are_kept_and_the_last_used_goes_first(client: UpstreamClient) -> None:
    async with WireServer(reply_sse("data: 1\n\n")) as server:
        assert await _fetch_two(client, server) == [b"data: 1\n\n"] * 2
        assert client.idle_count == 2
        await _fetch(client, _call(server))
        await _fetch(client, _call(server))
        assert [call.connection for call in server.calls] == [0, 1, 1, 1]


async def test_no_more_than_max_idle_and_the_oldest_goes() -> None:
    client = UpstreamClient(max_idle=1)
    async with WireServer(reply_sse("data: 1\n\n")) as server:
        await _fetch_two(client, server)
        assert client.idle_count == 1
        assert await server.connections[0].client_gone(1) is not None
        await _fetch(client, _call(server))
        assert server.calls[-1].connection == 1
    await client.aclose()


@pytest.mark.parametrize("setting", ["idle_ttl_s", "max_age_s"])
async def test_connections_grow_old(setting: str) -> None:
    client = UpstreamClient(**{setting: 0.05})  # pyright: ignore[reportArgumentType] - both are seconds
    async with WireServer(reply_json({})) as server:
        await _fetch(client, _call(server))
        assert client.idle_count == 1
        await asyncio.sleep(0.15)
        assert client.idle_count == (0 if setting == "idle_ttl_s" else 1)
        await _fetch(client, _call(server))
        assert [call.connection for call in server.calls] == [0, 1]
    await client.aclose()


async def test_a_connection_closed_while_idle_is_dropped(client: UpstreamClient) -> None:
    async with WireServer(reply_json({})) as server:
        await _fetch(client, _call(server))
        server.connections[0].close()
        await _count_open(client, 0)
        assert client.idle_count == 0


async def test_bytes_that_nobody_asked_for_close_the_connection(client: UpstreamClient) -> None:
    async def evil(_: RecordedCall, connection: WireConnection) -> None:
        await connection.json(200, {})
        await connection.sleep(0.05)
        await connection.write(b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nevil")

    async with WireServer(evil) as server:
        assert await _fetch(client, _call(server)) == b"{}"
        assert client.idle_count == 1
        await _count_open(client, 0)
        assert await _fetch(client, _call(server)) == b"{}"


async def test_bytes_after_the_end_in_the_same_segment_close_the_connection(client: UpstreamClient) -> None:
    async def evil(_: RecordedCall, connection: WireConnection) -> None:
        await connection.write(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok" + b"HTTP/1.1 200 OK\r\n\r\n")

    async with WireServer(evil) as server:
        assert await _fetch(client, _call(server)) == b"ok"
        await _count_open(client, 0)


async def test_a_stale_connection_is_retried_once_on_a_new_one(client: UpstreamClient) -> None:
    async def answer_then_close(call: RecordedCall, connection: WireConnection) -> None:
        if len([other for other in server.calls if other.connection == call.connection]) > 1:
            connection.close()
        else:
            await connection.json(200, {"on": call.connection})

    async with WireServer(answer_then_close) as server:
        await _fetch_two(client, server)
        assert client.idle_count == 2
        reply = await client.send(_call(server))
        assert reply.retried
        assert await reply.read(100) == b'{"on": 2}'
        assert [call.connection for call in server.calls] == [0, 1, 1, 2]


async def test_a_new_connection_that_fails_too_is_known_to_be_the_second(client: UpstreamClient) -> None:
    async def answer_once(call: RecordedCall, connection: WireConnection) -> None:
        if len(server.calls) == 1:
            await connection.json(200, {"on": call.connection})
        else:
            connection.close()

    async with WireServer(answer_once) as server:
        await _fetch(client, _call(server))
        for retried, calls in ((True, 3), (False, 4)):
            with pytest.raises(ConnectionLost) as caught:
                await client.send(_call(server))
            assert (caught.value.retried, len(server.calls)) == (retried, calls)


async def test_no_retry_once_a_byte_of_the_answer_came(client: UpstreamClient) -> None:
    async def die_on_the_second(_: RecordedCall, connection: WireConnection) -> None:
        if len(server.calls) == 1:
            await connection.json(200, {})
        else:
            await connection.write(b"HTTP/1.1 2")
            connection.close()

    async with WireServer(die_on_the_second) as server:
        await _fetch(client, _call(server))
        with pytest.raises(ConnectionLost) as caught:
            await client.send(_call(server))
        assert caught.value.response_started
        assert len(server.calls) == 2


async def test_no_retry_on_a_new_connection(client: UpstreamClient) -> None:
    async def close(_: RecordedCall, connection: WireConnection) -> None:
        connection.close()

    async with WireServer(close) as server:
        with pytest.raises(
            ConnectionLost, match=rf"^127\.0\.0\.1:{server.port} closed the connection before"
        ) as caught:
            await client.send(_call(server))
        assert not caught.value.response_started
        assert len(server.calls) == 1


@pytest.mark.parametrize("stage", ["head", "body"])
async def test_cancelling_closes_the_connection_at_once(client: UpstreamClient, stage: str) -> None:
    gone_at = asyncio.get_running_loop().create_future()

    async def stall(_: RecordedCall, connection: WireConnection) -> None:
        if stage == "body":
            await connection.sse_start()
            await connection.sse("data: 1\n\n")
        gone_at.set_result(await connection.client_gone(2))

    async def read() -> None:
        reply = await client.send(_call(server))
        while await reply.next_chunk():
            pass

    async with WireServer(stall) as server:
        task = asyncio.create_task(read())
        await asyncio.sleep(0.1)
        cancelled_at = time.monotonic()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert client.open_count == 0
        assert await gone_at - cancelled_at < 0.2
    assert server.calls[0].closed_at is not None


async def test_abort_closes_unless_the_body_is_complete(client: UpstreamClient) -> None:
    async def stall(_: RecordedCall, connection: WireConnection) -> None:
        await connection.sse_start()
        await connection.sse("data: 1\n\n")
        assert await connection.client_gone(2) is not None

    async with WireServer(stall) as server:
        reply = await client.send(_call(server))
        assert await reply.next_chunk() == b"data: 1\n\n"
        reply.abort()
        reply.abort()
        assert client.open_count == 0
        with pytest.raises(ConnectionLost, match="given up"):
            await reply.next_chunk()
        server.script = reply_json({})
        reply = await client.send(_call(server))
        assert await reply.read(10) == b"{}"
        reply.abort()
        assert client.idle_count == 1


async def test_many_cancelled_calls_leave_nothing_behind(client: UpstreamClient) -> None:
    async def stall(_: RecordedCall, connection: WireConnection) -> None:
        await connection.client_gone(5)

    async with WireServer(stall) as server:
        tasks = [asyncio.create_task(client.send(_call(server))) for _ in range(100)]
        await asyncio.sleep(0.1)
        for task in tasks:
            task.cancel()
        assert all(
            isinstance(outcome, asyncio.CancelledError)
            for outcome in await asyncio.gather(*tasks, return_exceptions=True)
        )
        assert client.open_count == 0
        server.script = reply_json({})
        assert await _fetch(client, _call(server)) == b"{}"


async def test_redirects_are_not_followed(client: UpstreamClient) -> None:
    async def redirect(_: RecordedCall, connection: WireConnection) -> None:
        await connection.head(307, [("location", server.url + "/other"), ("content-length", "0")])

    async with WireServer(redirect) as server:
        reply = await client.send(_call(server))
        assert reply.status == 307
        assert await reply.read(10) == b""
        assert len(server.calls) == 1


async def test_a_large_request_goes_no_faster_than_it_is_taken(client: UpstreamClient) -> None:
    body = bytes(range(256)) * 40_000  # 10 MB
    async with WireServer(reply_json({})) as server:
        reply = await client.send(Call("POST", server.url, (), body))
        assert reply.status == 200
        assert server.calls[0].body == body
        await reply.read(10)
        assert client.idle_count == 1


async def test_an_answer_before_the_request_is_taken_is_given_and_ends_the_connection(client: UpstreamClient) -> None:
    loop = asyncio.get_running_loop()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.setblocking(False)
        url = f"http://127.0.0.1:{listener.getsockname()[1]}/"
        sending = asyncio.create_task(client.send(Call("POST", url, (), bytes(40_000_000))))
        accepted, _ = await loop.sock_accept(listener)
        with accepted:
            assert (await loop.sock_recv(accepted, 5)) == b"POST "
            await loop.sock_sendall(accepted, b"HTTP/1.1 413 Too Large\r\ncontent-length: 2\r\n\r\nno")
            reply = await sending
            assert reply.status == 413
            assert await reply.read(10) == b"no"
            await _count_open(client, 0)


async def test_total_covers_everything(client: UpstreamClient) -> None:
    async def drip(_: RecordedCall, connection: WireConnection) -> None:
        await connection.sse_start()
        while True:
            await connection.sse("data: 1\n\n")
            await connection.sleep(0.03)

    async with WireServer(drip) as server:
        started = time.monotonic()
        with pytest.raises(TotalTimeout, match=r"within 0\.2 s"):
            await _fetch(client, _call(server, total_s=0.2))
        assert 0.15 < time.monotonic() - started < 0.6
        assert client.open_count == 0


async def test_a_closed_client_ends_its_calls_and_takes_no_more() -> None:
    client = UpstreamClient()

    async def stall(_: RecordedCall, connection: WireConnection) -> None:
        await connection.client_gone(2)

    async with WireServer(stall) as server:
        task = asyncio.create_task(client.send(_call(server)))
        await asyncio.sleep(0.05)
        await client.aclose()
        with pytest.raises(ConnectionLost):
            await task
        with pytest.raises(RuntimeError, match="closed"):
            await client.send(_call(server))


async def test_many_urls_share_their_lane(client: UpstreamClient) -> None:
    async with WireServer(reply_json({})) as server:
        for number in range(1100):
            reply: Reply = await client.send(Call("GET", f"{server.url}/{number}", ()))
            await reply.read(10)
        assert {call.connection for call in server.calls} == {0}


async def test_http_through_a_proxy_is_asked_in_absolute_form() -> None:
    async with WireServer(reply_json({})) as proxy:
        settings = ProxySettings(http=Proxy("127.0.0.1", proxy.port, b"Basic bWU6cHc="))
        client = UpstreamClient(proxies=settings)
        await _fetch(client, Call("GET", "http://upstream.test/v1?x=1", ()))
        await _fetch(client, Call("GET", "http://upstream.test/v2", ()))
        await client.aclose()
    assert [call.target for call in proxy.calls] == ["http://upstream.test/v1?x=1", "http://upstream.test/v2"]
    assert {call.connection for call in proxy.calls} == {0}
    assert proxy.calls[0].header("host") == "upstream.test"
    assert proxy.calls[0].header("proxy-authorization") == "Basic bWU6cHc="


async def test_a_proxy_that_wants_credentials_is_a_fault_of_ours() -> None:
    async with WireServer(reply_json({}, 407)) as proxy:
        client = UpstreamClient(proxies=ProxySettings(http=Proxy("127.0.0.1", proxy.port)))
        with pytest.raises(ProxyFailed, match=rf"proxy 127\.0\.0\.1:{proxy.port}"):
            await client.send(Call("GET", "http://upstream.test/", ()))
        await client.aclose()


async def test_messages_do_not_repeat_the_url(client: UpstreamClient) -> None:
    async def close(_: RecordedCall, connection: WireConnection) -> None:
        connection.reset()

    async with WireServer(close) as server:
        with pytest.raises(UpstreamError) as caught:
            await client.send(Call("POST", server.url + "/v1?key=secret", ((b"authorization", b"secret"),)))
        assert "secret" not in str(caught.value)
        assert "/v1" not in str(caught.value)


async def test_no_time_left_to_connect(client: UpstreamClient) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        call = Call("GET", f"https://127.0.0.1:{listener.getsockname()[1]}/", (), b"", Timeouts(total_s=0.05))
        with pytest.raises(ConnectTimeout, match=r"within 0\.0"):
            await client.send(call)
