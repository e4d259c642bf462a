"""Errors of Chat Completions: those of OpenAI's shape (``openai_errors``), and the event that ends a broken stream."""

from __future__ import annotations

import msgspec

from anykey.conversation.failures import Failure
from anykey.protocols.openai_errors import decode_failure, encode_failure, error_object, failure_in_answer

__all__ = ["decode_failure", "encode_failure", "encode_stream_failure", "failure_in_answer"]


def encode_stream_failure(failure: Failure, request_id: str) -> bytes:
    """The event that ends a broken stream; nothing may follow it."""
    error = error_object(failure)
    if request_id:
        error["request_id"] = request_id
    return b"data: " + msgspec.json.encode({"error": error}) + b"\n\n"
