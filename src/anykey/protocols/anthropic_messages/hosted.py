"""Tools that the provider runs, and their calls in an answer, where they cross to or from another protocol.

A search that another provider ran is told as Anthropic tells its own: a ``server_tool_use`` and, where the addresses it found are
known, its ``web_search_tool_result``. The text of the pages is not known then, so ``encrypted_content`` is empty.
"""

from __future__ import annotations

import hashlib
from typing import Any

import msgspec

from anykey.conversation.losses import LossLog
from anykey.conversation.parts import Citation, Json, ToolCallPart
from anykey.conversation.tools import HostedPurpose, HostedTool
from anykey.protocols.anthropic_messages.dialect import Dialect
from anykey.protocols.anthropic_messages.extras import NAME
from anykey.protocols.anthropic_messages.shapes import is_array, is_object
from anykey.protocols.hosted import purposes, report_unread, search_options

SERVER_CALL = "server_tool_use"
"""The usual type of a call that the provider runs; another one is among its extras."""

_PURPOSES: dict[str, HostedPurpose] = {
    "web_search_": "web_search",
    "web_fetch_": "web_fetch",
    "code_execution_": "code_execution",
    "computer_": "computer",
    "mcp_toolset": "mcp",
}
_OWN: dict[str, Json] = {
    "web_search": {"type": "web_search_20250305", "name": "web_search"},
    "web_fetch": {"type": "web_fetch_20250910", "name": "web_fetch"},
    "code_execution": {"type": "code_execution_20250825", "name": "code_execution"},
}
"""Our own tool for a purpose, in the version that asks for nothing else."""

_OPTIONS = {
    "web_search": ("allowed_domains", "blocked_domains", "max_uses", "user_location"),
    "web_fetch": ("allowed_domains", "blocked_domains", "max_uses"),
    "code_execution": (),
}
_SAID_BY_OPTIONS = frozenset({"type", "name", "filters", "search_context_size", "user_location", "container"})
_SEARCHES = frozenset({"web_search", "google_search", "googleSearch"})


def decode_hosted(kind: str, name: str | None, wire: Json) -> HostedTool:
    """A tool of the provider; ``wire`` is all of it but its cache hint, which the caller adds."""
    purpose: HostedPurpose | None = next((_PURPOSES[prefix] for prefix in _PURPOSES if kind.startswith(prefix)), None)
    options: Json = {}
    if purpose in ("web_search", "web_fetch"):
        options = search_options(
            allowed=wire.get("allowed_domains"),
            blocked=wire.get("blocked_domains"),
            max_uses=wire.get("max_uses"),
            location=wire.get("user_location"),
        )
    return HostedTool(NAME, kind, name, wire, None, purpose, options)


def encode_hosted(tool: HostedTool, path: str, dialect: Dialect, log: LossLog) -> Json | None:
    """Our own tool for the same purpose, None with a Loss where this upstream has none."""
    if tool.origin == NAME:
        return dict(tool.value)
    usual = _OWN.get(tool.purpose or "")
    if usual is None or tool.purpose not in purposes(dialect.hosted_tools):
        log.dropped(path, f"{tool.kind} is a tool that only {tool.origin} upstreams run")
        return None
    block = dict(usual)
    for key, value in tool.options.items():
        if key not in _OPTIONS[tool.purpose]:
            log.dropped(f"{path}.{key}", "this upstream's tool has no such option")
        elif key == "blocked_domains" and "allowed_domains" in tool.options:
            log.dropped(f"{path}.{key}", "only one of the two lists may be said, and the allowed ones are")
        else:
            block[key] = {"type": "approximate", **value} if key == "user_location" else value
    report_unread(tool.value, path, log)
    for key, value in _unsaid(tool).items():
        if value not in (None, {}, []):
            log.dropped(f"{path}.{key}", "this upstream's tool has no such option")
    return block


def _unsaid(tool: HostedTool) -> Json:
    """What of another's wire object ``options`` does not hold. Gemini's is an object under the name of the tool."""
    inner: Any = tool.value.get(tool.kind)
    value: Json = inner if is_object(inner) else tool.value
    return {key: item for key, item in value.items() if key not in _SAID_BY_OPTIONS and key != tool.kind}


def hosted_blocks(part: ToolCallPart, path: str, log: LossLog) -> list[Json]:
    """The blocks of an answer for a call that a provider ran; none, with a Loss, where they have no form here."""
    if NAME in part.extras:
        return [own_call(part)]
    if part.name not in _SEARCHES:
        log.dropped(path, "a call that another provider ran itself has no form here")
        return []
    asked = _arguments(part)
    call_id = f"srvtoolu_{hashlib.sha256(part.id.encode('utf-8', 'surrogatepass')).hexdigest()[:24]}"
    query = asked.get("query")
    queries = asked.get("queries")
    if not isinstance(query, str):
        query = next((word for word in (queries if is_array(queries) else []) if isinstance(word, str)), "")
    call: Json = {"type": "server_tool_use", "id": call_id, "name": "web_search", "input": {"query": query}}
    sources = _sources(asked)
    if not sources:
        log.dropped(
            path, "the addresses that the search found are not known, and a search without them has no form here"
        )
        return []
    log.approximated(path, "told as a search of this protocol, without the pages it read")
    return [call, {"type": "web_search_tool_result", "tool_use_id": call_id, "content": sources}]


def own_call(part: ToolCallPart) -> Json:
    """The block of a call that a provider of this protocol ran."""
    call: Json = {"type": SERVER_CALL, "id": part.id, "name": part.name, "input": _arguments(part)}
    return {**call, **part.extras.get(NAME, {})}


def _arguments(part: ToolCallPart) -> Json:
    try:
        value: Any = msgspec.json.decode(part.arguments or "{}")
    except (msgspec.DecodeError, RecursionError):
        return {}
    return value if is_object(value) else {}


def _sources(asked: Json) -> list[Json]:
    """``web_search_result`` entries of the addresses that Responses tells in a search's action."""
    found: dict[str, str] = {}
    listed = asked.get("sources")
    for source in listed if is_array(listed) else []:
        url: Any = source.get("url") if is_object(source) else None
        if isinstance(url, str) and url:
            title: Any = source.get("title")
            found.setdefault(url, title if isinstance(title, str) else url)
    return [
        {"type": "web_search_result", "url": url, "title": title, "encrypted_content": "", "page_age": None}
        for url, title in found.items()
    ]


def encode_citation(citation: Citation) -> Json | None:
    """A citation for a client of this protocol: as it was, or as one of a web search. None without an address."""
    if citation.origin == NAME:
        return citation.raw
    if citation.url is None:
        return None
    return {
        "type": "web_search_result_location",
        "url": citation.url,
        "title": citation.title,
        "cited_text": citation.cited_text or "",
        "encrypted_index": "",
    }
