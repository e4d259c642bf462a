"""What a call used, and what that costs.

    the answer is whole, and the upstream told its usage     upstream     its usage, by the card
    it was relayed in part, or without (sane) usage          estimated    prompt and what was relayed, counted here, by the card
    it never came, and nobody was asked, or all said no      free         nothing
    it never came, and an upstream may have made it          unknown      not known
    what the call is sold by has no price                    unpriced     not known

An upstream's numbers for the parts that it did tell count before ours: the prompt of a stream that broke, for one.
"""

from __future__ import annotations

import msgspec

from anykey.accounts.amounts import usd_text
from anykey.accounts.pricing import Billable, Priced, Sale, bill
from anykey.conversation.estimate import tokens_of
from anykey.conversation.usage import Usage
from anykey.exchange.body_facts import read_body
from anykey.exchange.exchange import NO_USAGE, Exchange
from anykey.exchange.gateway import Gateway
from anykey.providers.rate_cards import ONE
from anykey.routing.configured import DEFAULT_GROUP
from anykey.routing.plan import PlanStep

COST_HEADER = b"x-anykey-cost"
USUAL_REGION = "global"


def price_of(exchange: Exchange, step: PlanStep, gateway: Gateway) -> Priced | None:
    """The card by which a call at ``step`` is sold; None: it has no price."""
    snapshot, endpoint = gateway.snapshot, step.endpoint
    provider = snapshot.by_name.get(endpoint.provider)
    if provider is None or step.custom is not None:
        return None
    tier = exchange.peek.service_tier if exchange.peek is not None else None
    return snapshot.prices.find(
        Sale(
            exchange.public_model or exchange.model,
            step.deployment.model,
            endpoint.provider,
            provider.settings.kind.id,
            provider.lane,
            endpoint.region or USUAL_REGION,
            bytes(tier).strip(b'"').decode(errors="replace") if tier else None,
            exchange.at_ms // 1000,
        )
    )


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
    priced = price_of(exchange, step, gateway)
    if priced is None:
        exchange.cost_basis = "unpriced"
        return
    group = gateway.snapshot.groups.get(exchange.group or DEFAULT_GROUP)
    multiplier = ONE if group is None else group.price_multiplier
    exchange.cost_basis = "upstream" if exchange.usage_source == "upstream" else "estimated"
    exchange.price_id = priced.card.id
    exchange.cost = bill(priced.card, Billable(exchange.usage or NO_USAGE), multiplier)


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
