"""A turn under way whose thinking was lost: its client does not keep it, or another model began it.

Messages models that think up to a budget refuse to go on thinking after a tool call that no thinking of theirs precedes; models
that size their thinking themselves do not mind (protocols part 3). Where the first is the case, the turn goes on without.
"""

from __future__ import annotations

from typing import Any

import msgspec

from anykey.conversation.losses import Loss
from anykey.conversation.message import Message
from anykey.conversation.parts import ReasoningPart, ToolCallPart, ToolResultPart
from anykey.conversation.request import Reasoning
from anykey.exchange.state import Opened
from anykey.protocols.anthropic_messages.dialect import Dialect as MessagesDialect
from anykey.protocols.bedrock_converse.dialect import Dialect as ConverseDialect

_UNKNOWN = "the thinking that began this turn is not known here, without which this model refuses to go on thinking"


def go_on_without(opened: Opened, dialect: Any) -> Opened:
    """``opened`` with thinking switched off if its upstream would refuse it. ``dialect`` is any protocol's."""
    asked = opened.request.reasoning
    thinks = asked is not None and asked.mode != "off" and asked.effort != "none"
    if not thinks or not isinstance(dialect, MessagesDialect | ConverseDialect) or dialect.thinking != "budget":
        return opened
    if not _unthought(opened.request.messages):
        return opened
    request = msgspec.structs.replace(opened.request, reasoning=Reasoning(mode="off"))
    return opened._replace(request=request, losses=(*opened.losses, Loss("dropped", "reasoning", _UNKNOWN)))


def _unthought(messages: tuple[Message, ...]) -> bool:
    """The last thing said are results of tools, and what the assistant said right before them holds no state."""
    results = called = False
    for message in reversed(messages):
        if message.role == "assistant":
            if any(type(part) is ReasoningPart and part.state is not None for part in message.parts):
                return False
            called = called or any(type(part) is ToolCallPart for part in message.parts)
        elif called:
            break
        elif any(type(part) is ToolResultPart for part in message.parts):
            results = True
        else:
            break
    return results and called
