"""``POST /v1/responses/compact``: a long conversation becomes the user's messages and one item that stands for the rest.

It is one call through the journey, its last item a ``compaction_trigger``: an upstream that knows such items makes its own, for
any other the codec asks for a summary and makes the item of it.
"""

from __future__ import annotations

import base64
import hashlib
from typing import Any

import msgspec

from anykey.conversation.failures import Failure, FailureError, invalid
from anykey.exchange.ports import Headers
from anykey.exchange.responses.answers import Asking, answered
from anykey.exchange.responses.asked import read_asked
from anykey.exchange.responses.expansion import prepare
from anykey.exchange.responses.frames import Fields, raw
from anykey.exchange.responses.items import identified, items_of, json_list, listed
from anykey.exchange.steps import generate

TRIGGER = b'{"type":"compaction_trigger"}'
SUMMARY_MARK = "akc1."
"""Before the text of a summary of ours, in base64: what the codec reads as one."""


@answered
async def compact(asking: Asking) -> bytes | None:
    """The compacted conversation; an error of the call as it is."""
    exchange = asking.exchange
    asked = read_asked(exchange.body)
    if asked is None:
        raise invalid("The body must be a JSON object.")
    fields, _ = await prepare(exchange.body, asked, asking.key, asking.gateway)
    items = items_of(fields.get("input"))
    if not items:
        raise invalid("there is nothing to compact", "input")
    exchange.sent, exchange.body = exchange.body, _asking_for_summary(fields, items)
    answer = WholeAnswer()
    await generate(exchange, answer, asking.gateway)
    if answer.status != 200:
        await asking.reply.whole(answer.status, answer.headers, answer.body)
        return None
    response = _read(answer.body)
    kept = identified((item for item in items if _is_users(item)), response.id)
    output = [msgspec.Raw(listed(item)) for item in kept]
    compacted = {
        "id": response.id,
        "object": "response.compaction",
        "created_at": int(response.created_at),
        "output": [*output, _compaction(response)],
        "usage": response.usage,
    }
    await asking.reply.whole(200, answer.headers, msgspec.json.encode(compacted))
    return None


class WholeAnswer:
    """A reply that is read here. Errors of the journey come whole too, since no stream is asked for."""

    def __init__(self) -> None:
        self.started = False
        self.gone = False
        self.status = 0
        self.headers: Headers = ()
        self.body = b""

    async def start(self, status: int, headers: Headers) -> None:
        self.started = True
        self.status, self.headers = status, headers

    async def write(self, data: bytes) -> None:
        self.body += data

    async def end(self) -> None:
        """All is here."""

    async def whole(self, status: int, headers: Headers, body: bytes) -> None:
        await self.start(status, headers)
        self.body = body


class _Answer(msgspec.Struct):
    id: str
    created_at: float = 0
    output: list[msgspec.Raw] = []
    usage: msgspec.Raw = msgspec.Raw(b"null")


class _Item(msgspec.Struct):
    type: str = "message"
    role: str | None = None
    content: list[dict[str, Any]] | str | None = None


def _asking_for_summary(fields: Fields, items: list[bytes]) -> bytes:
    for name in ("stream", "stream_options", "image"):
        fields.pop(name, None)
    fields |= {"input": msgspec.Raw(json_list([*items, TRIGGER])), "store": raw(value=False)}
    return msgspec.json.encode(fields)


def _read(body: bytes) -> _Answer:
    try:
        return msgspec.json.decode(body, type=_Answer)
    except msgspec.DecodeError:
        raise FailureError(Failure("upstream_error", "The summary cannot be read.")) from None


def _compaction(response: _Answer) -> msgspec.Raw:
    """The item that stands for the conversation: the upstream's own, else one made of its text."""
    texts: list[str] = []
    for item in response.output:
        known = _known(item)
        if known.type == "compaction":
            return item
        if known.type == "message" and isinstance(known.content, list):
            texts += [str(part.get("text", "")) for part in known.content if part.get("type") == "output_text"]
    summary = "".join(texts)
    if not summary:
        raise FailureError(Failure("upstream_error", "The provider gave no summary."))
    content = SUMMARY_MARK + base64.b64encode(summary.encode()).decode()
    item_id = f"cmp_{hashlib.sha256(response.id.encode()).hexdigest()[:40]}"
    return raw({"id": item_id, "type": "compaction", "encrypted_content": content})


def _is_users(item: bytes) -> bool:
    known = _known(item)
    return known.type == "message" and known.role == "user"


def _known(item: bytes | msgspec.Raw) -> _Item:
    try:
        return msgspec.json.decode(item, type=_Item)
    except msgspec.DecodeError:
        return _Item(type="")
