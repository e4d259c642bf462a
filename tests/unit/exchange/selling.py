"""A gateway without a server or a database, whose model `m` at `lab` has a price, and calls of it."""

from fractions import Fraction
from typing import Any, cast

from anykey.accounts.keys import ApiKey
from anykey.accounts.purse import Purse
from anykey.accounts.rate_cards import card_of, cards_in, scope_of
from anykey.exchange.exchange import Exchange, Inbound
from anykey.exchange.gateway import Gateway
from anykey.protocols.catalog import CODECS
from anykey.protocols.codec import RequestPath
from anykey.routing.building import build_snapshot
from anykey.routing.configured import GroupSettings, RoutingSettings
from anykey.routing.plan import PlanStep, step_at
from tests.fakes.money import CARD
from tests.fakes.till import MemoryTill
from tests.unit.routing.configuring import Given, provider

PURSE = Purse("default", None, None, "postpaid:default", prepaid=False, budgets=(), rates=(), metered=True)
PREPAID = Purse("default", None, None, "credit:default", prepaid=True, budgets=(), rates=(), metered=True)
AT_MS = 1_900_000_000_000


def gateway_with(till: MemoryTill | None = None, card: bytes = CARD) -> Gateway:
    """It routes and prices; nothing can be called."""
    cards = [card_of(scope_of(one), one.rates(), version=1) for one in cards_in(card)]
    routing = RoutingSettings(groups=(GroupSettings("dear", price_multiplier=Fraction(3, 2)),))
    snapshot = build_snapshot(Given((provider("custom", "lab"),), routing=routing), rate_cards=cards)
    nobody: Any = None
    return Gateway(snapshot, nobody, bytes(32), nobody, nobody, 15.0, till=till, wall_clock=lambda: AT_MS / 1000)


def step_of(gateway: Gateway, deployment: str = "lab/m") -> PlanStep:
    """The call of it."""
    return cast("PlanStep", step_at(gateway.snapshot, deployment, "openai_chat"))


def exchange_of(body: bytes = b'{"model":"m"}', protocol: Any = "openai_chat", purse: Purse | None = PURSE) -> Exchange:
    """A call that was admitted."""
    codec = CODECS[protocol]
    path = RequestPath("m", stream=False) if protocol == "gemini_generate" else RequestPath()
    exchange = Exchange("req_1", Inbound(codec, (), body, "unknown", path), 0.0, AT_MS)
    exchange.peek = codec.peek(body, path)
    exchange.model = exchange.public_model = "m"
    exchange.key = ApiKey(id="k", name="k", digest=b"", last4="", created_at=0, purse=purse)
    return exchange
