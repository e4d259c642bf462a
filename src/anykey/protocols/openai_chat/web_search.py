"""The web search of Chat Completions, both ways: ``web_search_options``, by which the search models of OpenAI are asked, and
tools of type ``web_search`` that some servers have. It is a hosted tool like any other to the rest of the program.
"""

from __future__ import annotations

from typing import Any

from anykey.conversation.losses import LossLog
from anykey.conversation.parts import Json
from anykey.conversation.tools import HostedTool
from anykey.protocols.hosted import report_unread, search_options
from anykey.protocols.openai_chat.extras import NAME
from anykey.protocols.openai_chat.parsed import is_object

OPTIONS = "web_search_options"
_CROSSING = frozenset({"type", "name", "filters", "user_location", "search_context_size"})
"""Keys of another's search tool that ``options`` hold, or that say nothing more."""


def decode_options(value: Json) -> HostedTool:
    """``web_search_options`` as a tool; it has no name, and no place among ``tools``."""
    place: Any = value.get("user_location")
    if is_object(place):
        place = place.get("approximate", place)
    options = search_options(context_size=value.get("search_context_size"), location=place)
    return HostedTool(NAME, OPTIONS, None, value, purpose="web_search", options=options)


def decode_vendor_tool(kind: str, value: Json) -> HostedTool:
    """A tool of a type that only some servers know; one that is a search may be exchanged for another's."""
    if not kind.startswith("web_search"):
        return HostedTool(NAME, kind, None, value)
    inner: Any = value.get(kind)
    said: Json = inner if is_object(inner) else value
    options = search_options(
        allowed=said.get("allowed_domains"),
        blocked=said.get("blocked_domains"),
        context_size=said.get("search_context_size"),
        location=said.get("user_location"),
    )
    return HostedTool(NAME, kind, None, value, purpose="web_search", options=options)


def encode_options(tool: HostedTool, path: str, log: LossLog) -> Json:
    """``web_search_options`` for a search of any protocol; ``path`` is that of the tool."""
    if tool.origin == NAME and tool.kind == OPTIONS:
        return tool.value
    out: Json = {}
    for key, value in tool.options.items():
        if key == "context_size":
            out["search_context_size"] = value
        elif key == "user_location":
            out["user_location"] = {"type": "approximate", "approximate": value}
        else:
            log.dropped(f"{path}.{key}", "a search of this protocol has no such option")
    inner: Any = tool.value.get(tool.kind)
    said: Json = inner if is_object(inner) else tool.value
    report_unread(said, path, log)
    for key, value in said.items():
        if key not in _CROSSING and key not in tool.options and key != tool.kind and value not in (None, {}, []):
            log.dropped(f"{path}.{key}", "a search of this protocol has no such option")
    return out
