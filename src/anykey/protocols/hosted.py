"""Tools that a provider runs itself, where they leave their own protocol: what crosses of them, and when a call is refused.

A codec decodes its own spelling of a web search to a ``HostedTool`` with a ``purpose`` and the ``options`` that others have a
word for (``search_options``); one whose Dialect names the purpose (``purposes``) encodes its own spelling from them. A tool that
the upstream cannot run is a Loss at ``tools[i]``. Whether a call without it is still worth making is decided by ``refuse``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any, Literal, NamedTuple, get_args

from anykey.conversation.failures import Failure, FailureError
from anykey.conversation.losses import Loss, LossLog
from anykey.conversation.parts import Json
from anykey.conversation.request import GenerateRequest
from anykey.conversation.tools import HostedPurpose, HostedTool

HostedPolicy = Literal["drop", "reject"]
POLICIES: tuple[HostedPolicy, ...] = get_args(HostedPolicy)
PURPOSES: frozenset[str] = frozenset(get_args(HostedPurpose))
CONTEXT_SIZES = frozenset({"low", "medium", "high"})
PLACE_KEYS = ("country", "region", "city", "timezone")
_INNER: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("filters", ("allowed_domains", "blocked_domains")),
    ("user_location", ("type", "approximate", *PLACE_KEYS)),
)
_WHOLE_TOOL = re.compile(r"tools\[(\d+)\]")


class HostedRule(NamedTuple):
    """What the operator said of hosted tools that an upstream cannot run. ``model`` is the name the caller used; ``setting``
    is the key of the configuration that ``policy`` stands in or would stand in, for the message of a refusal."""

    policy: HostedPolicy
    model: str
    setting: str


def purposes(words: str) -> frozenset[str]:
    """The purposes that a Dialect's ``hosted_tools`` lists, separated by commas. ValueError names a word that is none."""
    found = frozenset(word.strip() for word in words.split(",") if word.strip())
    for word in sorted(found - PURPOSES):
        raise ValueError(f"{word!r} is no purpose of a hosted tool; there are {', '.join(sorted(PURPOSES))}")
    return found


def search_options(
    *, allowed: Any = None, blocked: Any = None, max_uses: Any = None, context_size: Any = None, location: Any = None
) -> Json:
    """``HostedTool.options`` of a search or fetch, from whatever the wire had: what is absent, empty or of another type is left
    out. ``allowed`` and ``blocked`` are lists of host names, ``location`` an object with the keys ``PLACE_KEYS``."""
    place: Json = location if isinstance(location, dict) else {}  # pyright: ignore[reportUnknownVariableType] - parsed JSON
    found: Json = {
        "allowed_domains": _texts(allowed),
        "blocked_domains": _texts(blocked),
        "max_uses": max_uses if type(max_uses) is int and max_uses > 0 else None,
        "context_size": context_size if isinstance(context_size, str) and context_size in CONTEXT_SIZES else None,
        "user_location": {key: place[key] for key in PLACE_KEYS if isinstance(place.get(key), str)},
    }
    return {key: value for key, value in found.items() if value}


def report_unread(value: Json, path: str, log: LossLog) -> None:
    """Keys inside the filters and the place of a search's wire object that ``search_options`` does not read: each is a Loss."""
    for outer, known in _INNER:
        said: Any = value.get(outer)
        inner: Json = said if isinstance(said, dict) else {}  # pyright: ignore[reportUnknownVariableType] - parsed JSON
        for key in inner:
            if key not in known:
                log.dropped(f"{path}.{outer}.{key}", "no search of another provider has such an option")


def refuse(request: GenerateRequest, losses: Iterable[Loss], rule: HostedRule) -> None:
    """FailureError (400) if ``losses`` of the encoded ``request`` show that a hosted tool was left out and the call must not be
    made without it: the policy says so, the caller demanded that very tool, or it was the only one.

    The losses tell what the encoder really did, so no table of what each dialect runs can disagree with it.
    """
    left_out = _left_out(request, losses)
    if not left_out:
        return
    for tool in left_out:
        demanded = _demands(request, tool)
        if rule.policy == "reject" or demanded or len(left_out) == len(request.tools):
            raise FailureError(_refusal(tool, rule, demanded=demanded))


def _texts(value: Any) -> list[str]:
    entries: list[Any] = value if isinstance(value, list) else []  # pyright: ignore[reportUnknownVariableType] - parsed JSON
    return [entry for entry in entries if isinstance(entry, str)]


def _left_out(request: GenerateRequest, losses: Iterable[Loss]) -> list[HostedTool]:
    found: list[HostedTool] = []
    for loss in losses:
        match = _WHOLE_TOOL.fullmatch(loss.path) if loss.kind == "dropped" else None
        index = int(match[1]) if match else len(request.tools)
        tool = request.tools[index] if index < len(request.tools) else None
        if isinstance(tool, HostedTool):
            found.append(tool)
    return found


def _demands(request: GenerateRequest, tool: HostedTool) -> bool:
    """``tool_choice`` makes the model call this tool."""
    choice = request.tool_choice
    if choice is None:  # or one that only its own protocol has a word for: {"type": "web_search"}
        spelled: list[Any] = [keys.get("tool_choice") for keys in request.extras.values()]
        return any(value.get("type") in (tool.kind, tool.purpose) for value in spelled if isinstance(value, dict))  # pyright: ignore[reportUnknownMemberType] - parsed JSON
    must = choice.mode == "named" or (choice.mode == "allowed" and choice.required and len(choice.names) == 1)
    return must and choice.names[:1] in ((tool.name,), (tool.kind,), (tool.purpose,))


def _refusal(tool: HostedTool, rule: HostedRule, *, demanded: bool) -> Failure:
    name = tool.name or tool.kind
    told = f"The tool '{name}' ({tool.kind}) is run by the provider itself, and no provider of '{rule.model}' here has it. "
    if rule.policy == "reject":
        told += f'The setting {rule.setting} = "reject" refuses such calls; leave the tool out, or set it to "drop".'
    elif demanded:
        told += "tool_choice demands it, so the call cannot be made without it."
    else:
        told += "It is the only tool of the call, so there is nothing to be had without it."
    return Failure("invalid_request", told, param="tools", code="unsupported_tool", should_retry=False)
