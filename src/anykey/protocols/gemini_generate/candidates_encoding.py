"""What a candidate says, neutral → wire; shared by whole and streamed answers.

The state of a reasoning part becomes the signature of the next part that is told, because that is the order in which it goes
back to its maker: before the text or the call that it led to. A state that nothing follows, or whose maker had put it so, stands
on an empty text.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from anykey.conversation.losses import LossLog
from anykey.conversation.parts import (
    Json,
    MediaPart,
    OpaquePart,
    OpaqueState,
    Part,
    ReasoningPart,
    RefusalPart,
    TextPart,
    ToolCallPart,
)
from anykey.conversation.request import GenerateRequest
from anykey.conversation.response import Choice
from anykey.protocols.gemini_generate.extras import NAME, synthetic_id, write_extras
from anykey.protocols.gemini_generate.finish import encode_finish
from anykey.protocols.gemini_generate.grounding import CITATIONS, GROUNDING, CitedText, encode_grounding
from anykey.protocols.gemini_generate.logprobs import encode_logprobs
from anykey.protocols.gemini_generate.parts_encoding import encode_call, encode_media, encode_text, encode_thought, sign
from anykey.protocols.gemini_generate.thinking import SHOWN

_YEAR_10000 = 253_402_300_800
"""In unix seconds: the first that no date can tell."""
ALONE = "end"
ON_THOUGHT = "thought"
"""Places of a signature that is not the next part's: on an empty text, on the thought itself."""


def shows_thoughts(request: GenerateRequest | None) -> bool:
    """The client wants to read thoughts; their state is kept whether it does or not."""
    return request is None or (request.reasoning is not None and request.reasoning.display == SHOWN)


def own_signature(state: OpaqueState | None, path: str, log: LossLog) -> str | None:
    """What of ``state`` can be a signature: states of answers are the client protocol's own, any other is a Loss."""
    if state is None:
        return None
    if state.origin != NAME:
        log.dropped(f"{path}.state", f"reasoning state of {state.origin}")
        return None
    return state.data


def signature_alone(signature: str) -> Json:
    """The part for a signature that no other part can carry."""
    return sign(encode_text(""), signature)


def encode_answer_part(part: Part, path: str, log: LossLog) -> Json | None:
    """The wire part of all that is no text and no thought; None where there is none, which is a Loss."""
    match part:
        case ToolCallPart(kind="hosted"):
            log.dropped(path, f"the call of {part.name} was run by its own provider")
            return None
        case ToolCallPart():
            return _encode_call(part, path, log)
        case MediaPart():
            return _encode_medium(part, path, log)
        case OpaquePart(origin=origin) if origin == NAME:
            return part.value
        case _:
            kind = part.kind if isinstance(part, OpaquePart) else "tool result"
            log.dropped(path, f"an answer of generateContent has no place for a {kind} block")
            return None


def _encode_call(part: ToolCallPart, path: str, log: LossLog) -> Json:
    entry, exact = encode_call(part, part.name)
    if not exact:
        log.approximated(f"{path}.arguments", 'they are no JSON object and told as {"_raw": text}')
    if part.namespace is not None:
        log.dropped(f"{path}.namespace", "functions have no namespaces here")
    write_extras(entry, part.extras, path, log)
    return entry


def _encode_medium(part: MediaPart, path: str, log: LossLog) -> Json:
    entry = encode_media(part)
    if entry is None:
        log.approximated(path, "a text document is told as text")
        entry = encode_text(part.text or "")
    if part.title is not None:
        log.dropped(f"{path}.title", "a medium has no title here")
    write_extras(entry, part.extras, path, log)
    return entry


class AnswerParts:
    """Collects the parts of a whole candidate. ``texts``: its texts with what they cite."""

    def __init__(self, path: str, log: LossLog, *, shows_thoughts: bool) -> None:
        self.texts: list[CitedText] = []
        self._path = path
        self._log = log
        self._shows = shows_thoughts
        self._entries: list[Json] = []
        self._pending: str | None = None

    def add(self, part: Part, path: str) -> None:
        """Take one part, or record that there is no place for it."""
        match part:
            case TextPart() | RefusalPart():
                self.texts.append(CitedText(part.text, list(part.citations) if isinstance(part, TextPart) else []))
                entry = encode_text(part.text)
                write_extras(entry, part.extras, path, self._log)
                if entry != {"text": ""}:
                    self._put(entry)
            case ReasoningPart():
                self._add_reasoning(part, path)
            case _:
                entry = encode_answer_part(part, path, self._log)
                if entry is not None and isinstance(part, OpaquePart):
                    self._entries.append(entry)
                elif entry is not None:
                    self._put(entry)

    def _put(self, entry: Json) -> None:
        if self._pending is not None:
            sign(entry, self._pending)
            self._pending = None
        self._entries.append(entry)

    def _add_reasoning(self, part: ReasoningPart, path: str) -> None:
        signature = own_signature(part.state, path, self._log)
        place = part.state.place if part.state else ""
        self._flush()
        entry = encode_thought(part.text)
        if self._shows:
            write_extras(entry, part.extras, path, self._log)
        if self._shows and entry != encode_thought(""):
            self._entries.append(entry)
            if place == ON_THOUGHT and signature is not None:
                sign(entry, signature)
                return
        if place == ALONE and signature is not None:
            self._entries.append(signature_alone(signature))
        else:
            self._pending = signature

    def _flush(self) -> None:
        if self._pending is not None:
            self._entries.append(signature_alone(self._pending))
            self._pending = None

    def entries(self) -> list[Json]:
        """The finished ``parts``."""
        self._flush()
        return self._entries


def end_of_candidate(choice: Choice, texts: list[CitedText], path: str, log: LossLog) -> Json:
    """All keys of a candidate besides its content; the parts of ``choice`` are not looked at."""
    out = encode_finish(choice.finish, path, log)
    out["index"] = choice.index
    own: Json = choice.extras.get(NAME, {})
    if GROUNDING not in own and CITATIONS not in own:
        grounding = encode_grounding(texts, path, log)
        if grounding is not None:
            out[GROUNDING] = grounding
    if choice.logprobs is not None:
        logprobs = encode_logprobs(choice.logprobs, f"{path}.logprobs", log)
        if logprobs is not None:
            out["logprobsResult"] = logprobs
    write_extras(out, choice.extras, path, log)
    return out


def head_of_answer(identity: str, model: str, created: int | None, seed: Any = None) -> Json:
    """The keys that every chunk repeats. ``created`` is unix seconds (what is none, as some servers count in milliseconds, has no
    date); ``seed`` makes an id for an answer without one."""
    head: Json = {"modelVersion": model, "responseId": identity or synthetic_id(model, created, seed)[len("call_") :]}
    if created is not None and 0 <= created < _YEAR_10000:
        head["createTime"] = datetime.fromtimestamp(created, UTC).isoformat().replace("+00:00", "Z")
    return head


SERVICE_TIERS = {"default": "standard", "standard": "standard", "flex": "flex", "priority": "priority"}


def add_service_tier(usage: Json, tier: str | None, log: LossLog) -> None:
    """``serviceTier`` stands beside the counts."""
    if tier is None:
        return
    word = SERVICE_TIERS.get(tier)
    if word is None:
        log.dropped("service_tier", f"{tier!r} is no tier of generateContent")
    else:
        usage.setdefault("serviceTier", word)
