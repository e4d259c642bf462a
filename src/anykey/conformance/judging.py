"""What an answer must show. Law: what depends on the model's will is unclear at worst; what the gateway answers for can fail."""

from __future__ import annotations

import re
from typing import Any

import msgspec

from anykey.conformance.records import COUNTED, PASS, Verdict
from anykey.conversation.parts import RefusalPart, TextPart, ToolCallPart
from anykey.conversation.response import Choice, GenerateResponse

_CLOSE_TO = 8
"""Servers may count a token or two of their own frame; an answer that ignores its limit is far over it."""


def text_of(response: GenerateResponse) -> str:
    """All that the model said."""
    return "".join(part.text for part in first(response).parts if isinstance(part, TextPart))


def calls_of(response: GenerateResponse) -> list[ToolCallPart]:
    """The calls that the client is to run."""
    return [part for part in first(response).parts if isinstance(part, ToolCallPart) and part.kind != "hosted"]


def first(response: GenerateResponse) -> Choice:
    return response.choices[0] if response.choices else Choice(())


def says_something(response: GenerateResponse) -> Verdict:
    """There is text."""
    return PASS if text_of(response).strip() else _silent(response)


def read(response: GenerateResponse, word: str, tokens: int) -> Verdict:
    """The model read what was sent: it says ``word``, or the input is counted with at least ``tokens``."""
    if re.search(rf"\b{re.escape(word)}\b", text_of(response), re.IGNORECASE):
        return PASS
    counted = response.usage.total_input() if response.usage else 0
    if counted >= tokens:
        return COUNTED if text_of(response).strip() else _silent(response)
    return Verdict(
        "fail", f"the answer does not show it, and only {counted} input tokens are counted: it seems to be lost"
    )


def saw(response: GenerateResponse, word: str, tokens: int) -> Verdict:
    """As ``read``, for media, whose tokens some providers do not count."""
    verdict = read(response, word, tokens)
    return verdict if verdict.outcome == "pass" else Verdict("unclear", f"the answer does not name {word!r}")


def called(response: GenerateResponse, name: str) -> Verdict:
    """The tool whose call was forced is called, with arguments by its schema."""
    calls = calls_of(response)
    if not calls:
        return Verdict("fail", f"the call was forced, and no tool is called ({_end(response)})")
    if any(call.name != name for call in calls):
        return Verdict("fail", f"the tool {calls[0].name!r} is called, not {name!r}")
    if not isinstance(_parsed(calls[0].arguments).get("city"), str):
        return Verdict("unclear", f"the model left the schema: {calls[0].arguments[:60]}")
    return _ended_by_calls(response)


def called_all(response: GenerateResponse, *names: str) -> Verdict:
    """Each tool is called, and no two calls share an id."""
    calls = calls_of(response)
    if not calls:
        return Verdict("fail", f"a call was forced, and no tool is called ({_end(response)})")
    if len({call.id for call in calls}) != len(calls):
        return Verdict("fail", "two calls have the same id")
    missing = set(names) - {call.name for call in calls}
    if missing:
        return Verdict("unclear", f"the model did not call {', '.join(sorted(missing))} at the same time")
    return _ended_by_calls(response)


def wrote_freely(response: GenerateResponse, name: str) -> Verdict:
    """The free-text tool is called as one: its input is text and no JSON around it."""
    calls = calls_of(response)
    if not calls:
        return Verdict("fail", f"the call was forced, and no tool is called ({_end(response)})")
    call = calls[0]
    if call.name != name or call.kind != "custom":
        return Verdict("fail", f"{call.name!r} is called as {call.kind!r}, not {name!r} as 'custom'")
    return PASS if call.arguments.strip() else Verdict("unclear", "the model wrote nothing into it")


def called_within(response: GenerateResponse, namespace: str, name: str) -> Verdict:
    """The call names the tool as its client knows it: the namespace apart."""
    calls = calls_of(response)
    if not calls:
        return Verdict("fail", f"a call was forced, and no tool is called ({_end(response)})")
    found = (calls[0].namespace, calls[0].name)
    return PASS if found == (namespace, name) else Verdict("fail", f"the call names {found}, not {(namespace, name)}")


def kept_to_schema(response: GenerateResponse) -> Verdict:
    """The text is JSON by ``samples.ANSWER_SCHEMA``."""
    if any(isinstance(part, RefusalPart) for part in first(response).parts):
        return Verdict("unclear", "the model declined")
    said = _parsed(text_of(response))
    if not said:
        return Verdict("fail", f"the text is no JSON object: {text_of(response)[:60]!r}")
    good = set(said) == {"answer", "count"} and isinstance(said["answer"], str) and type(said["count"]) is int
    return PASS if good else Verdict("fail", f"the JSON is not by the schema: {text_of(response)[:60]!r}")


def stopped_before(response: GenerateResponse, word: str, earlier: str) -> Verdict:
    """The stop sequence ended the answer and is not part of it."""
    said = text_of(response)
    if word in said:
        return Verdict("fail", f"the stop sequence {word!r} is in the answer")
    if earlier not in said:
        return Verdict("unclear", f"the model did not come as far as {earlier!r}")
    finish = first(response).finish
    ended = finish is not None and finish.reason in ("stop", "stop_sequence")
    return PASS if ended else Verdict("fail", f"the answer was stopped, but its end is told as {_end(response)}")


def kept_to_limit(response: GenerateResponse, limit: int) -> Verdict:
    """The answer ends at its token limit and says so."""
    finish = first(response).finish
    spent = response.usage.total_output() if response.usage else 0
    if spent > limit + _CLOSE_TO:
        return Verdict("fail", f"{spent} output tokens are counted under a limit of {limit}")
    if finish is not None and finish.reason == "length":
        return PASS
    return Verdict("unclear", f"the model did not reach the limit ({_end(response)})")


def from_cache(response: GenerateResponse) -> Verdict:
    """The repeated prefix was read from the cache, and that is reported."""
    count = response.usage.cache_read_tokens if response.usage else 0
    return PASS if count else Verdict("unclear", "no token was read from a cache; the provider may have none")


def _ended_by_calls(response: GenerateResponse) -> Verdict:
    finish = first(response).finish
    if finish is None or finish.reason not in ("tool_calls", "stop"):
        return Verdict("fail", f"a tool is called, but the end is told as {_end(response)}")
    return PASS


def _silent(response: GenerateResponse) -> Verdict:
    finish = first(response).finish
    outcome = "unclear" if finish and finish.reason in ("length", "refusal", "content_filter") else "fail"
    return Verdict(outcome, f"there is no text ({_end(response)})")


def _end(response: GenerateResponse) -> str:
    finish = first(response).finish
    return finish.reason if finish else "no finish reason"


def _parsed(text: str) -> dict[str, Any]:
    try:
        return msgspec.json.decode(text, type=dict[str, Any])
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return {}
