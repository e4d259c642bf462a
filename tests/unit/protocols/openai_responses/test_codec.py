"""The codec's own work: what it peeks at, and what it changes of a body that is relayed."""

import json

import pytest

from anykey.conversation.failures import FailureError
from anykey.protocols.codec import Codec, RequestPath
from anykey.protocols.openai_responses.codec import CODEC
from anykey.protocols.openai_responses.dialect import Dialect
from anykey.protocols.openai_responses.tap import StreamTap, WholeTap

BODY = b'{"model": "m", "input": "Hi", "stream": true, "n": 1.50}'


def test_it_is_a_codec() -> None:
    codec: Codec = CODEC
    assert codec.name == "openai_responses"
    assert codec.call_url("https://a/v1/responses", "m", stream=True) == "https://a/v1/responses"
    assert codec.request_headers(((b"x", b"y"),), Dialect(), verbatim=True) == ()
    assert codec.heartbeat().startswith(b":")
    assert codec.dialect({"store": True}) == Dialect(store=True)


def test_the_model_and_the_stream_flag_are_read_alone() -> None:
    peek = CODEC.peek(BODY, RequestPath())
    assert (peek.model, peek.stream) == ("m", True)
    assert CODEC.peek(BODY, RequestPath("other")).model == "other"
    with pytest.raises(FailureError, match="model: this field is required"):
        CODEC.peek(b"{}", RequestPath())


def test_a_relayed_body_changes_only_its_model() -> None:
    assert CODEC.prepare_verbatim(BODY, "m", Dialect()).body is BODY
    body, hides = CODEC.prepare_verbatim(BODY, "other", Dialect())
    assert json.loads(body) == {**json.loads(BODY), "model": "other"}
    assert b"1.50" in body
    assert not hides
    with pytest.raises(FailureError, match="JSON"):
        CODEC.prepare_verbatim(b'{"model": "m", "x": ', "other", Dialect())


def test_a_request_passes_both_ways() -> None:
    request, losses = CODEC.decode_request(BODY, RequestPath())
    body, more = CODEC.encode_request(request, Dialect())
    assert json.loads(body)["n"] == 1.5
    assert (losses, more) == ((), ())


def test_each_answer_has_its_tap() -> None:
    assert isinstance(CODEC.tap(Dialect(), stream=True, hide_usage=False), StreamTap)
    assert isinstance(CODEC.tap(Dialect(), stream=False, hide_usage=False), WholeTap)


def test_a_body_fits_where_the_whole_protocol_is_known() -> None:
    assert CODEC.fits_verbatim(b"{}", Dialect())
    assert not CODEC.fits_verbatim(b"{}", Dialect(verbatim=False))
