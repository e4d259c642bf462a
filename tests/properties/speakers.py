"""Each protocol with what a test needs of it: its codec, strategies of its wire, its dialects, and the rules of its requests."""

from collections.abc import Callable
from itertools import pairwise
from typing import Any, Literal, NamedTuple, get_args, get_origin

import msgspec
from hypothesis import strategies as st

from anykey.conversation import events as ev
from anykey.conversation.failures import Failure
from anykey.conversation.losses import Loss
from anykey.conversation.request import GenerateRequest
from anykey.protocols.catalog import CODECS
from anykey.protocols.codec import Codec, RequestPath
from tests.properties import chat_wire, gemini_wire, messages_wire, responses_wire
from tests.properties.rules import (
    check_chat_request,
    check_gemini_request,
    check_messages_request,
    check_responses_request,
)
from tests.properties.words import Json, dumps

HERE = RequestPath()
URL = "https://example.test/models"


class Speaker(NamedTuple):
    """``generous`` is the dialect that takes whatever the protocol has."""

    codec: Codec
    requests: st.SearchStrategy[Json]
    responses: st.SearchStrategy[Json]
    streams: st.SearchStrategy[bytes]
    usages: st.SearchStrategy[Json]
    generous: Any
    check_request: Callable[[Json], None]

    def __repr__(self) -> str:
        return self.name

    @property
    def name(self) -> str:
        return self.codec.name

    def dialects(self) -> st.SearchStrategy[Any]:
        """Any dialect that the protocol can have, its defaults the most often."""
        usual = self.codec.dialect({})
        fields = msgspec.structs.fields(usual)
        table = st.fixed_dictionaries({}, optional={field.name: _values(field.name, field.type) for field in fields})
        return st.just(usual) | st.just(self.generous) | table.map(self.codec.dialect)

    def read(self, body: Json) -> tuple[GenerateRequest, tuple[Loss, ...]]:
        return self.codec.decode_request(dumps(body), HERE)

    def reread(self, body: bytes, sent: GenerateRequest) -> GenerateRequest:
        """A written request read again; what the URL says of it is not in its body."""
        path = RequestPath(sent.model, sent.stream) if self.codec.name == "gemini_generate" else HERE
        return self.codec.decode_request(body, path).value

    def call(self, request: GenerateRequest, dialect: Any) -> tuple[bytes, tuple[Loss, ...]]:
        """All that an upstream gets of a request: its URL, its headers and its body; and the losses."""
        body, losses = self.codec.encode_request(request, dialect)
        headers = self.codec.request_headers((), dialect, verbatim=False, asked=request)
        url = self.codec.call_url(URL, request.model, stream=request.stream).encode()
        return b"\n".join((url, *(b": ".join(pair) for pair in headers), body)), losses


_TEXTS = {
    "hosted_tools": ["", "web_search", "web_search,code_execution"],
    "efforts": ["", "low, high"],
    "service_tiers": ["", "auto, default, fast"],
    "prompt_cache_header": ["", "x-prompt-cache-id"],
    "refused_fields": ["", "seed, store, user, metadata, verbosity, service_tier"],
}
"""What the fields may be that are texts of a certain form."""


def _values(name: str, kind: Any) -> st.SearchStrategy[Any]:
    if get_origin(kind) is Literal:
        return st.sampled_from(get_args(kind))
    if name in _TEXTS:
        return st.sampled_from(_TEXTS[name])
    if name == "body_version":
        return st.just("")  # with one, the model is not in the body but where the gateway puts it: in the URL
    if name.startswith("min_"):
        return st.just(128)
    return {bool: st.booleans(), int: st.just(32000), str: st.just("2023-06-01")}[kind]


CHAT = Speaker(
    CODECS["openai_chat"],
    chat_wire.requests(),
    chat_wire.responses(),
    chat_wire.streams(),
    chat_wire.USAGE,
    CODECS["openai_chat"].dialect(
        {
            "echo_reasoning": "always",
            "reasoning_details": True,
            "tool_result_images": "native",
            "cache_breakpoints": True,
            "custom_tools": True,
            "service_tier": True,
            "metadata": True,
            "prompt_cache_key": True,
            "verbosity": True,
            "strict_tools": True,
        }
    ),
    check_chat_request,
)
MESSAGES = Speaker(
    CODECS["anthropic_messages"],
    messages_wire.requests(),
    messages_wire.responses(),
    messages_wire.streams(),
    messages_wire.USAGE,
    CODECS["anthropic_messages"].dialect({"effort": True, "mid_conversation_system": True}),
    check_messages_request,
)
RESPONSES = Speaker(
    CODECS["openai_responses"],
    responses_wire.requests(),
    responses_wire.responses(),
    responses_wire.streams(),
    responses_wire.USAGE,
    CODECS["openai_responses"].dialect(
        {
            "reasoning_text": True,
            "cache_breakpoints": True,
            "audio": True,
            "video": True,
            "hosted_tools": "web_search,code_execution",
        }
    ),
    check_responses_request,
)
GEMINI = Speaker(
    CODECS["gemini_generate"],
    gemini_wire.requests(),
    gemini_wire.responses(),
    gemini_wire.streams(),
    gemini_wire.USAGE,
    CODECS["gemini_generate"].dialect(
        {
            "mixed_tools": True,
            "image_urls": True,
            "labels": True,
            "display_names": True,
            "media_resolution": True,
            "tool_result_media": "native",
            "highest_level": "xhigh",
            "lowest_level": "minimal",
        }
    ),
    check_gemini_request,
)
SPEAKERS = (CHAT, MESSAGES, RESPONSES, GEMINI)
PAIRS = [(source, target) for source in SPEAKERS for target in SPEAKERS]
CROSSINGS = [(source, target) for source, target in PAIRS if source is not target]


def pair_id(pair: tuple[Speaker, Speaker]) -> str:
    return f"{pair[0].name} to {pair[1].name}"


def check_refusal(failure: Failure) -> None:
    """A request that cannot be carried is refused as the caller's, with a reason."""
    assert failure.kind == "invalid_request"
    assert failure.message


def decoded(speaker: Speaker, data: bytes, cuts: tuple[int, ...] = ()) -> list[ev.StreamEvent]:
    """All the events of a stream that comes cut at ``cuts``."""
    decoder = speaker.codec.stream_decoder(speaker.generous)
    events: list[ev.StreamEvent] = []
    edges = [0, *sorted(min(cut, len(data)) for cut in cuts), len(data)]
    for start, end in pairwise(edges):
        events += decoder.feed(data[start:end])
    return events + decoder.close()
