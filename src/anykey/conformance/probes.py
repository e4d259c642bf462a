"""The steps of a feature, for any protocol. Refused, Breach and UpstreamError are for ``run`` to tell."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import msgspec

from anykey.conformance import judging
from anykey.conformance.line import WRONG_KEY, Heard
from anykey.conformance.records import PASS, Mode, Verdict
from anykey.conformance.speaker import Breach, Refused, Speaker
from anykey.conversation.message import Message
from anykey.conversation.parts import Part, ProtocolName, ReasoningPart, ToolCallPart, ToolResultPart
from anykey.conversation.request import GenerateRequest
from anykey.conversation.response import GenerateResponse
from anykey.conversation.tools import ToolChoice
from anykey.protocols.catalog import COUNTERS

Probe = Callable[[Speaker, Mode], Awaitable[Verdict]]
Build = Callable[[str], GenerateRequest]
Judge = Callable[[GenerateResponse], Verdict]

UNKNOWN_MODEL = "no-such-model-anywhere"
UNKNOWN = frozenset({400, 403, 404})
UNAUTHORIZED: dict[ProtocolName, frozenset[int]] = {
    "openai_chat": frozenset({401, 403}),
    "openai_responses": frozenset({401, 403}),
    "anthropic_messages": frozenset({401, 403}),
    "gemini_generate": frozenset({400, 401, 403}),  # Google itself says 400
}
INVALID = frozenset({400, 422})
CONVERSATION: dict[ProtocolName, str] = {
    "openai_chat": "messages",
    "openai_responses": "input",
    "anthropic_messages": "messages",
    "gemini_generate": "contents",
}
"""The key of what was said so far: an array, or in Responses a text."""


def asked(build: Build, judge: Judge, essential: str = "-") -> Probe:
    """One call. ``build`` takes the model's name; ``essential``: the path of the request without which it asks something else."""

    async def probe(speaker: Speaker, mode: Mode) -> Verdict:
        request = build(speaker.model)
        return _lacking(speaker, request, essential) or judge(await speaker.ask(request, mode))

    return probe


def answered(build: Build, result: ToolResultPart, judge: Judge, essential: str = "-") -> Probe:
    """Two calls: the model is made to call a tool; its whole turn goes back with ``result``, as a client's loop does it."""

    async def probe(speaker: Speaker, mode: Mode) -> Verdict:
        request = build(speaker.model)
        example = ToolCallPart("call_1", request.tools[0].name or "", "{}")
        if missing := _lacking(speaker, _next_turn(request, (example,), example, result), essential):
            return missing
        response = await speaker.ask(request, mode)
        calls = judging.calls_of(response)
        if not calls:
            return judging.called(response, "")
        parts = judging.first(response).parts
        return judge(await speaker.ask(_next_turn(request, parts, calls[0], result), mode))

    return probe


def thinking(build: Build, result: ToolResultPart) -> Probe:
    """As ``answered``, with reasoning: the turn that goes back holds it, state and all, and must be taken."""

    async def probe(speaker: Speaker, mode: Mode) -> Verdict:
        request = build(speaker.model)
        response = await speaker.ask(request, mode)
        parts = judging.first(response).parts
        calls = judging.calls_of(response)
        if not calls:
            return Verdict("unclear", "the model did not call the tool")
        thoughts = sum(isinstance(part, ReasoningPart) for part in parts)
        if not thoughts:
            return Verdict("unclear", "the model did not think, or its thoughts are not shown")
        try:
            return judging.says_something(await speaker.ask(_next_turn(request, parts, calls[0], result), mode))
        except Refused as refused:
            raise Breach(f"the model's own turn is not taken back: HTTP {refused.heard.status}") from None

    return probe


def cached(build: Build) -> Probe:
    """The same long question twice."""

    async def probe(speaker: Speaker, mode: Mode) -> Verdict:
        await speaker.ask(build(speaker.model), mode)
        return judging.from_cache(await speaker.ask(build(speaker.model), mode))

    return probe


