"""In which order a call is tried, and which of several failures is told."""

from collections.abc import Iterable
from typing import Any, cast

import msgspec
import pytest

from anykey.accounts.keys import ApiKey
from anykey.conversation.failures import Failure, FailureKind
from anykey.exchange.exchange import Exchange, Inbound
from anykey.exchange.gateway import Gateway
from anykey.exchange.mishaps import AttemptFailed
from anykey.exchange.tries import Tries, Try
from anykey.protocols.catalog import CODECS
from anykey.providers.configured import StoredCredential
from anykey.providers.secret import Secret
from anykey.routing.ask import Ask, View
from anykey.routing.plan import Plan, PlanStep, plan
from anykey.routing.planned import LeftOut
from anykey.routing.retry import MOST_ATTEMPTS
from tests.unit.routing.configuring import provider, snapshot

A, B = StoredCredential("openai#a", Secret("sa")), StoredCredential("openai#b", Secret("sb"), weight=0)
BODY = b'{"model": "best", "messages": [{"role": "user", "content": "hi"}]}'


class Lab:
    """A gateway with `openai` (two credentials), `anthropic` and `deepseek`, a plan over them, and a call."""

    def __init__(self) -> None:
        nothing = cast("Any", None)
        providers = (provider("openai", credentials=(A, B)), provider("anthropic"), provider("deepseek"))
        known = snapshot(*providers, best=("openai/m", "anthropic/m", "deepseek/m"))
        self.now = 100.0
        self.gateway = Gateway(known, nothing, b"pepper", nothing, nothing, 15.0, monotonic=lambda: self.now)
        made = plan(known, Ask(model="best", protocol="openai_chat"))
        assert isinstance(made, Plan)
        self.plan = Plan(tuple(made.steps), "best", "public_name")
        self.exchange = Exchange("req", Inbound(CODECS["openai_chat"], (), BODY, "test"), 100.0, 0)
        self.exchange.key = ApiKey(id="k", name="n", digest=b"", last4="", created_at=0)

    def change(self, index: int, **fields: Any) -> None:
        steps = list(self.plan.steps)
        steps[index] = msgspec.structs.replace(steps[index], **fields)
        self.plan = msgspec.structs.replace(self.plan, steps=tuple(steps))

    def run(self, *failures: Failure, takes_s: float = 0.1) -> tuple[list[str], AttemptFailed]:
        """Who was asked when the tries failed so, one after the other, the last failure from then on; and what is told."""
        asked: list[str] = []
        tries = Tries(self.exchange, self.plan, self.gateway)
        for number, attempt in enumerate(tries):
            asked.append(name(attempt))
            self.exchange.begin_attempt(attempt.way.step)
            self.now += takes_s
            error = AttemptFailed(failures[min(number, len(failures) - 1)])
            being = self.gateway.wellbeing
            being.failed(attempt.way.pair, being.enter(attempt.way.pair), error.failure, choice=True)
            tries.failed(attempt, error)
        return asked, tries.telling()

    def note(self, mark: str, failure: Failure, deployment: str = "x/m") -> None:
        """What another call has met."""
        being = self.gateway.wellbeing
        being.failed((deployment, mark), being.enter((deployment, mark)), failure, choice=True)

    def mark(self, index: int) -> str:
        return self.gateway.ways.first(self.plan.steps[index]).mark


def name(attempt: Try) -> str:
    credential = attempt.way.credential
    return credential.id if credential is not None else attempt.way.step.deployment.id


def failing(kind: FailureKind, status: int | None = None, wait_s: float | None = None) -> Failure:
    return Failure(kind, f"{kind}!", upstream_status=status, retry_after_s=wait_s)


DOWN = failing("upstream_error", 500)
LIMITED = failing("rate_limited", 429, 30.0)
REFUSED = failing("upstream_refused_credential", 401)
ALL = ["openai#a", "openai#b", "anthropic#default", "deepseek#default"]


@pytest.mark.parametrize(
    ("failure", "asked"),
    [
        (DOWN, [ALL[0], *ALL[2:]]),
        (failing("model_not_found", 404), [ALL[0], *ALL[2:]]),
        (REFUSED, ALL),
        (LIMITED, ALL),
        (failing("quota_exhausted", 429), ALL),
        (failing("invalid_request", 400), ALL[:1]),
        (failing("content_blocked", 400), ALL[:1]),
    ],
)
def test_who_is_asked_next(failure: Failure, asked: list[str]) -> None:
    assert Lab().run(failure)[0] == asked


def test_what_rests_is_skipped_and_written_down() -> None:
    lab = Lab()
    lab.note(lab.mark(0), LIMITED)
    assert lab.run(DOWN)[0] == ALL[1:]
    (skipped,) = [record for record in lab.exchange.attempt_log if record.outcome == "skipped"]
    assert (skipped.credential, skipped.deployment, skipped.failure) == ("openai#a", "openai/m", "rate_limited")
    assert skipped.retry_after_s == pytest.approx(30.0, abs=1)


