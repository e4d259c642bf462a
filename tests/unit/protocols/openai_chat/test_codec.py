import json

import pytest

from anykey.conversation.failures import Failure, FailureError
from anykey.conversation.parts import TextPart
from anykey.protocols.codec import Codec, Peek, RequestPath
from anykey.protocols.openai_chat.codec import CODEC
from anykey.protocols.openai_chat.dialect import Dialect
from tests.unit.protocols.openai_chat.samples import PLAIN, asking, encode, user

BODY = b'{"stream":false,"model" : "a", "messages":[ {"role":"user","content":"h\\u00e9"} ], "n": 1.0}'


def test_it_is_a_codec() -> None:
    codec: Codec = CODEC
    assert (codec.name, codec.request_id_header) == ("openai_chat", b"x-request-id")
    assert codec.request_headers([(b"x-app", b"cli")], PLAIN, verbatim=True) == ()
    assert codec.dialect({"sampling": False}) == Dialect(sampling=False)


def test_some_fields_are_read_ahead() -> None:
    peek = CODEC.peek(BODY, RequestPath())
    assert (peek.model, peek.stream, bytes(peek.n), bytes(peek.max_tokens)) == ("a", False, b"1.0", b"")
    assert CODEC.peek(b'{"model":"a"}', RequestPath("b")) == Peek("b")


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"{}", "model: this field is required"),
        (b'{"model":3}', "model"),
        (b'{"model":"a"', "not valid JSON"),
        (b"[]", "object"),
    ],
)
def test_a_body_that_cannot_be_read_is_the_callers_fault(body: bytes, message: str) -> None:
    for read in (lambda: CODEC.peek(body, RequestPath()), lambda: CODEC.prepare_verbatim(body, "b", PLAIN)):
        with pytest.raises(FailureError, match=message) as caught:
            read()
        assert caught.value.failure.kind == "invalid_request"


def test_nothing_to_change_is_the_same_bytes() -> None:
    assert CODEC.prepare_verbatim(BODY, "a", PLAIN).body is BODY
    asked = b'{"model":"a","messages":[],"stream":true,"stream_options":{"include_usage":true}}'
    assert CODEC.prepare_verbatim(asked, "a", PLAIN) == (asked, False)
    assert CODEC.prepare_verbatim(asked, "a", PLAIN).body is asked
    plain = b'{"model":"a","messages":[],"stream":true}'
    assert CODEC.prepare_verbatim(plain, "a", Dialect(stream_options=False)).body is plain


def test_only_the_model_changes() -> None:
    prepared = CODEC.prepare_verbatim(BODY, "b", PLAIN)
    assert prepared == (
        b'{"stream":false,"model":"b","messages":[ {"role":"user","content":"h\\u00e9"} ],"n":1.0}',
        False,
    )


@pytest.mark.parametrize(
    ("options", "sent"),
    [
        ("", {"include_usage": True}),
        (',"stream_options":{"include_obfuscation":false}', {"include_obfuscation": False, "include_usage": True}),
        (',"stream_options":{"include_usage":false}', {"include_usage": True}),
        (',"stream_options":null', {"include_usage": True}),
    ],
)
def test_a_stream_is_asked_for_its_usage_which_is_then_hidden(options: str, sent: dict[str, bool]) -> None:
    body = f'{{"model":"a","stream":true{options},"messages":[]}}'.encode()
    prepared = CODEC.prepare_verbatim(body, "a", PLAIN)
    assert prepared.hide_usage
    assert json.loads(prepared.body) == {"model": "a", "stream": True, "stream_options": sent, "messages": []}


CACHING = Dialect(prompt_cache_header="x-prompt-cache-id")


@pytest.mark.parametrize("more", ["", ',"stream":false'])
def test_a_cache_key_moves_from_the_body_to_its_header(more: str) -> None:
    body = f'{{"model":"a","prompt_cache_key":"s-1","messages":[ ]{more}}}'.encode()
    prepared = CODEC.prepare_verbatim(body, "a", CACHING)
    assert prepared.body == f'{{"model":"a","messages":[ ]{more}}}'.encode()
    assert CODEC.request_headers((), CACHING, verbatim=True, asked=body) == ((b"x-prompt-cache-id", b"s-1"),)
    assert CODEC.request_headers((), PLAIN, verbatim=True, asked=body) == ()
    assert CODEC.request_headers((), CACHING, verbatim=True, asked=BODY) == ()
    assert CODEC.prepare_verbatim(BODY, "a", CACHING).body is BODY


def test_a_translated_request_names_its_cache_in_the_header() -> None:
    asked = asking(user(TextPart("hi")), cache_key="s-2")
    assert CODEC.request_headers((), CACHING, verbatim=False, asked=asked) == ((b"x-prompt-cache-id", b"s-2"),)
    assert encode(asked, CACHING) == ({"model": "m", "messages": [{"role": "user", "content": "hi"}]}, [])
    session = asking(user(TextPart("hi")), metadata={"user_id": "session-3"}, end_user="session-3")
    assert CODEC.request_headers((), CACHING, verbatim=False, asked=session) == ((b"x-prompt-cache-id", b"session-3"),)


def test_the_failure_of_a_relayed_stream_is_one_event() -> None:
    assert CODEC.encode_stream_failure(Failure("upstream_error", "gone"), "r").startswith(b'data: {"error":')


def test_free_text_tools_do_not_fit_where_there_are_functions_only() -> None:
    free = b'{"model":"a","messages":[],"tools":[{"type":"custom","custom":{"name":"n"}}]}'
    assert not CODEC.fits_verbatim(free, Dialect())
    assert CODEC.fits_verbatim(free, Dialect(custom_tools=True))
    assert CODEC.fits_verbatim(BODY, Dialect())
