"""What differs between servers that speak Chat Completions. A vendor's quirk is a field here, never a name in the code."""

from __future__ import annotations

from typing import Literal

import msgspec

from anykey.conversation.parts import Json
from anykey.protocols.hosted import purposes


class Dialect(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The defaults are OpenAI's own spelling, with everything off that only some servers accept.

    ``max_tokens_field``: the key of the output limit. ``developer_role``: accepted, else sent as ``system``.
    ``reasoning_field``: the key under which earlier reasoning text goes back; ``echo_reasoning``: when it goes back at all
    (``tool_turn``: only since the user last spoke), ``empty_reasoning``: tool calls whose reasoning is not known go back with an
    empty one, for such servers refuse calls without any. ``reasoning_details``: the server takes signed reasoning state back in
    ``reasoning_details`` and is asked for reasoning by a ``reasoning`` object. ``encrypted_content``: it takes that key back, the
    thought that its reasoning text sums up. ``thinking_switch``: reasoning is switched by
    ``thinking: {type}`` or by ``enable_thinking``. ``reasoning_effort``: that key is accepted. ``tool_result_images``:
    ``native`` leaves media in the tool message, ``user_followup`` moves them into a user message after it.
    ``usage_excludes_reasoning``: ``completion_tokens`` leaves reasoning out. ``cache_control`` and ``cache_breakpoints``: the
    two ways to mark a reusable prefix. ``choice_count``: ``n`` is heeded, else the gateway makes several calls. ``sampling``:
    temperature and its kin are accepted. ``hosted_tools``: ``web_search`` where the model takes ``web_search_options``. The rest
    are fields of their name that the server accepts.
    """

    max_tokens_field: Literal["max_tokens", "max_completion_tokens"] = "max_completion_tokens"
    developer_role: bool = True
    reasoning_field: Literal["reasoning_content", "reasoning", "none"] = "reasoning_content"
    echo_reasoning: Literal["always", "tool_turn", "never"] = "never"
    empty_reasoning: bool = True
    reasoning_details: bool = False
    encrypted_content: bool = False
    thinking_switch: Literal["none", "thinking_type", "enable_thinking"] = "none"
    reasoning_effort: bool = True
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
    metadata: bool = False
    prompt_cache_key: bool = False
    verbosity: bool = False
    named_tool_choice: bool = True
    strict_tools: bool = False
    hosted_tools: str = ""


def dialect(table: Json) -> Dialect:
    """The Dialect of a catalogue row's table. ValueError names an unknown field or a wrong value."""
    try:
        found = msgspec.convert(table, Dialect)
    except msgspec.ValidationError as error:
        raise ValueError(str(error)) from None
    purposes(found.hosted_tools)
    return found
