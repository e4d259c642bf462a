"""Which deployment a conversation's state belongs to, and by which mark a conversation is known again."""

import json
from types import SimpleNamespace
from typing import Any, cast

import pytest

from anykey.conversation.parts import OpaqueState, ReasoningPart
from anykey.exchange.affinity import MOST_CONVERSATIONS, Affinity, conversation_mark
from anykey.exchange.exchange import Exchange, Inbound
from anykey.protocols.catalog import CODECS
from anykey.protocols.envelope import Maker, derive_secret, seal
from anykey.routing.plan import Plan, PlanStep

SECRET = derive_secret(b"pepper")
MESSAGES, CHAT = "anthropic_messages", "openai_chat"
SESSION = ((b"x-claude-code-session-id", b"s1"),)


def step(deployment: str, protocol: str = MESSAGES) -> PlanStep:
    provider = deployment.partition("/")[0]
    return cast(
        "PlanStep",
        SimpleNamespace(
            deployment=SimpleNamespace(id=deployment), endpoint=SimpleNamespace(provider=provider, protocol=protocol)
        ),
    )


A, B, C = step("a/m"), step("b/m"), step("c/m", CHAT)
PLAN = Plan((A, B, C), "m", "public_name")


def exchange(body: bytes, headers: tuple[tuple[bytes, bytes], ...] = SESSION, key: str = "k1") -> Exchange:
    made = Exchange("req", Inbound(CODECS[MESSAGES], headers, body, "test"), 0.0, 0)
    made.key = cast("Any", SimpleNamespace(id=key))
    return made


RAW = b'{"messages":[{"role":"assistant","content":[{"type":"thinking","thinking":"","signature":"EqQB"}]}]}'


def order(affinity: Affinity, called: Exchange, plan: Plan = PLAN) -> list[tuple[str, bool]]:
    return [(attempt.step.deployment.id, attempt.foreign_state) for attempt in affinity.order(called, plan)]


def test_raw_state_goes_to_who_answered_last_and_to_others_without_it() -> None:
    affinity = Affinity(SECRET)
    affinity.remember(exchange(RAW), PLAN, B)
    assert order(affinity, exchange(RAW)) == [("b/m", False), ("a/m", True), ("c/m", True)]


def test_a_conversation_without_state_keeps_the_plans_order() -> None:
    affinity = Affinity(SECRET)
    affinity.remember(exchange(RAW), PLAN, B)
    plain = [("a/m", False), ("b/m", False), ("c/m", False)]
    assert order(affinity, exchange(b'{"messages":[]}')) == plain
    assert order(affinity, exchange(RAW, headers=((b"session-id", b"s2"),))) == plain
    assert order(affinity, exchange(RAW, key="k2")) == plain


def test_an_envelope_names_its_maker() -> None:
    part = ReasoningPart("", OpaqueState(CHAT, "x"))
    text = seal(part, Maker(CHAT, "c", "c/m"), SECRET)
    body = b'{"messages":[{"signature":"%b"}]}' % text.encode()
    assert order(Affinity(SECRET), exchange(body)) == [("c/m", False), ("a/m", True), ("b/m", True)]
    forged = seal(part, Maker(CHAT, "c", "c/m"), derive_secret(b"other"))
    assert order(Affinity(SECRET), exchange(body.replace(text.encode(), forged.encode())))[0] == ("a/m", False)


def test_a_plan_of_one_step_is_not_looked_at() -> None:
    affinity = Affinity(SECRET)
    single = Plan((A,), "m", "public_name")
    affinity.remember(exchange(RAW), single, A)
    assert order(affinity, exchange(RAW), single) == [("a/m", False)]
    assert order(affinity, exchange(RAW)) == [("a/m", False), ("b/m", False), ("c/m", False)]


def test_a_translated_answer_is_not_remembered() -> None:
    affinity = Affinity(SECRET)
    affinity.remember(exchange(RAW), PLAN, C)
    assert order(affinity, exchange(RAW))[0] == ("a/m", False)


def test_the_least_recently_used_is_forgotten() -> None:
    affinity = Affinity(SECRET)
    calls = [exchange(RAW, ((b"session-id", str(n).encode()),)) for n in range(MOST_CONVERSATIONS + 1)]
    for called in [*calls[:-1], calls[0], calls[-1]]:
        affinity.remember(called, PLAN, B)
    assert order(affinity, calls[0])[0] == ("b/m", False)
    assert order(affinity, calls[1])[0] == ("a/m", False)


@pytest.mark.parametrize(
    "name", [b"x-claude-code-session-id", b"session-id", b"x-session-id", b"session_id", b"thread-id"]
)
def test_a_session_header_is_the_mark(name: bytes) -> None:
    assert conversation_mark(((b"accept", b"*/*"), (name, b"s7")), b"not read") == "s7"


def first_said(field: str, *turns: dict[str, Any], **more: Any) -> str | None:
    return conversation_mark((), json.dumps({field: turns, **more}).encode())


def test_a_field_of_the_body_is_the_mark() -> None:
    said = {"role": "user", "content": "hi"}
    assert first_said("messages", said, prompt_cache_key="p1") == "p1"
    assert first_said("messages", said, metadata={"user_id": "u1"}) == "u1"


def test_what_was_said_first_is_the_mark_wherever_the_cache_mark_stands() -> None:
    system = {"role": "system", "content": "s"}
    marked = {"role": "user", "content": [{"type": "text", "text": "hi", "cache_control": {"type": "ephemeral"}}]}
    found = first_said("messages", system, marked)
    assert found is not None
    assert found == first_said("messages", {"role": "user", "content": "hi"}, {"role": "assistant", "content": "yes"})
    assert found == first_said("input", {"role": "user", "content": [{"type": "input_text", "text": "hi"}]})
    assert found == first_said("contents", {"role": "user", "parts": [{"text": "hi"}]})
    assert found == conversation_mark((), b'{"input": "hi"}')
    assert found != first_said("messages", {"role": "user", "content": "ho"})


@pytest.mark.parametrize(
    "body", [b"", b"{}", b'{"messages": 7}', b'{"messages": [{"role": "assistant", "content": ""}]}']
)
def test_a_body_that_tells_nothing_has_no_mark(body: bytes) -> None:
    assert conversation_mark((), body) is None
