"""The rows as values."""

from typing import Literal

import msgspec

from anykey.conversation.losses import Loss


class ExchangeRow(msgspec.Struct, frozen=True, kw_only=True):
    """One client call, as it is kept: who, with what, how much, how it ended. No prompt, no answer.

    Token buckets are disjoint: `input_tokens` were neither read from nor written to a cache, `output_tokens` are not
    reasoning. `at` is Unix milliseconds; `status` is the HTTP status the caller got; `client` names the program. `losses`
    are the distinct codes of what a translation lost, `loss_details` each of them with its place and reason. `route` is the
    rule that understood the model's name; `metadata` is JSON text, an object of texts; `attempt_details` is JSON text too, an
    array of what each attempt came to, None where the first one answered. `cost_nano` is what the call cost in nano-USD, None
    where no price is known; `cost_basis` says what it was reckoned from, `price_id` by which rate card.
    """

    id: str
    at: int
    key_id: str
    client: str
    client_protocol: str
    upstream_protocol: str | None = None
    provider: str | None = None
    deployment: str | None = None
    model_asked: str
    model_answered: str | None = None
    stream: bool
    attempts: int
    input_tokens: int = 0
    cache_read_tokens: int = 0
    cache_write_5m_tokens: int = 0
    cache_write_1h_tokens: int = 0
    output_tokens: int = 0
    reasoning_tokens: int = 0
    usage_source: Literal["upstream", "estimated", "none"] = "none"
    finish: str | None = None
    status: int
    failure: str | None = None
    losses: tuple[str, ...] = ()
    first_token_ms: int | None = None
    total_ms: int
    loss_details: tuple[Loss, ...] | None = None
    trace_id: str | None = None
    group_name: str | None = None
    scenario: str | None = None
    metadata: str | None = None
    route: str | None = None
    attempt_details: str | None = None
    organisation: str | None = None
    team: str | None = None
    member_id: str | None = None
    cost_basis: str | None = None
    price_id: str | None = None
    cost_nano: int | None = None