def unknown_model(build: Build) -> Probe:
    """A model that nobody has."""

    async def probe(speaker: Speaker, mode: Mode) -> Verdict:
        body = _streamed(speaker, build(UNKNOWN_MODEL), mode)
        return _refusal(speaker, await speaker.send(body, mode, model=UNKNOWN_MODEL), UNKNOWN)

    return probe


def wrong_key(build: Build) -> Probe:
    """A key that was never issued."""

    async def probe(speaker: Speaker, mode: Mode) -> Verdict:
        body = _streamed(speaker, build(speaker.model), mode)
        return _refusal(speaker, await speaker.send(body, mode, key=WRONG_KEY), UNAUTHORIZED[speaker.protocol])

    return probe


def wrong_field(build: Build) -> Probe:
    """A conversation that is a number."""

    async def probe(speaker: Speaker, mode: Mode) -> Verdict:
        fields = msgspec.json.decode(_streamed(speaker, build(speaker.model), mode), type=dict[str, msgspec.Raw])
        fields[CONVERSATION[speaker.protocol]] = msgspec.Raw(b"17")
        return _refusal(speaker, await speaker.send(msgspec.json.encode(fields), mode), INVALID)

    return probe


def counted(build: Build, tokens: int) -> Probe:
    """The input of ``build`` is counted with at least ``tokens``."""

    async def probe(speaker: Speaker, mode: Mode) -> Verdict:
        del mode
        counter = COUNTERS.get(speaker.protocol)
        if counter is None:
            return Verdict("absent", "the protocol has no such call")
        question = counter.encode_count_request(build(speaker.model), speaker.dialect).body
        heard = await speaker.post(counter.count_url(speaker.line.address(speaker.protocol), speaker.model), question)
        if heard.status != 200:
            raise Refused(heard)
        count = counter.decode_count(heard.body)
        if count is None:
            return Verdict("fail", f"the answer holds no count: {heard.body[:60]!r}")
        return (
            PASS if count >= tokens else Verdict("fail", f"{count} tokens are counted, where there are over {tokens}")
        )

    return probe


async def listed_models(speaker: Speaker, mode: Mode) -> Verdict:
    """The list of models, in the shape of the protocol's own SDK."""
    del mode
    heard = await speaker.get(speaker.line.models_address(speaker.protocol))
    if heard.status != 200:
        raise Refused(heard)
    breaches = speaker.law.check_models(heard.body)
    return Verdict("fail", breaches[0]) if breaches else PASS


def _next_turn(
    request: GenerateRequest,
    parts: tuple[Part, ...],
    call: ToolCallPart,
    result: ToolResultPart,
) -> GenerateRequest:
    told = msgspec.structs.replace(result, call_id=call.id, name=call.name, kind=call.kind)
    messages = (*request.messages, Message("assistant", parts), Message("user", (told,)))
    return msgspec.structs.replace(request, messages=messages, tool_choice=ToolChoice("auto"))


def _lacking(speaker: Speaker, request: GenerateRequest, essential: str) -> Verdict | None:
    """Absent, where the protocol has no word for what ``essential`` names and clients would have to say it otherwise."""
    for loss in speaker.spell(request).losses:
        if loss.kind == "emulated" and loss.path.startswith(essential):
            return Verdict("absent", "the protocol has no such thing")
    return None


def _streamed(speaker: Speaker, request: GenerateRequest, mode: Mode) -> bytes:
    return speaker.spell(msgspec.structs.replace(request, stream=mode == "stream")).body


def _refusal(speaker: Speaker, heard: Heard, statuses: frozenset[int]) -> Verdict:
    """The error that had to come: its status, and its shape, which is that of no stream."""
    if heard.status not in statuses:
        return Verdict("fail", f"HTTP {heard.status}, not {' or '.join(map(str, sorted(statuses)))}")
    if heard.content_type != "application/json":
        return Verdict("fail", f"the error's content-type is {heard.content_type!r}, not application/json")
    breaches = speaker.law.check_failure(heard.status, heard.body)
    return Verdict("fail", breaches[0]) if breaches else PASS
