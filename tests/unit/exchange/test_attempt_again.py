"""What is asked of the same deployment once more: on a new connection, with a new access token."""

from pathlib import Path
from typing import Any

import pytest

from anykey.administration.requests import attempts_of
from tests.fakes.answers import CHAT, MODEL, answering, ask, failing, wired
from tests.fakes.gateway import RunningGateway
from tests.fakes.wire import RecordedCall, Script, WireConnection, WireServer
from tests.unit.providers.auth.keys import authorized_user

REFUSED = {"error": {"message": "the token has expired", "type": "invalid_request_error"}}
BROKEN = {"error": {"message": "no", "type": "server_error"}}


def leaving(then: Script) -> Script:
    """Answers the first call, hangs up on a connection as it is used again, and does ``then`` on every later one."""

    async def script(call: RecordedCall, connection: WireConnection) -> None:
        if connection.number == 0 and calls:
            connection.close()
        else:
            await (then if calls else answering(CHAT))(call, connection)
        calls.append(call)

    calls: list[RecordedCall] = []
    return script


@pytest.mark.parametrize("more", [{}, {"stream": True}])
async def test_a_connection_that_died_as_it_was_used_again_is_written_down(
    tmp_path: Path, more: dict[str, Any]
) -> None:
    async with wired(tmp_path, CHAT, leaving(answering(CHAT))) as (gateway, server):
        replies = [await ask(gateway, CHAT, **more) for _ in range(3)]
        rows = list(reversed(await gateway.rows(3)))
    assert [reply.status for reply in replies] == [200] * 3
    assert [call.connection for call in server.calls] == [0, 0, 1, 1]
    assert [row.attempts for row in rows] == [1, 1, 1]
    assert [row.attempt_details is None for row in rows] == [True, False, True]
    (one,) = attempts_of(rows[1])
    assert (one.number, one.outcome, one.status, one.reconnected) == (1, "answered", 200, True)


async def test_so_is_one_whose_new_connection_fails_too(tmp_path: Path) -> None:
    async def resets(_: RecordedCall, connection: WireConnection) -> None:
        connection.reset()

    for then, status in ((resets, None), (failing(500, BROKEN), 500)):
        home = tmp_path / str(status)
        home.mkdir()
        async with wired(home, CHAT, leaving(then)) as (gateway, _):
            replies = [await ask(gateway, CHAT) for _ in range(3)]
            rows = await gateway.rows(3)
        assert [reply.status for reply in replies] == [200, 502, 502]
        tries = [(one.outcome, one.status, one.reconnected) for row in rows[:2] for one in attempts_of(row)]
        assert tries == [("failed", status, False), ("failed", status, True)]


OAUTH = """
[server]
environment_providers = false
[providers.lab]
kind = "custom"
protocol = "openai_chat"
base_url = "{url}/v1"
auth = "google_oauth"
api_key = {{ env = "ACCOUNT" }}
[models."test-model"]
deployments = ["lab/{model}"]
"""


@pytest.mark.parametrize("good", ["t-1", "none"])
async def test_an_access_token_that_is_good_no_more_is_replaced_once(tmp_path: Path, good: str) -> None:
    """Only a fresh token that is refused too tells something of the credential."""
    granted: list[str] = []
    wanted = "t-0"

    async def script(call: RecordedCall, connection: WireConnection) -> None:
        if call.target == "/token":
            granted.append(f"t-{len(granted)}")
            await connection.json(200, {"access_token": granted[-1], "expires_in": 3600})
        elif call.header("authorization") == f"Bearer {wanted}":
            await answering(CHAT)(call, connection)
        else:
            await connection.json(401, REFUSED)

    async with WireServer(script) as server:
        account = authorized_user(token_uri=f"{server.url}/token", quota_project_id=None).reveal()
        config_text = OAUTH.format(url=server.url, model=MODEL)
        async with RunningGateway(tmp_path, config_text, {"ACCOUNT": account}) as gateway:
            assert (await ask(gateway, CHAT)).status == 200
            wanted = good
            replies = [await ask(gateway, CHAT) for _ in range(2)]
            rows = list(reversed(await gateway.rows(3)))
    assert granted == ["t-0", "t-1"]
    tries = [[(one.number, one.outcome, one.status) for one in attempts_of(row)] for row in rows[1:]]
    if good == "t-1":
        assert [reply.status for reply in replies] == [200, 200]
        assert tries == [[(1, "failed", 401), (2, "answered", 200)], [(1, "answered", 200)]]
    else:
        assert [reply.status for reply in replies] == [502, 502]
        assert tries == [[(1, "failed", 401), (2, "failed", 401)], [(0, "skipped", None)]]
    assert [row.attempts for row in rows] == [1, 2, 1 if good == "t-1" else 0]
