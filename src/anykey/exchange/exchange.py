"""One client call while it is under way, and the usage row it leaves."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Literal, NamedTuple

from anykey.accounts.keys import ApiKey
from anykey.accounts.ledger import Basis
from anykey.accounts.pricing import Bill
from anykey.accounts.rates import RateState, Taken
from anykey.conversation.failures import Failure
from anykey.conversation.losses import Loss
from anykey.conversation.usage import Usage
from anykey.exchange.directions import NO_DIRECTIONS, Directions
from anykey.exchange.metadata import NO_METADATA, metadata_text
from anykey.exchange.sparing import as_logged
from anykey.protocols.codec import Codec, Headers, Peek, RequestPath
from anykey.routing.ask import Grant
from anykey.routing.plan import PlanStep
from anykey.storage.attempts import AttemptRecord, as_text
from anykey.storage.records import ExchangeRow

if TYPE_CHECKING:
    from anykey.exchange.foreseen import Foreseen
    from anykey.exchange.paying import Hold
    from anykey.exchange.transcript import Outlet, Transcript

ANY_PATH = RequestPath()
NO_USAGE = Usage()
MOST_CODES, LONGEST_CODE = 200, 200
"""Codes of losses in a row, and characters of each: a code names a field as the caller wrote it, and callers write anything."""
LONGEST_NAME = 1024
"""Characters of a model's name that a row keeps: names come from callers, and no longer one is ever routed."""


class Inbound(NamedTuple):
    """What the client sent. ``client`` is the calling program's id."""

    codec: Codec
    headers: Headers
    body: bytes
    client: str
    path: RequestPath = ANY_PATH


