"""`anykey requests` over rows of the real writer."""

import asyncio
import json
import time
from contextlib import closing
from pathlib import Path

import msgspec
import pytest

from anykey.administration.home import prepare_home
from anykey.administration.keys import create_key
from anykey.cli.main import main
from anykey.conversation.failures import Failure
from anykey.conversation.losses import Loss
from anykey.storage.attempts import Place, answered, as_text, failed
from anykey.storage.exchange_bodies import put_bodies, sealed
from anykey.storage.records import ExchangeRow
from anykey.storage.writer import ExchangeWriter
from tests.fakes.bodies import CANARY, bodies_of

TRIES = [
    failed(
        Place("lab0/m", "lab0#default", "openai_chat"),
        1,
        2,
        30,
        Failure("rate_limited", "slow down", retry_after_s=9.0),
    ),
    msgspec.structs.replace(
        answered(Place("lab1/m", "lab1#default", "openai_chat"), 2, 33, 400, 200), reconnected=True
    ),
]
ROW = ExchangeRow(
    id="req_1",
    at=int(time.time() * 1000),
    key_id="k1",
    client="codex",
    client_protocol="openai_responses",
    upstream_protocol="openai_chat",
    provider="lab1",
    deployment="lab1/m",
    model_asked="best",
    stream=True,
    attempts=2,
    status=200,
    input_tokens=7,
    output_tokens=3,
    total_ms=433,
    losses=("dropped:tools",),
    loss_details=(Loss("dropped", "tools[0]", "not there"),),
    trace_id="trace-7",
    scenario="longContext",
    route="public_name",
    metadata='{"team":"search"}',
    attempt_details=as_text(TRIES),
)


@pytest.fixture
def rows(home: Path) -> None:
    async def write() -> None:
        writer = ExchangeWriter(prepare_home(home).database)
        writer.record(ROW)
        await writer.aclose()

    asyncio.run(write())


@pytest.mark.usefixtures("rows")
def test_show_tells_every_try_with_its_reason(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["requests", "show", "req_1"]) == 0
    said = capsys.readouterr().out
    for word in (
        "longContext",
        "trace-7",
        "lab0#default",
        "slow down",
        "rate_limited",
        "answered on a new connection",
        "input_tokens 7",
        "tools[0]",
    ):
        assert word in said, word
    assert said.index("lab0/m") < said.index("33+400")


@pytest.mark.usefixtures("rows")
def test_show_for_a_program(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["requests", "show", "req_1", "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert [(one["number"], one["outcome"]) for one in said["attempts"]] == [(1, "failed"), (2, "answered")]
    assert [one.get("reconnected") for one in said["attempts"]] == [None, True]
    assert (said["request"]["deployment"], said["request"]["metadata"]) == ("lab1/m", {"team": "search"})


@pytest.mark.usefixtures("rows")
def test_list(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["requests", "list"]) == 0
    assert "best → lab1/m" in capsys.readouterr().out
    assert main(["requests", "list", "--json", "--status", "2xx", "--model", "best", "--limit", "1"]) == 0
    (said,) = json.loads(capsys.readouterr().out)
    assert (said["id"], said["metadata"], len(said["attempt_details"])) == ("req_1", {"team": "search"}, 2)
    assert main(["requests", "list", "--status", "500"]) == 0
    assert "no such calls" in capsys.readouterr().out


def test_an_id_that_is_not_there(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["requests", "show", "req_x"]) == 1
    assert "req_x" in capsys.readouterr().err


@pytest.fixture
def bodies(home: Path) -> None:
    ready = prepare_home(home)
    cut = bodies_of(key_id=create_key(ready, "logged").key.id, answer=b"\xff\xfe", answer_bytes=9)
    with closing(ready.database.connect()) as connection:
        put_bodies(connection, [sealed(cut, ready.pepper)])


@pytest.mark.usefixtures("rows", "bodies")
def test_show_tells_what_was_said_where_it_is_asked_for(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["requests", "show", "req_1"]) == 0
    assert CANARY not in capsys.readouterr().out
    assert main(["requests", "show", "req_1", "--bodies"]) == 0
    said = capsys.readouterr().out
    assert f'{{"prompt": "{CANARY}"}}' in said
    assert "answer, application/json, 9 bytes, the first 2 of them:\n//4=\n" in said
    assert main(["requests", "show", "req_1", "--bodies", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)["bodies"]
    assert told["request"]["text"] == f'{{"prompt": "{CANARY}"}}'
    assert told["answer"] == {"text": None, "base64": "//4=", "bytes": 9, "cut": True}
    assert (told["status"], told["content_type"]) == (200, "application/json")


@pytest.mark.usefixtures("rows", "bodies")
def test_forget_leaves_the_call(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["requests", "forget", "--key", "logged", "--before", "1d", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"forgotten": 0}
    assert main(["requests", "forget", "--key", "logged"]) == 0
    assert "1 calls" in capsys.readouterr().out
    assert main(["requests", "show", "req_1"]) == 0
    assert main(["requests", "show", "req_1", "--bodies"]) == 1
    assert "not logged in full" in capsys.readouterr().err
    assert main(["requests", "forget", "--before", "soon"]) == 2
