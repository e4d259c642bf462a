"""What a call used, and what that costs.

    the answer is whole, and the upstream told its usage     upstream     its usage, by the card
    it was relayed in part, or without (sane) usage          estimated    prompt and what was relayed, counted here, by the card
    it never came, and nobody was asked, or all said no      free         nothing
    it never came, and an upstream may have made it          unknown      not known
    what the call is sold by has no price                    unpriced     not known

The card is that of the service tier which the answer names, not of the one that was asked for: an upstream need not grant it.
An upstream's numbers for the parts that it did tell count before ours: the prompt of a stream that broke, for one.
"""

from __future__ import annotations

import logging

import msgspec

from anykey.accounts.amounts import usd_text
from anykey.accounts.pricing import Billable, Priced, bill
from anykey.conversation.estimate import tokens_of
from anykey.conversation.usage import Usage
from anykey.exchange.body_facts import read_body
from anykey.exchange.exchange import NO_USAGE, Exchange
from anykey.exchange.gateway import Gateway
from anykey.protocols.tiers import tier_word
from anykey.providers.price_book import STANDARD_TIERS
from anykey.providers.rate_cards import ONE
from anykey.routing.configured import DEFAULT_GROUP
from anykey.routing.plan import PlanStep

COST_HEADER = b"x-anykey-cost"
AUTO, FAST = "auto", "fast"
MOST_WARNED = 10_000

log = logging.getLogger(__name__)
_said = msgspec.json.Decoder()


def price_of(exchange: Exchange, step: PlanStep, gateway: Gateway, tier: str | None = None) -> Priced | None:
    """The card by which a call at ``step`` is sold in a service tier (None: the usual one); None: it has no price."""
    model = exchange.public_model or exchange.model
    return gateway.prices.of(gateway.snapshot, step, model, tier, exchange.at_ms)


def prices_asked(exchange: Exchange, step: PlanStep, gateway: Gateway) -> list[Priced | None]:
    """By which cards it may come to be sold: in the tier that the caller asks for; in the usual one, for no upstream has to grant
    another; in any there is, where the upstream is to choose."""
    asked = tier_asked(exchange)
    tiers: tuple[str | None, ...] = (None,)
    if asked == AUTO:
        tiers = (None, *gateway.snapshot.prices.tiers)
    elif asked is not None and asked not in STANDARD_TIERS:
        tiers = (asked, None)
    return [price_of(exchange, step, gateway, tier) for tier in tiers]


def tier_asked(exchange: Exchange) -> str | None:
    """The service tier in the caller's own body; ``speed`` is how Messages calls one."""
    peek = exchange.peek
    if peek is None:
        return None
    if peek.speed and _text(peek.speed) == FAST:
        return FAST
    return _text(peek.service_tier) if peek.service_tier else None


def _text(said: msgspec.Raw) -> str | None:
    try:
        return tier_word(_said.decode(said))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


def reckon(exchange: Exchange, gateway: Gateway) -> None:
    """Say what the call cost, on the exchange; the first time counts. It must be over, or its answer known to its end."""
    if exchange.cost_basis is not None or not exchange.chargeable:
        return
    step = exchange.step
    if step is None or not exchange.answered or (exchange.answered_later and exchange.usage is None):
        exchange.cost_basis = "unknown" if exchange.outcome_unknown or exchange.asking else "free"
        return
    if not _is_told(exchange):
        exchange.usage = _estimated(exchange, step, gateway)
        exchange.usage_source = "estimated"
    priced = price_of(exchange, step, gateway, exchange.tier)
    if priced is None:
        exchange.cost_basis = "unpriced"
        warn_unpriced(step, gateway)
        return
    group = gateway.snapshot.groups.get(exchange.group or DEFAULT_GROUP)
    multiplier = ONE if group is None else group.price_multiplier
    exchange.cost_basis = "upstream" if exchange.usage_source == "upstream" else "estimated"
    exchange.price_id = priced.card.id
    exchange.cost = bill(priced.card, Billable(exchange.usage or NO_USAGE), multiplier)


def warn_unpriced(step: PlanStep, gateway: Gateway) -> None:
    """Tell the operator, once for each deployment. The built-in ones and a caller's own are not for sale."""
    deployment, known = step.deployment.id, gateway.unpriced
    if deployment in known or step.custom is not None or step.endpoint.built_in or len(known) >= MOST_WARNED:
        return
    known.add(deployment)
    log.warning("%s has no price: its calls cost nothing ('anykey rate-cards list --unpriced')", deployment)


def cost_text(exchange: Exchange, gateway: Gateway) -> bytes | None:
    """What an answer that is known to its end tells its client: an exact decimal number of USD. None: there is no price."""
    reckon(exchange, gateway)
    return None if exchange.cost is None else usd_text(exchange.cost.cost_nano).encode()


def cost_comment(exchange: Exchange, gateway: Gateway) -> bytes:
    """The same behind the end of a stream: a comment, where the client's SDKs know what that is."""
    told = cost_text(exchange, gateway) if exchange.codec.reads_comments else None
    return b"" if told is None else b": %b %b\n\n" % (COST_HEADER, told)


def _is_told(exchange: Exchange) -> bool:
    """The upstream told the usage of the whole answer, and it can be: no prompt is empty, nor is an answer that says something.
    (Numbers that are no token counts were taken for absent where they were read.)"""
    usage = exchange.usage
    if usage is None or not exchange.complete or exchange.early_usage:
        return False
    heard = usage.input_tokens or usage.total_input()  # the sums take longer, and this is asked of every call
    return heard > 0 and (usage.output_tokens or usage.total_output() or not exchange.said_bytes) > 0


def _estimated(exchange: Exchange, step: PlanStep, gateway: Gateway) -> Usage:
    """The usage as far as the upstream told it, the rest counted."""
    heard = exchange.usage or NO_USAGE
    fresh = heard.input_tokens
    if not heard.total_input():
        counted = read_body(exchange.body).tokens * exchange.copies
        fresh = max(round(counted * (gateway.calibration.factor(step.deployment.id) or 1.0)), 1)
    unheard = max(tokens_of(exchange.said_bytes) - heard.total_output(), 0)
    return msgspec.structs.replace(heard, input_tokens=fresh, output_tokens=heard.output_tokens + unheard)
