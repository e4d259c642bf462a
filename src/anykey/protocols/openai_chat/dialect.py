"""What differs between servers that speak Chat Completions. A vendor's quirk is a field here, never a name in the code."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Literal

import msgspec

from anykey.conversation.parts import Json
from anykey.protocols.effort import BUDGETS
from anykey.protocols.hosted import purposes

_NEEDED = frozenset({"model", "messages", "stream"})
_HEADER = re.compile(r"[a-z0-9-]+")


class Dialect(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The defaults are OpenAI's own spelling, with everything off that only some servers accept.

    ``max_tokens_field``: the key of the output limit. ``developer_role``: accepted, else sent as ``system``.
    ``reasoning_field``: the key under which earlier reasoning text goes back; ``echo_reasoning``: when it goes back at all
    (``tool_turn``: only since the user last spoke), ``empty_reasoning``: tool calls whose reasoning is not known go back with an
    empty one, for such servers refuse calls without any. ``reasoning_details``: the server takes signed reasoning state back in
    ``reasoning_details`` and is asked for reasoning by a ``reasoning`` object. ``encrypted_content``: it takes that key back, the
    thought that its reasoning text sums up. ``thinking_switch``: reasoning is switched by
    ``thinking: {type}`` or by ``enable_thinking``; ``thinking_auto``: the type may be ``auto``, the model then decides;
    ``thinking_off``: how it is kept from thinking, by that switch or by that effort, if it can be. ``reasoning_effort``: that key
    is accepted; ``efforts``: the only words it takes, separated by commas, empty for all. ``tool_result_images``:
    ``native`` leaves media in the tool message, ``user_followup`` moves them into a user message after it.
    ``usage_excludes_reasoning``: ``completion_tokens`` leaves reasoning out. ``cache_control`` and ``cache_breakpoints``: the
    two ways to mark a reusable prefix. ``choice_count``: ``n`` is heeded, else the gateway makes several calls. ``sampling``:
    temperature and its kin are accepted. ``hosted_tools``: ``web_search`` where the model takes ``web_search_options``.
    ``service_tiers``: the only words ``service_tier`` takes, empty for all. ``allowed_tool_choice``: a choice may name several
    tools. ``media_references``: pictures, video and sound may be given by file id, sound and files by address.
    ``prompt_cache_header``: the header, in lower case, that takes ``prompt_cache_key`` in the key's stead. ``refused_fields``:
    top-level keys, separated by commas, that the server refuses or does not heed; a request of any client goes without them, and
    without those that ``penalties``, ``logprobs`` (with ``logit_bias``) and ``stop`` deny.
    The rest are fields of their name that the server accepts.
    """

    max_tokens_field: Literal["max_tokens", "max_completion_tokens"] = "max_completion_tokens"
    developer_role: bool = True
    reasoning_field: Literal["reasoning_content", "reasoning", "none"] = "reasoning_content"
    echo_reasoning: Literal["always", "tool_turn", "never"] = "never"
    empty_reasoning: bool = True
    reasoning_details: bool = False
    encrypted_content: bool = False
    thinking_switch: Literal["none", "thinking_type", "enable_thinking"] = "none"
    thinking_auto: bool = False
    thinking_off: Literal["switch", "minimal", "none", "impossible"] = "switch"
    reasoning_effort: bool = True
    efforts: str = ""
    tool_result_images: Literal["native", "user_followup"] = "user_followup"
    stream_options: bool = True
    usage_excludes_reasoning: bool = False
    cache_control: bool = False
    cache_breakpoints: bool = False
    json_schema: bool = True
    custom_tools: bool = False
    file_parts: bool = True
    service_tier: bool = False
    choice_count: bool = True
    sampling: bool = True
    penalties: bool = True
    logprobs: bool = True
    stop: bool = True
    metadata: bool = False
    prompt_cache_key: bool = False
    verbosity: bool = False
    named_tool_choice: bool = True
    strict_tools: bool = False
    hosted_tools: str = ""
    service_tiers: str = ""
    allowed_tool_choice: bool = True
    media_references: bool = False
    prompt_cache_header: str = ""
    refused_fields: str = ""


def dialect(table: Json) -> Dialect:
    """The Dialect of a catalogue row's table. ValueError names an unknown field or a wrong value."""
    try:
        found = msgspec.convert(table, Dialect)
    except msgspec.ValidationError as error:
        raise ValueError(str(error)) from None
    purposes(found.hosted_tools)
    _check(found)
    return found


def _check(found: Dialect) -> None:
    for word in listed(found.efforts) - BUDGETS.keys():
        raise ValueError(f"efforts: {word!r} is no effort; there are {', '.join(BUDGETS)}")
    for key in listed(found.refused_fields) & _NEEDED:
        raise ValueError(f"refused_fields: no request can go without {key!r}")
    if found.prompt_cache_header and not _HEADER.fullmatch(found.prompt_cache_header):
        raise ValueError("prompt_cache_header: expected the name of a header, in lower case")


@lru_cache(maxsize=256)
def listed(words: str) -> frozenset[str]:
    """The words of a field that lists some, separated by commas."""
    return frozenset(word.strip() for word in words.split(",") if word.strip())


@lru_cache(maxsize=1024)
def refused(dialect: Dialect) -> frozenset[str]:
    """The top-level keys without which a request has to go."""
    found = set(listed(dialect.refused_fields))
    for taken, keys in (
        (dialect.penalties, ("frequency_penalty", "presence_penalty")),
        (dialect.logprobs, ("logprobs", "top_logprobs", "logit_bias")),
        (dialect.stop, ("stop",)),
    ):
        if not taken:
            found.update(keys)
    return frozenset(found)
