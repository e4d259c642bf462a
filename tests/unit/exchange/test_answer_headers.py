"""What the headers of an answer say."""

from anykey.conversation.losses import Loss
from anykey.exchange.answer_headers import LOSSES_LIMIT, answer_headers, refusal_headers, with_losses
from anykey.exchange.exchange import Exchange, Inbound
from anykey.exchange.ways import WayOut, make_way
from anykey.protocols.catalog import CODECS
from anykey.routing.ask import Ask
from anykey.routing.plan import Plan, plan
from tests.unit.routing.configuring import provider, snapshot


def way() -> WayOut:
    route = plan(snapshot(provider("openai")), Ask(model="openai/gpt-é", protocol="openai_chat"))
    assert isinstance(route, Plan)
    return make_way(route.steps[0], None)


def exchange() -> Exchange:
    return Exchange("req_1", Inbound(CODECS["openai_chat"], (), b"{}", "curl"), 0.0, 0)


def test_an_answer_names_its_maker() -> None:
    call, out = exchange(), way()
    call.begin_attempt(out.step)
    told = dict(answer_headers(call, out))
    assert told == {
        b"content-type": b"application/json",
        b"x-request-id": b"req_1",
        b"x-anykey-request-id": b"req_1",
        b"x-anykey-trace-id": b"req_1",
        b"x-anykey-provider": b"openai",
        b"x-anykey-model": b"gpt-?",
        b"x-anykey-deployment": b"openai/gpt-?",
        b"x-anykey-attempts": b"1",
    }
    call.begin_attempt(out.step)
    call.trace_id, call.stream = "trace-7", True
    later = dict(answer_headers(call, out))
    assert (later[b"x-anykey-attempts"], later[b"x-anykey-trace-id"]) == (b"2", b"trace-7")
    assert later[b"content-type"].startswith(b"text/event-stream")


def test_a_refusal_names_who_was_asked_last() -> None:
    call = exchange()
    assert refusal_headers(call) == ((b"x-anykey-trace-id", b"req_1"),)
    call.begin_attempt(way().step)
    assert dict(refusal_headers(call))[b"x-anykey-deployment"] == b"openai/gpt-?"
    assert dict(refusal_headers(call))[b"x-anykey-attempts"] == b"1"


def test_losses_are_one_line_of_bounded_length() -> None:
    call = exchange()
    assert with_losses(call, ()) == ()
    call.request_losses = tuple(Loss("dropped", f"x\r\nset-cookie: {number}", "why") for number in range(500))
    ((_, told),) = with_losses(call, with_losses(call, ()))
    assert len(told) <= LOSSES_LIMIT
    assert b"\n" not in told
