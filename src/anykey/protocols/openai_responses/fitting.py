"""A request for a server that knows a part of Responses only and refuses what it does not know (Ark answers 400 to any further
field): our own keys that have no neutral field are left out, each with a Loss.
"""

from __future__ import annotations

from typing import TypeVar

import msgspec

from anykey.conversation.losses import LossLog
from anykey.conversation.message import Message
from anykey.conversation.parts import Extras, Part
from anykey.conversation.request import GenerateRequest
from anykey.conversation.tools import Tool
from anykey.protocols.openai_responses.dialect import Dialect
from anykey.protocols.openai_responses.extras import NAME
from anykey.protocols.plain_tools import LAYOUT

_Carrier = TypeVar("_Carrier", Message, Part, Tool)
_REASON = "this upstream knows a part of Responses only"


def fit(request: GenerateRequest, dialect: Dialect, log: LossLog) -> GenerateRequest:
    """``request`` without what the server would refuse; the same object where ``dialect`` takes whatever a client says."""
    if dialect.verbatim:
        return request
    further = frozenset(word.strip() for word in dialect.further_fields.split(",")) | {LAYOUT}
    replace = msgspec.structs.replace
    return replace(
        request,
        messages=tuple(_message(message, f"messages[{index}]", log) for index, message in enumerate(request.messages)),
        tools=tuple(_bare(tool, f"tools[{index}]", log) for index, tool in enumerate(request.tools)),
        extras=_less(request.extras, "", log, keep=further),
    )


def _message(message: Message, path: str, log: LossLog) -> Message:
    parts = tuple(_bare(part, f"{path}.content[{index}]", log) for index, part in enumerate(message.parts))
    return msgspec.structs.replace(_bare(message, path, log), parts=parts)


def _bare(value: _Carrier, path: str, log: LossLog) -> _Carrier:
    extras: Extras = getattr(value, "extras", {})
    if NAME not in extras:
        return value
    return msgspec.structs.replace(value, extras=_less(extras, path, log))


def _less(extras: Extras, path: str, log: LossLog, keep: frozenset[str] = frozenset()) -> Extras:
    own = extras.get(NAME)
    if own is None:
        return extras
    for key in own:
        if key not in keep:
            log.dropped(f"{path}.{key}" if path else key, _REASON)
    return {**extras, NAME: {key: value for key, value in own.items() if key in keep}}
