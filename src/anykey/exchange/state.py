"""Reasoning state at the crossing of two protocols.

In answers every state is sealed into an envelope (``protocols.envelope``), which the client's codec writes into its protocol's
own slot. In requests envelopes are opened: state goes back to the provider that made it and to no other, the rest is left out
and a Loss says why. Raw state was made by a provider of the client's own protocol; it is kept where that is spoken upstream too.
"""

from __future__ import annotations

from typing import NamedTuple

import msgspec

from anykey.conversation import events as ev
from anykey.conversation.losses import Loss
from anykey.conversation.message import Message
from anykey.conversation.parts import OpaqueState, Part, ProtocolName, ReasoningPart
from anykey.conversation.request import GenerateRequest
from anykey.conversation.response import GenerateResponse
from anykey.protocols.envelope import Maker, Tampered, seal, unseal

_WITHOUT_TEXT: frozenset[str] = frozenset({"gemini_generate", "openai_chat"})
"""Clients of these protocols give state back without the text it belongs to: thought parts are not part of a Gemini history, and
a Chat client puts all reasoning text of a stream together."""

_RAW_SLOTS: dict[str, tuple[bytes, ...]] = {
    "openai_chat": (b'"reasoning_details"', b'"thought_signature"', b'"encrypted_content"'),
    "openai_responses": (b'"encrypted_content"', b'"reasoning"'),
    "anthropic_messages": (b'"signature"', b'"redacted_thinking"'),
    "gemini_generate": (b'"thoughtSignature"', b'"thought_signature"'),
}
"""Where state stands in a request body of each protocol."""


FOREIGN_STATE = "another provider made this state, and only that can read it"


class Opened(NamedTuple):
    """A request whose state is its upstream's own. ``carries``: there is some."""

    request: GenerateRequest
    losses: tuple[Loss, ...]
    carries: bool


def may_carry_state(body: bytes, protocol: str) -> bool:
    """A request body of ``protocol`` has a slot for state in it (words in its texts count too: this is a search, no parse)."""
    # From the end CPython searches two to three times as fast, and every translated call is searched.
    return any(body.rfind(slot) >= 0 for slot in _RAW_SLOTS[protocol])


def open_states(
    request: GenerateRequest, client: ProtocolName, maker: Maker, secret: bytes, *, strip: str = ""
) -> Opened:
    """``request`` for the deployment ``maker``: its own state opened, all other left out. ``strip``: why none at all may go."""
    if not _has_state(request.messages):
        return Opened(request, (), carries=False)
    opener = _Opener(client, maker, secret, strip)
    messages = [opener.message(message, f"messages[{index}]") for index, message in enumerate(request.messages)]
    kept = tuple(message for message in messages if message is not None)
    return Opened(msgspec.structs.replace(request, messages=kept), tuple(opener.losses), opener.carries)


def _has_state(messages: tuple[Message, ...]) -> bool:
    for message in messages:
        if message.role == "assistant":
            for part in message.parts:
                if type(part) is ReasoningPart and part.state is not None:
                    return True
    return False


class _Opener:
    """Opens the states of one request."""

    def __init__(self, client: ProtocolName, maker: Maker, secret: bytes, strip: str) -> None:
        self._client = client
        self._maker = maker
        self._secret = secret
        self._strip = strip
        self.losses: list[Loss] = []
        self.carries = False

    def message(self, message: Message, path: str) -> Message | None:
        """``message`` with its states opened; None when nothing else was in it."""
        if message.role != "assistant":
            return message
        parts = [self._part(part, f"{path}.content[{index}]") for index, part in enumerate(message.parts)]
        kept = tuple(part for part in parts if part is not None)
        if not kept and message.parts:
            return None
        return msgspec.structs.replace(message, parts=kept)

    def _part(self, part: Part, path: str) -> Part | None:
        if not isinstance(part, ReasoningPart) or part.state is None:
            return part
        opened = self._open(part, part.state)
        if isinstance(opened, ReasoningPart):
            self.carries = True
            return opened
        self.losses.append(Loss("dropped", f"{path}.state", opened))
        if part.redacted or not part.text:
            return None
        return msgspec.structs.replace(part, state=None)

    def _open(self, part: ReasoningPart, state: OpaqueState) -> ReasoningPart | str:
        """The part as its maker knows it, or why its state cannot go."""
        found = unseal(state.data, self._secret)
        if self._strip:
            return self._strip
        if found is None:
            own = self._client == self._maker.protocol
            return part if own else FOREIGN_STATE
        if isinstance(found, Tampered):
            return "the seal of this state is broken, or another gateway's"
        if found.maker.protocol != self._maker.protocol or found.maker.provider != self._maker.provider:
            return FOREIGN_STATE
        text = found.part.text if found.has_text else part.text
        return msgspec.structs.replace(found.part, text=text, extras={**part.extras, **found.part.extras})


class Sealer:
    """Seals the states of one answer for a client of another protocol."""

    __slots__ = ("_client", "_maker", "_parts", "_secret", "_texts", "reads_text")

    def __init__(self, client: ProtocolName, maker: Maker, secret: bytes) -> None:
        self._client = client
        self._maker = maker
        self._secret = secret
        self._parts: dict[tuple[int, int], ReasoningPart] = {}
        self._texts: dict[tuple[int, int], list[str]] = {}
        self.reads_text = client in _WITHOUT_TEXT

    def response(self, answer: GenerateResponse) -> GenerateResponse:
        """``answer`` with every state sealed."""
        replace = msgspec.structs.replace
        if not any(type(part) is ReasoningPart for choice in answer.choices for part in choice.parts):
            return answer
        choices = tuple(
            replace(
                choice,
                parts=tuple(self._whole(part) if isinstance(part, ReasoningPart) else part for part in choice.parts),
            )
            for choice in answer.choices
        )
        return replace(answer, choices=choices)

    def event(self, event: ev.StreamEvent) -> ev.StreamEvent:
        """``event`` with its state sealed. Of text only those whose slots have no place for it need be told (``reads_text``)."""
        match event:
            case ev.PartStarted(part=ReasoningPart() as part):
                self._parts[event.choice, event.index] = part
                return msgspec.structs.replace(event, part=self._whole(part))
            case ev.ReasoningDelta() if self.reads_text:
                self._texts.setdefault((event.choice, event.index), []).append(event.text)
            case ev.StateDelta():
                at = (event.choice, event.index)
                begun = self._parts.get(at, ReasoningPart(""))
                text = begun.text + "".join(self._texts.pop(at, ()))
                told = self._whole(msgspec.structs.replace(begun, text=text, state=event.state))
                return event if told.state is None else msgspec.structs.replace(event, state=told.state)
            case _:
                pass
        return event

    def _whole(self, part: ReasoningPart) -> ReasoningPart:
        if part.state is None:
            return part
        text = seal(part, self._maker, self._secret, with_text=self.reads_text)
        # Chat's own slot names the family of a state beside it; the others have one family, their own.
        origin = part.state.origin if self._client == "openai_chat" else self._client
        return msgspec.structs.replace(part, state=OpaqueState(origin, text, part.state.place))
