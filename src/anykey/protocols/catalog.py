"""The protocols there are, by name."""

from __future__ import annotations

from collections.abc import Mapping

from anykey.protocols.anthropic_messages.codec import CODEC as ANTHROPIC_MESSAGES
from anykey.protocols.anthropic_messages.counting import COUNTER as COUNT_MESSAGES
from anykey.protocols.bedrock_converse.codec import CODEC as BEDROCK_CONVERSE
from anykey.protocols.codec import Codec, UpstreamCodec
from anykey.protocols.counting import TokenCounter
from anykey.protocols.gemini_generate.codec import CODEC as GEMINI_GENERATE
from anykey.protocols.gemini_generate.counting import COUNTER as COUNT_GEMINI
from anykey.protocols.openai_chat.codec import CODEC as OPENAI_CHAT
from anykey.protocols.openai_responses.codec import CODEC as OPENAI_RESPONSES
from anykey.protocols.openai_responses.counting import COUNTER as COUNT_RESPONSES

CODECS: Mapping[str, Codec] = {
    codec.name: codec for codec in (OPENAI_CHAT, OPENAI_RESPONSES, ANTHROPIC_MESSAGES, GEMINI_GENERATE)
}
"""The protocols that clients speak to us, each of which we speak to upstreams as well."""

UPSTREAM_CODECS: Mapping[str, UpstreamCodec] = {**CODECS, BEDROCK_CONVERSE.name: BEDROCK_CONVERSE}
"""The protocols that we speak to upstreams."""

COUNTERS: Mapping[str, TokenCounter] = {
    "openai_responses": COUNT_RESPONSES,
    "anthropic_messages": COUNT_MESSAGES,
    "gemini_generate": COUNT_GEMINI,
}
"""The protocols that have an endpoint to count tokens; Chat Completions has none."""