class Exchange:
    """What is known of a call so far; each step of the journey adds to it.

    ``began`` is monotonic seconds, ``at_ms`` unix milliseconds. ``status`` is the HTTP status the client got, 0 before.
    ``to_be_estimated``: the estimate of its tokens is wanted, in ``estimated_input``, to be compared with the usage.
    ``untouched``: the body must go out as it is, whatever part of its protocol the upstream is said to know.
    ``answer_id``: what a translated answer is called where it is kept; ids of upstreams of other protocols may repeat.
    ``peek``: what ``admit`` looks for, where it was found already.
    ``directions``, ``metadata`` and ``trace_id`` are what the call says of itself (``directions.py``, ``metadata.py``);
    ``grant``, ``group``, ``scenario``, ``config`` and ``route`` are what its plan was decided with (``routing/plan.py``).

    What most calls leave as it is has its default here and not in ``__init__``: an object of few attributes of its own is made
    several times faster.
    """

    directions: Directions = NO_DIRECTIONS
    metadata: Mapping[str, str] = NO_METADATA
    grant: Grant | None = None
    group: str | None = None
    scenario: str | None = None
    config: str | None = None
    route: str | None = None
    roll: float | None = None
    """What is left to chance of this call, once it was thrown: whoever asks for the plan again gets the same."""
    bound_to: str | None = None
    """The deployment that alone can answer, because it keeps what the call continues."""
    attempt_log: tuple[AttemptRecord, ...] = ()
    reconnected: bool = False
    """The attempt took a second connection: the first, a kept-alive one, was dead."""
    peer: str | None = None
    """The address at the other end of the client's connection, where the server knows it."""
    rates: tuple[RateState, ...] = ()
    """How the key's rates stood when the call came."""
    entry: Taken | None = None
    """What the call holds of its key's rates until it is settled."""
    on_content: Callable[[], None] | None = None
    """Told as soon as a stream's answer goes to the client."""
    public_model: str | None = None
    """The model's name as it was understood, by which it is sold."""
    failure: Failure | None = None
    request_losses: tuple[Loss, ...] = ()
    first_token_at: float | None = None
    to_be_estimated: bool = False
    estimated_input: int | None = None
    answer_id: str | None = None
    untouched: bool = False
    complete: bool = False
    """The answer was heard to its end."""
    early_usage: bool = False
    """The usage is what the upstream knew before it said anything."""
    tier: str | None = None
    """The service tier that the answer names."""
    said_bytes: int = 0
    """Of text, reasoning and calls in a stream, or in a whole answer whose usage does not say."""
    copies: int = 1
    """How many upstream calls the one call is."""
    asking: bool = False
    """A call is at the upstream, and it has neither answered nor refused yet."""
    outcome_unknown: bool = False
    """An attempt that failed may have been answered all the same."""
    answered_later: bool = False
    """The upstream only takes the call, and its answer is fetched from it some time."""
    chargeable: bool = True
    """Somebody pays for it."""
    foreseen: Foreseen | None = None
    """What the call may use, once somebody wanted to know."""
    hold: Hold | None = None
    """The money that is held for the call (``paying``)."""
    cost: Bill | None = None
    cost_basis: Basis | None = None
    price_id: str | None = None
    usage_source: Literal["upstream", "estimated"] = "upstream"
    outlet: Outlet | None = None
    """Where its answer leaves the gateway, for whoever must hear what the client gets."""
    sent: bytes | None = None
    """What the client sent, where the body is no longer that."""
    transcript: Transcript | None = None
    """What is heard of a call that is logged in full (``transcript``)."""

    def __init__(self, request_id: str, inbound: Inbound, began: float, at_ms: int) -> None:
        self.request_id = self.trace_id = request_id
        self.codec, self.headers, self.body, self.client, self.path = inbound
        self.began = began
        self.at_ms = at_ms
        self.key: ApiKey | None = None
        self.model = ""
        self.stream = False
        self.step: PlanStep | None = None
        self.attempts = 0
        self.status = 0
        self.model_answered: str | None = None
        self.usage: Usage | None = None
        self.finish: str | None = None
        self.response_losses: list[Loss] = []
        self.peek: Peek | None = None

    def begin_attempt(self, step: PlanStep) -> None:
        """Forget what a failed attempt left behind: only the attempt that answers is recorded."""
        self.step = step
        self.attempts += 1
        if self.attempts > 1:
            self.failure = None
            self.reconnected = False
            self.forget_answer()
            self.request_losses = ()
            self.response_losses = []
            self.estimated_input = None

    def note_attempt(self, record: AttemptRecord) -> None:
        """Write down what became of a try."""
        self.attempt_log = (*self.attempt_log, record)

    @property
    def answered(self) -> bool:
        """The client was told an answer, or a part of one."""
        return self.complete or self.said_bytes > 0 or self.first_token_at is not None

    def forget_answer(self) -> None:
        """Forget what was heard of an answer that the client did not get: nobody pays for it."""
        self.usage = self.finish = self.model_answered = self.tier = None
        self.complete = self.early_usage = False
        self.said_bytes = 0

    def row(self, now: float) -> ExchangeRow:
        """The usage row; audio and image tokens count with the text of their side.

        Call it once the key is known and the exchange is over.
        """
        assert self.key is not None  # noqa: S101 - an exchange without a key is refused and leaves no row
        step, key, usage = self.step, self.key, self.usage or NO_USAGE
        losses = (*self.request_losses, *self.response_losses)
        row = ExchangeRow(
            id=self.request_id,
            at=self.at_ms,
            key_id=key.id,
            client=self.client,
            client_protocol=self.codec.name,
            upstream_protocol=step.endpoint.protocol if step else None,
            provider=step.endpoint.provider if step else None,
            deployment=step.deployment.id if step else None,
            model_asked=self.model[:LONGEST_NAME],
            model_answered=self.model_answered,
            stream=self.stream,
            attempts=self.attempts,
            input_tokens=usage.input_tokens + usage.input_audio_tokens + usage.input_image_tokens,
            cache_read_tokens=usage.cache_read_tokens,
            cache_write_5m_tokens=usage.cache_write_5m_tokens,
            cache_write_1h_tokens=usage.cache_write_1h_tokens,
            output_tokens=usage.output_tokens + usage.output_audio_tokens + usage.output_image_tokens,
            reasoning_tokens=usage.reasoning_tokens,
            usage_source="none" if self.usage is None else self.usage_source,
            finish=self.finish,
            status=self.status,
            failure=self.failure.kind if self.failure else None,
            losses=_codes(losses) if losses else (),
            first_token_ms=None if self.first_token_at is None else int((self.first_token_at - self.began) * 1000),
            total_ms=int((now - self.began) * 1000),
            loss_details=losses or None,
            trace_id=self.trace_id,
            group_name=self.group,
            scenario=self.scenario,
            metadata=metadata_text(self.metadata) if self.metadata else None,
            route=self.route,
            attempt_details=as_text(self.attempt_log) if self.attempt_log else None,
            organisation=key.organisation,
            team=key.team,
            member_id=key.member_id,
            cost_basis=self.cost_basis,
            price_id=self.price_id,
            cost_nano=0 if self.cost_basis == "free" else None if self.cost is None else self.cost.cost_nano,
        )
        return as_logged(row, key.logging)


def _codes(losses: tuple[Loss, ...]) -> tuple[str, ...]:
    """Each kind of loss once, without its place."""
    return tuple(dict.fromkeys(loss.code[:LONGEST_CODE] for loss in losses))[:MOST_CODES]
