"""Single calls: which there were, what became of each, and what translations lost of them."""

from typing import Annotated

from fastapi import Query
from pydantic import StringConstraints

from anykey.administration.request_bodies import read_bodies, spelled
from anykey.administration.request_pages import find_request, page_of_requests
from anykey.administration.requests import attempts_of
from anykey.server.admin.refusals import Refusal
from anykey.server.admin.rules import Calling, Resource
from anykey.server.admin.shapes import Filter, Id, Listed, Millis, Told, Word, listed, usd
from anykey.storage.attempts import AttemptRecord
from anykey.storage.exchange_pages import ExchangeFilter
from anykey.storage.records import ExchangeRow

REQUESTS = Resource("requests")


class RequestFilter(Filter):
    """Each may be left out. `status` is a number such as 429, or 4xx or 5xx; times are Unix milliseconds."""

    since_ms: Millis = 0
    until_ms: Millis | None = None
    key: Word | None = None
    model: Word | None = None
    provider: Word | None = None
    client: Word | None = None
    team: Word | None = None
    member: Word | None = None
    organisation: Word | None = None
    status: Annotated[str, StringConstraints(pattern=r"^[1-5]([0-9][0-9]|xx)$")] | None = None


class TokensTold(Told):
    """Disjoint buckets: `input` was neither read from nor written to a cache, `output` is not reasoning."""

    input: int
    cache_read: int
    cache_write_5m: int
    cache_write_1h: int
    output: int
    reasoning: int


class RequestTold(Told):
    """One call. `at_ms` is Unix milliseconds; `status` is what the caller got. `cost_nano` is nano-USD; null: it has no price."""

    id: str
    at_ms: int
    key_id: str
    organisation: str | None
    team: str | None
    member_id: str | None
    client: str
    client_protocol: str
    model_asked: str
    model_answered: str | None
    stream: bool
    status: int
    failure: str | None
    finish: str | None
    tokens: TokensTold
    usage_source: str
    cost_nano: int | None
    cost_usd: str | None
    cost_basis: str | None
    losses: list[str]
    first_token_ms: int | None
    total_ms: int
    trace_id: str | None
    group: str | None
    scenario: str | None


class RequestForOperator(RequestTold):
    """… and where it went: the operator's own business."""

    provider: str | None
    deployment: str | None
    upstream_protocol: str | None
    attempts: int
    price_id: str | None
    route: str | None


class AttemptTold(Told):
    """One try at an upstream. `number` 0: it was skipped."""

    number: int
    deployment: str
    outcome: str
    began_ms: int
    took_ms: int
    credential: str | None
    protocol: str | None
    status: int | None
    failure: str | None
    reason: str | None


class LossTold(Told):
    """What a conversion could not carry, and where it stood."""

    kind: str
    path: str
    reason: str
    side: str


class LossesTold(Told):
    """The losses of one call."""

    id: str
    items: list[LossTold]


class RequestInFull(Told):
    """One call with its losses; `attempts` is null for those who do not run the gateway."""

    request: RequestForOperator | RequestTold
    losses: list[LossTold]
    attempts: list[AttemptTold] | None


class BodyTold(Told):
    """One side of a call: `text`, or `base64` where it is no UTF-8. `bytes`: how long it was; `cut`: only its beginning is
    kept."""

    text: str | None
    base64: str | None
    bytes: int
    cut: bool


class BodiesTold(Told):
    """Both sides of one call as the client sent and got them; `status` and `content_type` are the answer's. `expires_at` (Unix
    seconds): when they are forgotten."""

    id: str
    key_id: str
    organisation: str
    at_ms: int
    expires_at: int
    status: int
    content_type: str
    request: BodyTold
    answer: BodyTold


@REQUESTS.operation("GET", "/admin/v1/requests", permission="requests:read")
def requests_list(
    caller: Calling, query: Annotated[RequestFilter, Query()]
) -> Listed[RequestForOperator | RequestTold]:
    """List calls, the newest first."""
    page = page_of_requests(caller.home, asked(caller, query), query.cursor, query.limit, actor=caller.actor)
    return listed(page, lambda row: told(caller, row))


@REQUESTS.operation("GET", "/admin/v1/losses", permission="requests:read")
def losses_list(caller: Calling, query: Annotated[RequestFilter, Query()]) -> Listed[LossesTold]:
    """List the losses of the calls that lost something, the newest first."""
    only = asked(caller, query, losses=True)
    page = page_of_requests(caller.home, only, query.cursor, query.limit, actor=caller.actor)
    return listed(page, lambda row: LossesTold(id=row.id, items=losses_of(row)))


