"""Exchanges that lost something, over rows of the real writer."""

from pathlib import Path

import msgspec
import pytest

from anykey.administration.errors import AdministrationError
from anykey.administration.home import Home, prepare_home
from anykey.administration.losses import exchanges_that_lost
from anykey.conversation.losses import Loss
from anykey.storage.records import ExchangeRow
from anykey.storage.writer import ExchangeWriter

LOSSES = (Loss("dropped", "tools[0]", "not there"), Loss("emulated", "stop", "kept here"))
ROW = ExchangeRow(
    id="r1",
    at=1000,
    key_id="k",
    client="c",
    client_protocol="anthropic_messages",
    upstream_protocol="openai_chat",
    model_asked="m",
    stream=False,
    attempts=1,
    status=200,
    losses=("dropped:tools", "emulated:stop"),
    total_ms=1,
    loss_details=LOSSES,
)
WHOLE = msgspec.structs.replace(ROW, id="r2", at=2000, losses=(), loss_details=None)
OTHER = msgspec.structs.replace(ROW, id="r3", at=3000, model_asked="n")


@pytest.fixture
async def home(tmp_path: Path) -> Home:
    made = prepare_home(tmp_path)
    writer = ExchangeWriter(made.database)
    for row in (ROW, WHOLE, OTHER):
        writer.record(row)
    await writer.aclose()
    return made


async def test_the_latest_first_with_every_detail(home: Home) -> None:
    assert exchanges_that_lost(home, 10) == [OTHER, ROW]
    assert exchanges_that_lost(home, 1) == [OTHER]
    assert exchanges_that_lost(home, 10, model="m") == [ROW]
    assert exchanges_that_lost(home, 10, request_id="r1") == [ROW]


async def test_an_exchange_without_losses_is_not_one_that_is_missing(home: Home) -> None:
    assert exchanges_that_lost(home, 10, request_id="r2") == []
    with pytest.raises(AdministrationError, match="r9"):
        exchanges_that_lost(home, 10, request_id="r9")