def test_when_all_rest_by_a_named_time_nobody_is_asked() -> None:
    lab = Lab()
    for mark, wait_s in ((lab.mark(1), 50.0), (lab.mark(2), 12.0)):
        lab.note(mark, failing("rate_limited", 429, wait_s))
    for credential in (A, B):
        lab.note(lab.gateway.ways.of(lab.plan.steps[0], credential).mark, failing("rate_limited", 429, 20.0))
    asked, told = lab.run(DOWN)
    assert asked == []
    assert (told.failure.kind, round(told.failure.retry_after_s or 0)) == ("rate_limited", 12)


def test_a_guessed_rest_gives_way_when_nothing_else_is_left() -> None:
    lab = Lab()
    for index in (1, 2):
        lab.note(lab.mark(index), LIMITED)
    for credential in (A, B):
        lab.note(lab.gateway.ways.of(lab.plan.steps[0], credential).mark, failing("rate_limited", 429))
    assert lab.run(DOWN)[0] == ["openai#a"]


def test_a_step_says_after_which_statuses_the_next_is_tried() -> None:
    lab = Lab()
    lab.change(0, on_status=frozenset({429}))
    assert lab.run(DOWN)[0] == ALL[:1]
    lab = Lab()
    lab.change(0, on_status=frozenset({400}))
    assert lab.run(failing("invalid_request", 400))[0] == [ALL[0], ALL[2]]


def test_a_call_that_is_too_long_goes_to_a_larger_model() -> None:
    lab = Lab()
    larger: list[PlanStep] = [lab.plan.steps[2]]
    seen: list[tuple[str, PlanStep | None]] = []

    def following(kind: str, failed: PlanStep | None, view: View | None) -> Iterable[PlanStep]:
        assert view is lab.gateway.wellbeing
        seen.append((kind, failed))
        return larger

    lab.plan = msgspec.structs.replace(lab.plan, following=following)
    too_long = failing("context_too_long", 400)
    assert lab.run(too_long)[0] == ["openai#a", "deepseek#default"]
    assert seen == [("context_too_long", lab.plan.steps[0])]


def test_there_is_an_end() -> None:
    lab = Lab()
    lab.plan = msgspec.structs.replace(lab.plan, steps=tuple(lab.plan.steps) * 10)
    for index in range(30):
        lab.change(index, why=str(index))
    assert len(lab.run(DOWN)[0]) == MOST_ATTEMPTS
    slow = Lab()
    assert len(slow.run(DOWN, takes_s=200.0)[0]) == 2


@pytest.mark.parametrize(
    ("failures", "told"),
    [
        ((REFUSED, REFUSED, DOWN, failing("model_not_found", 404)), "upstream_error"),
        ((LIMITED, LIMITED, DOWN, DOWN), "rate_limited"),
        ((DOWN, failing("overloaded", 529), DOWN), "overloaded"),
        ((DOWN, failing("invalid_request", 400)), "invalid_request"),
        ((failing("model_not_found", 404), REFUSED, failing("model_not_found", 404)), "upstream_refused_credential"),
    ],
)
def test_the_most_telling_failure_is_told(failures: tuple[Failure, ...], told: str) -> None:
    assert Lab().run(*failures)[1].failure.kind == told


def test_of_rate_limits_the_shortest_wait() -> None:
    waits = [failing("rate_limited", 429, wait_s) for wait_s in (30.0, 8.0, 90.0, 45.0)]
    told = Lab().run(*waits)[1]
    assert (told.failure.kind, told.failure.retry_after_s) == ("rate_limited", 8.0)


def test_what_could_not_be_asked_is_told_only_where_nothing_else_is() -> None:
    lab = Lab()
    tries = Tries(lab.exchange, lab.plan, lab.gateway)
    unsendable = AttemptFailed(failing("invalid_request"), unsendable=True)
    for attempt in tries:
        tries.failed(attempt, unsendable if name(attempt) != "deepseek#default" else AttemptFailed(DOWN))
    assert tries.telling().failure is DOWN


def test_what_was_tried_before_is_not_tried_again() -> None:
    lab = Lab()
    tries = Tries(lab.exchange, lab.plan, lab.gateway)
    first = Try(lab.gateway.ways.first(lab.plan.steps[0]))
    tries.failed(first, AttemptFailed(DOWN))
    assert name(next(iter(tries))) == "anthropic#default"


def test_what_the_planner_left_out_is_written_down_like_what_was_skipped() -> None:
    lab = Lab()
    lab.note(lab.mark(1), LIMITED)
    left_out = (LeftOut("anthropic/m", "it rested when the plan was made"), LeftOut("no/such", "no endpoint"))
    lab.plan = msgspec.structs.replace(lab.plan, steps=(lab.plan.steps[0], lab.plan.steps[2]), left_out=left_out)
    lab.run(DOWN)
    (skipped,) = lab.exchange.attempt_log
    assert (skipped.deployment, skipped.failure) == ("anthropic/m", "rate_limited")
    assert skipped.reason == "the credential anthropic#default rests"
    assert skipped.retry_after_s == pytest.approx(30.0, abs=1)


def test_what_is_told_says_whose_it_is() -> None:
    lab = Lab()
    _, told = lab.run(DOWN, LIMITED, DOWN)
    assert (told.failure, told.step) == (LIMITED, lab.plan.steps[1])
    _, told = Lab().run(failing("rate_limited", 429, 5.0), LIMITED)
    assert told.step is not None
    assert (told.failure.retry_after_s, told.step.deployment.id) == (5.0, "deepseek/m")
