"""What is fixed of a call to a deployment with a credential, and what each call adds."""

from typing import cast

import msgspec
import pytest

from anykey.exchange import ways as module
from anykey.exchange.ways import Ways, authorise, make_way
from anykey.providers.auth import HeaderPairs
from anykey.providers.auth.binding import Origin
from anykey.providers.configured import StoredCredential
from anykey.providers.secret import Secret
from anykey.routing.ask import Ask
from anykey.routing.plan import Plan, PlanStep, plan
from anykey.upstream.records import Call
from anykey.upstream.tokens import TokenSource
from tests.unit.routing.configuring import provider, snapshot

A, B = StoredCredential("openai#a", Secret("sa")), StoredCredential("openai#b", Secret("sb"), auth="x_api_key")


def step(model: str = "openai/gpt-x", **settings: object) -> PlanStep:
    settings.setdefault("credentials", (A, B))
    known = snapshot(provider("openai", "openai", **settings))
    route = plan(known, Ask(model=model, protocol="openai_chat"))
    assert isinstance(route, Plan)
    return route.steps[0]


def test_each_credential_has_its_way() -> None:
    ways, here = Ways(), step()
    first, second = ways.of(here, A), ways.of(here, B)
    assert dict(first.headers)[b"authorization"] == b"Bearer sa"
    assert dict(second.headers)[b"x-api-key"] == b"sb"
    assert b"authorization" not in dict(second.headers)
    assert first.mark.startswith("openai#a ")
    assert first.pair != second.pair
    assert ways.first(here) is first is ways.of(here, A)
    assert ways.of(here, B) is second


def test_another_secret_under_the_same_name_is_another_way() -> None:
    ways = Ways()
    old = ways.first(step())
    new = ways.first(step(credentials=(StoredCredential("openai#a", Secret("new")),)))
    assert dict(new.headers)[b"authorization"] == b"Bearer new"
    assert old.mark != new.mark


def test_their_number_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "WAYS_KEPT", 3)
    ways = Ways()
    steps = [step(f"openai/m{number}") for number in range(10)]
    for one in steps:
        ways.first(one)
        ways.of(one, B)
        assert len(ways) <= 3
    ways.clear()
    assert len(ways) == 0


def test_a_step_made_for_one_call_has_the_way_of_its_like() -> None:
    ways, here = Ways(), step()
    known = ways.first(here)
    like = msgspec.structs.replace(here, why="for this call")
    assert ways.first(like).step is like
    assert ways.first(like).headers is known.headers


def test_a_limit_of_the_step_bounds_the_call() -> None:
    way = make_way(msgspec.structs.replace(step(), timeout_s=7.0), A)
    assert (way.timeouts.total_s, way.timeouts.first_byte_s, way.timeouts.connect_s) == (7.0, 7.0, 5.0)


def test_the_model_in_the_url_is_encoded() -> None:
    here = step("openai/gpt x/é?")
    door = msgspec.structs.replace(here.endpoint, url="https://h/deployments/{model}/chat?api-version=1")
    way = make_way(msgspec.structs.replace(here, endpoint=door), A)
    assert way.url == way.stream_url == "https://h/deployments/gpt%20x%2F%C3%A9%3F/chat?api-version=1"


def test_a_host_of_the_callers_own_gets_nothing_of_ours() -> None:
    here = msgspec.structs.replace(step(headers=(("X-Team", "secret-team"),)), custom="https://elsewhere.example/v1")
    way = make_way(here, A)
    assert b"sa" not in b"".join(value for _, value in way.headers)
    assert {name for name, _ in way.headers} == {b"content-type", b"user-agent"}
    assert (way.credential, way.authorised) == (None, True)
    assert way.shown(Secret("mine")) == ((b"authorization", b"Bearer mine"),)


def test_a_credential_goes_to_its_origin_only() -> None:
    bound = StoredCredential("openai#a", Secret("sa"), origin=Origin("https", "api.openai.com", 443))
    here = step()
    assert (b"authorization", b"Bearer sa") in make_way(here, bound).headers
    moved = msgspec.structs.replace(here.endpoint, url="https://api.openai.com.example/v1/chat/completions")
    away = make_way(msgspec.structs.replace(here, endpoint=moved), bound)
    assert b"authorization" not in dict(away.headers)


def test_nothing_secret_is_in_a_repr() -> None:
    assert "sa" not in repr(make_way(step(), A)).replace("WayOut", "")


class Tokens:
    """Gives one token."""

    async def get(self, scheme: str, credential: Secret) -> Secret:
        return Secret(f"token of {scheme}")


CALL = Call(
    "POST", "https://bedrock-runtime.us-east-1.amazonaws.com/m?x=1", ((b"content-type", b"application/json"),), b"{}"
)


async def authorised(scheme: str, secret: str, call: Call = CALL) -> Call:
    way = make_way(step(), StoredCredential("openai#a", Secret(secret), auth=scheme))
    assert not way.authorised
    return await authorise(call, way, cast("TokenSource", Tokens()), 1_700_000_000.0)


async def test_a_key_in_the_query_is_joined_at_the_call() -> None:
    made = await authorised("query_key", "k&1")
    assert made.url == CALL.url + "&key=k%261"
    assert "k&1" not in repr(made)


async def test_a_call_is_signed() -> None:
    made = await authorised("aws_sigv4", "AKID:SECRET")
    signature = dict(made.headers)[b"authorization"]
    assert signature.startswith(b"AWS4-HMAC-SHA256 Credential=AKID/20231114/us-east-1/bedrock/")
    assert made.url == CALL.url


async def test_an_account_is_exchanged_for_a_token(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_headers(_: Secret) -> HeaderPairs:
        return ()

    grants = module.SCHEMES["google_oauth"]._replace(headers=no_headers)
    monkeypatch.setattr(module, "SCHEMES", {**module.SCHEMES, "google_oauth": grants})
    made = await authorised("google_oauth", "{}")
    assert dict(made.headers)[b"authorization"] == b"Bearer token of google_oauth"
