"""The protocols there are, by name."""

from __future__ import annotations

from collections.abc import Mapping

from anykey.protocols.anthropic_messages.codec import CODEC as ANTHROPIC_MESSAGES
from anykey.protocols.codec import Codec
from anykey.protocols.openai_chat.codec import CODEC as OPENAI_CHAT

CODECS: Mapping[str, Codec] = {codec.name: codec for codec in (OPENAI_CHAT, ANTHROPIC_MESSAGES)}
