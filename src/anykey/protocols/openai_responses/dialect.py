"""What differs between servers that speak Responses. A vendor's quirk is a field here, never a name in the code."""

from __future__ import annotations

import msgspec

from anykey.conversation.parts import Json
from anykey.protocols.hosted import purposes


class Dialect(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The defaults are OpenAI's own API, with everything off that only some models or servers accept.

    ``verbatim``: a client's own request may go out as it is; false where the server knows a part of the protocol and refuses the
    rest, so that every request is fitted to it; ``further_fields`` are the top-level keys, separated by commas, that it takes all
    the same. ``store``: what is sent, whatever the caller said: the gateway keeps responses itself and sends the whole history.
    ``developer_role``: accepted, else sent as ``system``. ``instructions``: the top-level key is accepted, else its text is the
    first message. ``sampling``: temperature and top_p are accepted. ``reasoning``: the ``reasoning`` object is accepted;
    ``reasoning_summary``: so is ``reasoning.summary``; ``include_encrypted``: reasoning is asked for in encrypted form and taken
    back; ``reasoning_text``: so is plain text. ``thinking_switch``: thinking is switched by ``thinking: {type}``.
    ``verbosity``: ``text.verbosity``. ``custom_tools``: free-text tools, else functions with one argument. ``namespaces``: tools
    may stand in groups, else one flat list. ``native_tools``: client-run tools with item types of their own (``apply_patch``,
    ``shell``, ``local_shell``, ``tool_search``) are known, else they are functions. ``hosted_tools``: the purposes, separated by
    commas, for which the server has a tool of its own (``protocols.hosted``). ``named_tool_choice``, ``allowed_tool_choice``:
    those forms are accepted. ``strict_tools``: ``strict`` is accepted on functions, and sent as false where nobody said.
    ``user``: accepted as ``safety_identifier``. ``cache_breakpoints``: parts may be marked with ``prompt_cache_breakpoint``.
    ``media_results``: a tool's output may hold several parts, images and files too, else it is one text and they follow as a user
    message. ``file_urls``: files may be given by address. ``audio``, ``video``: ``input_audio`` and ``input_video`` parts are
    taken. The rest are fields or forms of their name that the server accepts.
    """

    verbatim: bool = True
    further_fields: str = ""
    store: bool = False
    developer_role: bool = True
    instructions: bool = True
    sampling: bool = True
    max_output_tokens: bool = True
    reasoning: bool = True
    reasoning_summary: bool = True
    include_encrypted: bool = True
    reasoning_text: bool = False
    thinking_switch: bool = False
    verbosity: bool = True
    custom_tools: bool = True
    namespaces: bool = True
    native_tools: bool = True
    hosted_tools: str = ""
    named_tool_choice: bool = True
    allowed_tool_choice: bool = True
    strict_tools: bool = True
    parallel_tool_calls: bool = True
    service_tier: bool = True
    metadata: bool = True
    prompt_cache_key: bool = True
    user: bool = True
    logprobs: bool = True
    json_schema: bool = True
    cache_breakpoints: bool = False
    media_results: bool = True
    file_urls: bool = True
    audio: bool = False
    video: bool = False


def dialect(table: Json) -> Dialect:
    """The Dialect of a catalogue row's table. ValueError names an unknown field or a wrong value."""
    try:
        found = msgspec.convert(table, Dialect)
    except msgspec.ValidationError as error:
        raise ValueError(str(error)) from None
    purposes(found.hosted_tools)
    return found
