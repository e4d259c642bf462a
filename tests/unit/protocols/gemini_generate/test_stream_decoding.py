from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anykey.conversation import events as ev
from anykey.conversation.assembly import assemble
from anykey.conversation.parts import TextPart
from anykey.protocols import sse as sse_module
from tests.unit.protocols.gemini_generate.answers import answering, chunk, dump, heard, sse, whole

STOP = {"finishReason": "STOP"}


def texts(values: st.SearchStrategy[str], **beside: Any) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries({"text": values, **{key: st.just(value) for key, value in beside.items()}})


WHOLE_PARTS: list[dict[str, Any]] = [
    {"functionCall": {"name": "f", "args": {"a": 1}}},
    {"functionCall": {"name": "p", "willContinue": True}},
    {"functionCall": {"partialArgs": [{"jsonPath": "$.a", "stringValue": "v"}], "willContinue": True}},
    {"functionCall": {"name": "s"}, "thoughtSignature": "c2ln"},
    {"inlineData": {"mimeType": "image/png", "data": "AAAA"}, "thoughtSignature": "c2ln"},
    {"toolCall": {"id": "1"}, "thoughtSignature": "c2ln"},
]
PARTS = st.one_of(
    texts(st.text("aé€\n", max_size=4)),
    texts(st.text("xy", max_size=3), thought=True),
    texts(st.sampled_from(["", "signed"]), thoughtSignature="c2ln"),
    texts(st.sampled_from(["", "x"]), thought=True, thoughtSignature="c2ln"),
    st.sampled_from(WHOLE_PARTS),
)
ANSWERS = st.lists(st.lists(PARTS, min_size=1, max_size=4), min_size=1, max_size=5)


@given(ANSWERS, st.integers(1, 40), st.booleans())
def test_any_stream_is_legal_whatever_the_cut(answer: list[list[Any]], size: int, crlf: bool) -> None:
    data = sse(*(chunk(*parts) for parts in answer), chunk(**STOP))
    data = data if crlf else data.replace(b"\r\n", b"\n")
    events, losses = heard(data)
    assert heard(data, size) == (events, losses)


@given(ANSWERS)
def test_a_stream_is_its_whole_answer(answer: list[list[Any]]) -> None:
    """The parts of all chunks in one body say the same."""
    events, losses = heard(sse(*(chunk(*parts) for parts in answer), chunk(**STOP)))
    if not losses:
        body = chunk(*(part for parts in answer for part in parts), **STOP)
        assert whole(body) == assemble(events)


@given(ANSWERS, st.integers(1, 40))
def test_a_json_array_says_the_same(answer: list[list[Any]], size: int) -> None:
    chunks = [*(chunk(*parts) for parts in answer), chunk(**STOP)]
    array = b"[" + b"\n,\r\n".join(map(dump, chunks)) + b"\n]"
    assert heard(array, size) == heard(sse(*chunks))


@given(st.binary(max_size=80), st.integers(1, 20))
def test_no_bytes_raise(data: bytes, size: int) -> None:
    events, _ = heard(data, size)
    assert isinstance(events[-1], ev.Broke)


@pytest.mark.parametrize("prefix", [b"", b"\xef\xbb\xbf", b"\n\n", b": hello\n\n"])
def test_what_may_stand_before_the_first_chunk(prefix: bytes) -> None:
    data = prefix + sse(chunk({"text": "a"}, **STOP))
    for size in (1, 2, 100):
        assert assemble(heard(data, size)[0]) == answering(TextPart("a"))


def test_a_terminator_that_google_does_not_write_is_passed_over() -> None:
    assert assemble(heard(sse(chunk({"text": "a"}, **STOP)) + b"data: [DONE]\n\n")[0]) == answering(TextPart("a"))


def test_the_last_blank_line_may_be_missing() -> None:
    data = sse(chunk({"text": "a"}), chunk({"text": "b"}, **STOP)).removesuffix(b"\r\n\r\n")
    assert assemble(heard(data)[0]) == answering(TextPart("ab"))
    cut = sse(chunk({"text": "a"}, **STOP)) + b'data: {"candidates": ['
    assert assemble(heard(cut)[0]) == answering(TextPart("a"))


@pytest.mark.parametrize(
    "data",
    [
        b"",
        sse(chunk({"text": "a"})),
        sse(chunk({"text": "a"})) + b'data: {"candid',
        sse({}),
        b"[" + dump(chunk({"text": "a"})) + b",{",
        b"data: {]\n\n",
    ],
)
def test_a_stream_without_its_end_breaks(data: bytes) -> None:
    events, _ = heard(data)
    assert isinstance(events[-1], ev.Broke)
    assert events[-1].failure.kind == "upstream_error"


@pytest.mark.parametrize("bare", [False, True])
def test_an_error_in_the_stream_breaks_it(bare: bool) -> None:
    error = {"error": {"code": 503, "message": "The model is overloaded.", "status": "UNAVAILABLE"}}
    data = dump([error]) if bare else sse(chunk({"text": "a"}), error, chunk({"text": "b"}, **STOP))
    events, _ = heard(data)
    last = events[-1]
    assert isinstance(last, ev.Broke)
    assert (last.failure.kind, last.failure.message) == ("overloaded", "The model is overloaded.")


def test_an_event_without_end_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sse_module.SseParser.__init__, "__defaults__", (64,))
    events, _ = heard(b"data: " + b"x" * 100)
    assert isinstance(events[-1], ev.Broke)
    assert "larger than 64 bytes" in events[-1].failure.message
