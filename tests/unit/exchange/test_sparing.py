"""What is kept of a call of a key that is not logged."""

import msgspec
import pytest

from anykey.accounts.keys import ApiKey
from anykey.conversation.losses import Loss
from anykey.exchange.exchange import Exchange, Inbound
from anykey.exchange.sparing import UNKEPT, as_logged
from anykey.protocols.catalog import CODECS
from anykey.storage.records import ExchangeRow

KEY = ApiKey(id="k1", name="n", digest=b"d", last4="abcd", created_at=1)


def row_of(logging: str | None) -> ExchangeRow:
    """The row of a call that says something of everything."""
    call = Exchange("req_1", Inbound(CODECS["openai_chat"], (), b"{}", "curl"), 100.0, 1_700_000_000_123)
    call.key = msgspec.structs.replace(KEY, logging=logging)
    call.model, call.trace_id, call.scenario, call.route = "m", "t", "s", "r"
    call.metadata = {"a": "b"}
    call.request_losses = (Loss("dropped", "top_k", "not taken"),)
    return call.row(101.0)


@pytest.mark.parametrize("level", [None, "metadata"])
def test_everything_is_kept_unless_it_is_off(level: str | None) -> None:
    row = row_of(level)
    assert (row.metadata, row.trace_id, row.scenario, row.route) == ('{"a":"b"}', "t", "s", "r")
    assert row.loss_details


def test_what_money_needs_is_kept_and_nothing_that_was_said() -> None:
    row, full = row_of("off"), row_of(None)
    assert {name: getattr(row, name) for name in UNKEPT} == UNKEPT
    assert row == as_logged(full, "off") != full
    assert (row.key_id, row.model_asked, row.client, row.organisation) == ("k1", "m", "curl", "default")
