"""The law of each protocol, by its name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from anykey.conformance.laws import anthropic_messages, gemini_generate, openai_chat, openai_responses
from anykey.conversation.parts import ProtocolName
from anykey.protocols.sse import SseEvent


class Law(Protocol):
    """What a module of laws offers; each verb gives the breaches it found."""

    def check_answer(self, body: bytes) -> list[str]: ...
    def check_stream(self, records: list[SseEvent]) -> list[str]: ...
    def check_failure(self, status: int, body: bytes) -> list[str]: ...
    def check_models(self, body: bytes) -> list[str]: ...


LAWS: Mapping[ProtocolName, Law] = {
    "openai_chat": openai_chat,
    "openai_responses": openai_responses,
    "anthropic_messages": anthropic_messages,
    "gemini_generate": gemini_generate,
}