@REQUESTS.operation("GET", "/admin/v1/requests/{id}", permission="requests:read")
def requests_get(caller: Calling, id: Id) -> RequestInFull:  # noqa: A002 - the name in the path
    """Show one call."""
    row = find_request(caller.home, id, actor=caller.actor)
    attempts = [_attempt(one) for one in attempts_of(row)] if caller.actor.is_operator else None
    return RequestInFull(request=told(caller, row), losses=losses_of(row), attempts=attempts)


@REQUESTS.operation("GET", "/admin/v1/requests/{id}/bodies", permission="bodies:read")
def requests_bodies(caller: Calling, id: Id) -> BodiesTold:  # noqa: A002 - the name in the path
    """Show what one call asked and was answered, of a key that is logged in full. Each reading is in the audit log."""
    found = read_bodies(caller.home, id, actor=caller.actor)
    return BodiesTold(
        id=found.id,
        key_id=found.key_id,
        organisation=found.organisation,
        at_ms=found.at,
        expires_at=found.expires_at,
        status=found.status,
        content_type=found.content_type,
        request=BodyTold(**spelled(found, "request")),
        answer=BodyTold(**spelled(found, "answer")),
    )


def asked(caller: Calling, query: RequestFilter, *, losses: bool = False) -> ExchangeFilter:
    """The filter as the store knows it. Which provider answers is the operator's own business: others cannot ask by it."""
    if query.provider is not None and not caller.actor.is_operator:
        raise Refusal(403, "permission_denied", "Only who runs the gateway may ask by provider.", "provider")
    low, high = (int(query.status.replace("x", digit)) for digit in "09") if query.status else (0, 0)
    return ExchangeFilter(
        since_ms=query.since_ms,
        until_ms=query.until_ms,
        organisation=query.organisation,
        key_ids=_one(query.key),
        models=_one(query.model),
        providers=_one(query.provider),
        clients=_one(query.client),
        teams=_one(query.team),
        member_ids=_one(query.member),
        statuses=(low, high) if query.status else None,
        losses=losses,
    )


def told(caller: Calling, row: ExchangeRow) -> RequestForOperator | RequestTold:
    """The call as this caller may see it."""
    seen = RequestTold(
        id=row.id,
        at_ms=row.at,
        key_id=row.key_id,
        organisation=row.organisation,
        team=row.team,
        member_id=row.member_id,
        client=row.client,
        client_protocol=row.client_protocol,
        model_asked=row.model_asked,
        model_answered=row.model_answered,
        stream=row.stream,
        status=row.status,
        failure=row.failure,
        finish=row.finish,
        tokens=tokens_of(row),
        usage_source=row.usage_source,
        cost_nano=row.cost_nano,
        cost_usd=usd(row.cost_nano),
        cost_basis=row.cost_basis,
        losses=list(row.losses),
        first_token_ms=row.first_token_ms,
        total_ms=row.total_ms,
        trace_id=row.trace_id,
        group=row.group_name,
        scenario=row.scenario,
    )
    if not caller.actor.is_operator:
        return seen
    return RequestForOperator(
        **dict(seen),
        provider=row.provider,
        deployment=row.deployment,
        upstream_protocol=row.upstream_protocol,
        attempts=row.attempts,
        price_id=row.price_id,
        route=row.route,
    )


def tokens_of(row: ExchangeRow) -> TokensTold:
    """Its tokens by bucket."""
    return TokensTold(
        input=row.input_tokens,
        cache_read=row.cache_read_tokens,
        cache_write_5m=row.cache_write_5m_tokens,
        cache_write_1h=row.cache_write_1h_tokens,
        output=row.output_tokens,
        reasoning=row.reasoning_tokens,
    )


def losses_of(row: ExchangeRow) -> list[LossTold]:
    """What it lost, one by one."""
    return [
        LossTold(kind=loss.kind, path=loss.path, reason=loss.reason, side=loss.side) for loss in row.loss_details or ()
    ]


def _attempt(record: AttemptRecord) -> AttemptTold:
    return AttemptTold(
        number=record.number,
        deployment=record.deployment,
        outcome=record.outcome,
        began_ms=record.began_ms,
        took_ms=record.took_ms,
        credential=record.credential,
        protocol=record.protocol,
        status=record.status,
        failure=record.failure,
        reason=record.reason,
    )


def _one(value: str | None) -> tuple[str, ...] | None:
    return None if value is None else (value,)
