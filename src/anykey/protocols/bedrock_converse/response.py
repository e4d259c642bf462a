"""The whole answer."""

from __future__ import annotations

from typing import Any

import msgspec

from anykey.conversation.failures import Failure, FailureError
from anykey.conversation.parts import Extras, Json, ToolCallPart
from anykey.conversation.response import Choice, GenerateResponse
from anykey.protocols.bedrock_converse.answer_parts import decode_block
from anykey.protocols.bedrock_converse.errors import decode_failure
from anykey.protocols.bedrock_converse.extras import is_array, is_object, keep, object_at
from anykey.protocols.bedrock_converse.finish import decode_finish
from anykey.protocols.bedrock_converse.usage import decode_usage
from anykey.protocols.codec import Decoded

_READ = frozenset({"output", "stopReason", "usage", "serviceTier", "metrics", "performanceConfig"})
"""``metrics`` is how long the service itself took, ``performanceConfig`` what it was asked for: nothing of the answer."""


def decode_response(body: bytes) -> Decoded[GenerateResponse]:
    """The upstream's answer, which names neither itself nor its model. FailureError: it is an error with a status of success, or
    it cannot be read."""
    try:
        answer: Any = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise _unreadable("it is not JSON") from None
    if not is_object(answer):
        raise _unreadable("it is not an object")
    if "output" not in answer and isinstance(answer.get("message", answer.get("Message")), str):
        raise FailureError(decode_failure(200, (), body))
    content = object_at(object_at(answer, "output"), "message").get("content")
    if not is_array(content) or not all(is_object(block) for block in content):
        raise _unreadable("it has no content")
    parts = tuple(decode_block(block) for block in content)
    word = answer.get("stopReason")
    called = any(isinstance(part, ToolCallPart) for part in parts)
    finish = None if word is None else decode_finish(word, called=called)
    response = GenerateResponse(
        id="",
        model="",
        choices=(Choice(parts, finish),),
        usage=decode_usage(answer.get("usage")),
        service_tier=tier_of(answer),
        extras=unread(answer),
    )
    return Decoded(response, ())


def tier_of(value: Json) -> str | None:
    """The word of ``serviceTier``."""
    word = object_at(value, "serviceTier").get("type")
    return word if isinstance(word, str) else None


def unread(value: Json) -> Extras:
    """The keys of an answer without a neutral field (``trace``, ``additionalModelResponseFields``)."""
    return keep({key: item for key, item in value.items() if key not in _READ})


def _unreadable(reason: str) -> FailureError:
    return FailureError(Failure("upstream_error", f"The provider sent an answer that cannot be read: {reason}"))
