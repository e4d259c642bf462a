import pytest

from anykey.conversation.failures import FailureError
from anykey.protocols.codec import Codec, Peek, RequestPath
from anykey.protocols.gemini_generate.codec import CODEC
from anykey.protocols.gemini_generate.dialect import Dialect

URL = "https://example.test/v1beta/models"
PLAIN = Dialect()


def test_it_is_a_codec() -> None:
    codec: Codec = CODEC
    assert (codec.name, codec.request_id_header) == ("gemini_generate", b"x-request-id")
    assert codec.request_headers([(b"x-goog-api-client", b"x")], PLAIN, verbatim=True) == ()
    assert codec.dialect({"labels": True}) == Dialect(labels=True)
    assert codec.heartbeat().startswith(b'data: {"candidates":[')


@pytest.mark.parametrize(
    ("model", "called"),
    [
        ("gemini-3.1-pro-preview", f"{URL}/gemini-3.1-pro-preview"),
        ("models/gemini-2.5-pro", f"{URL}/gemini-2.5-pro"),
        ("tunedModels/mine", "https://example.test/v1beta/tunedModels/mine"),
        ("vendor/model", f"{URL}/vendor/model"),
        ("gemma3:4b it", f"{URL}/gemma3%3A4b%20it"),
        ("é?key=x#y", f"{URL}/%C3%A9%3Fkey%3Dx%23y"),
    ],
)
def test_the_model_and_the_verb_stand_in_the_address(model: str, called: str) -> None:
    assert CODEC.call_url(URL, model, stream=False) == f"{called}:generateContent"
    assert CODEC.call_url(URL, model, stream=True) == f"{called}:streamGenerateContent?alt=sse"


@pytest.mark.parametrize("model", ["../files/secret", "a/../b", "a//b", "models/", "."])
def test_no_name_of_a_model_leads_elsewhere(model: str) -> None:
    with pytest.raises(FailureError, match="no name of a model"):
        CODEC.call_url(URL, model, stream=False)


def test_the_path_says_what_routing_needs() -> None:
    assert CODEC.peek(b'{"contents":[]}', RequestPath("m", stream=True)) == Peek("m", stream=True)
    assert CODEC.peek(b'{"model":"models/x"}', RequestPath("m")) == Peek("m", stream=False)
    assert CODEC.peek(b'{"model":"models/x"}', RequestPath()) == Peek("x", stream=False)


@pytest.mark.parametrize(
    ("body", "message"),
    [(b"{}", "model: this field is required"), (b'{"contents":', "not valid JSON"), (b"[]", "object")],
)
def test_a_body_that_cannot_be_read_is_the_callers_fault(body: bytes, message: str) -> None:
    with pytest.raises(FailureError, match=message) as caught:
        CODEC.peek(body, RequestPath())
    assert caught.value.failure.kind == "invalid_request"


def test_a_body_without_a_model_is_the_same_bytes() -> None:
    body = b'{ "contents":[{"role":"model","parts":[]}] }'
    assert CODEC.prepare_verbatim(body, "b", PLAIN).body is body


@pytest.mark.parametrize(("named", "sent"), [("models/a", "models/b"), ("a", "b")])
def test_a_model_in_the_body_becomes_the_upstreams(named: str, sent: str) -> None:
    body = f'{{"model":"{named}","contents":[ {{"parts":[]}} ],"x":1.0}}'.encode()
    assert CODEC.prepare_verbatim(body, "b", PLAIN) == (
        f'{{"model":"{sent}","contents":[ {{"parts":[]}} ],"x":1.0}}'.encode(),
        False,
    )
    assert CODEC.prepare_verbatim(body, named, PLAIN).body is body


def test_every_verb_is_there() -> None:
    request = CODEC.decode_request(b'{"contents":"hi"}', RequestPath("m")).value
    assert CODEC.encode_request(request, PLAIN).body == b'{"contents":[{"role":"user","parts":[{"text":"hi"}]}]}'
    wire = b'{"candidates":[{"content":{"role":"model","parts":[{"text":"yo"}]},"finishReason":"STOP"}]}'
    answer = CODEC.decode_response(wire, PLAIN).value
    assert b'"text":"yo"' in CODEC.encode_response(answer, request).body
    events = CODEC.stream_decoder(PLAIN).feed(b"data: " + wire + b"\r\n\r\n")
    assert b'"text":"yo"' in CODEC.stream_encoder(request).feed(events)
    for stream in (True, False):
        tap = CODEC.tap(PLAIN, stream=stream, hide_usage=False)
        tap.feed(b"data: " + wire + b"\r\n\r\n" if stream else wire)
        tap.close()
        assert tap.report.content


def test_failures_have_googles_shape() -> None:
    failure = CODEC.decode_failure(404, (), b'{"error":{"code":404,"message":"no such","status":"NOT_FOUND"}}')
    assert b'"status":"NOT_FOUND"' in CODEC.encode_failure(failure, "r").body
    assert b'"message":"no such"' in CODEC.encode_stream_failure(failure, "r")
