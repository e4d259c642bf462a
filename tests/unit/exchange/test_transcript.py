"""What is heard of a call, how much of it is kept, and for how long."""

from types import SimpleNamespace
from typing import Any

import pytest

from anykey.accounts.keys import ApiKey
from anykey.exchange.exchange import Exchange, Inbound
from anykey.exchange.transcript import Transcript, keep_transcript, listen
from anykey.protocols.catalog import CODECS
from anykey.storage.exchange_bodies import ExchangeBodies

JSON = ((b"x-secret", b"ak-secret"), (b"content-type", b"application/json"))


class Keeper:
    """Takes what is handed over."""

    most_bytes = 8

    def __init__(self) -> None:
        self.kept: list[ExchangeBodies] = []

    def keep(self, bodies: ExchangeBodies) -> None:
        self.kept.append(bodies)


class Door:
    """An outlet that counts who listens."""

    def __init__(self) -> None:
        self.heard: list[Transcript] = []

    def overhear(self, transcript: Transcript) -> None:
        self.heard.append(transcript)


def call(days: int | None = None) -> Exchange:
    made = Exchange("req_1", Inbound(CODECS["openai_chat"], (), b"{}", "curl"), 100.0, 1_700_000_000_123)
    made.key = ApiKey(
        id="k1", name="n", digest=b"d", last4="abcd", created_at=1, organisation="acme", logging_days=days
    )
    made.outlet = Door()
    return made


def gateway(keeper: Keeper | None) -> Any:
    return SimpleNamespace(bodies=keeper)


def test_both_sides_are_cut_where_they_are_too_long() -> None:
    heard = Transcript(b"0123456789", 8)
    heard.begin(200, JSON)
    for piece in (b"abc", b"", b"defgh", b"ijk"):
        heard.add(piece)
    assert (heard.request, heard.request_bytes) == (b"01234567", 10)
    assert (heard.answer, heard.answer_bytes) == (b"abcdefgh", 11)
    assert (heard.status, heard.content_type) == (200, "application/json")


def test_a_moved_one_has_the_request_and_an_answer_of_its_own() -> None:
    heard = Transcript(b"0123456789", 8)
    heard.begin(200, JSON)
    heard.add(b"queued")
    moved = heard.moved()
    assert (moved.request, moved.request_bytes, moved.answer, moved.answer_bytes) == (b"01234567", 10, b"", 0)
    moved.add(b"12345678")
    assert (moved.answer, heard.answer) == (b"12345678", b"queued")


@pytest.mark.parametrize(("days", "seconds"), [(None, 7 * 86_400), (30, 30 * 86_400)])
def test_what_was_heard_is_handed_over_once(days: int | None, seconds: int) -> None:
    keeper, exchange = Keeper(), call(days)
    listen(exchange, gateway(keeper))
    listen(exchange, gateway(keeper))
    assert isinstance(exchange.outlet, Door)
    (heard,) = exchange.outlet.heard
    heard.begin(200, JSON)
    heard.add(b"hello")
    keep_transcript(exchange, gateway(keeper))
    keep_transcript(exchange, gateway(keeper))
    (kept,) = keeper.kept
    assert (kept.id, kept.key_id, kept.organisation, kept.at) == ("req_1", "k1", "acme", 1_700_000_000_123)
    assert (kept.request, kept.answer, kept.status) == (b"{}", b"hello", 200)
    assert kept.expires_at == 1_700_000_000 + seconds


def test_what_the_client_sent_counts_not_what_was_made_of_it() -> None:
    exchange = call()
    exchange.sent, exchange.body = b"sent", b"made"
    listen(exchange, gateway(Keeper()))
    assert exchange.transcript is not None
    assert exchange.transcript.request == b"sent"


def test_nobody_listens_where_nobody_keeps_or_nothing_goes_out() -> None:
    exchange = call()
    listen(exchange, gateway(None))
    assert exchange.transcript is None
    exchange.outlet = None
    listen(exchange, gateway(Keeper()))
    assert exchange.transcript is None
    keeper = Keeper()
    keep_transcript(exchange, gateway(keeper))
    assert keeper.kept == []
