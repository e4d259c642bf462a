"""Single calls as an operator asks for them."""

import asyncio
import time
from pathlib import Path

import msgspec
import pytest

from anykey.administration.errors import AdministrationError
from anykey.administration.home import Home, prepare_home
from anykey.administration.requests import attempts_of, find_request, list_requests, requests_filter
from anykey.storage.attempts import Place, as_text, skipped
from anykey.storage.records import ExchangeRow
from anykey.storage.writer import ExchangeWriter

ROW = ExchangeRow(
    id="req_1",
    at=int(time.time() * 1000),
    key_id="k1",
    client="codex",
    client_protocol="openai_responses",
    upstream_protocol="openai_chat",
    provider="lab",
    deployment="lab/m",
    model_asked="m",
    stream=True,
    attempts=1,
    status=200,
    total_ms=5,
)


@pytest.fixture
def home(tmp_path: Path) -> Home:
    home = prepare_home(tmp_path / "home")

    async def write() -> None:
        writer = ExchangeWriter(home.database)
        for number, status in enumerate((200, 404, 429, 502)):
            writer.record(msgspec.structs.replace(ROW, id=f"req_{number}", at=ROW.at + number, status=status))
        await writer.aclose()

    asyncio.run(write())
    return home


@pytest.mark.parametrize(
    ("status", "found"),
    [(None, ["req_3", "req_2", "req_1", "req_0"]), ("429", ["req_2"]), ("4xx", ["req_2", "req_1"]), ("5XX", ["req_3"])],
)
def test_by_status(home: Home, status: str | None, found: list[str]) -> None:
    only = requests_filter(home, "1h", status=status)
    assert [row.id for row in list_requests(home, 10, only)] == found


def test_a_status_that_is_none(home: Home) -> None:
    with pytest.raises(AdministrationError):
        requests_filter(home, "1h", status="99")


def test_one_by_its_id(home: Home) -> None:
    assert find_request(home, " req_2 ").status == 429
    with pytest.raises(AdministrationError):
        find_request(home, "req_9")


def test_its_tries(home: Home) -> None:
    (only,) = attempts_of(find_request(home, "req_0"))
    assert (only.number, only.deployment, only.outcome, only.status) == (1, "lab/m", "answered", 200)
    details = as_text([skipped(Place("lab/n"), 0, "it rests")])
    assert [one.outcome for one in attempts_of(msgspec.structs.replace(ROW, attempt_details=details))] == ["skipped"]
    assert attempts_of(msgspec.structs.replace(ROW, deployment=None)) == []
