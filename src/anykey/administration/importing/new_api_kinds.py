"""Where a channel of one-api or new-api goes: its type is a number, the same for both up to 25 and another beyond.

Law: an address is never guessed. A channel whose type has no counterpart here, or whose address says too little, is left.
Sources: constant/channel.go of QuantumNous/new-api, relay/channeltype/define.go of songquanpeng/one-api, read on 2026-11-21.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal
from urllib.parse import urlsplit

from anykey.administration.importing.addresses import is_address
from anykey.providers.load import find
from anykey.providers.records import EndpointRow, ProviderKind

Family = Literal["new-api", "one-api"]

_BOTH = {
    1: "openai", 3: "azure", 8: "custom", 14: "anthropic", 16: "zhipu", 17: "qwen", 20: "openrouter", 24: "gemini", 25: "kimi",
}  # fmt: skip
KINDS: Mapping[Family, Mapping[int, str]] = {
    "new-api": {
        **_BOTH, 4: "ollama", 26: "zhipu", 27: "perplexity", 33: "bedrock", 34: "cohere", 35: "minimax", 40: "siliconflow",
        41: "vertex", 42: "mistral", 43: "deepseek", 45: "volcengine", 46: "qianfan", 47: "custom", 48: "xai", 53: "submodel",
    },
    "one-api": {
        **_BOTH, 27: "minimax", 28: "mistral", 29: "groq", 30: "ollama", 32: "stepfun", 33: "bedrock", 35: "cohere",
        36: "deepseek", 39: "together", 40: "volcengine", 41: "novita", 42: "vertex", 44: "siliconflow", 45: "xai",
        47: "qianfan", 49: "qwen", 50: "custom",
    },
}  # fmt: skip
"""Type → our kind."""
HOMES: Mapping[Family, Mapping[int, str]] = {
    "new-api": {
        1: "https://api.openai.com", 5: "https://api.openai-sb.com", 6: "https://api.openaimax.com", 7: "https://api.ohmygpt.com",
        9: "https://api.caipacity.com", 10: "https://api.aiproxy.io", 12: "https://api.api2gpt.com",
        13: "https://api.aigc2d.com", 14: "https://api.anthropic.com", 16: "https://open.bigmodel.cn",
        17: "https://dashscope.aliyuncs.com", 19: "https://api.360.cn", 20: "https://openrouter.ai/api",
        22: "https://fastgpt.run/api/openapi", 25: "https://api.moonshot.cn", 26: "https://open.bigmodel.cn",
        31: "https://api.lingyiwanwu.com", 35: "https://api.minimax.chat", 40: "https://api.siliconflow.cn",
        45: "https://ark.cn-beijing.volces.com",
    },
    "one-api": {
        1: "https://api.openai.com", 5: "https://api.openai-sb.com", 6: "https://api.openaimax.com", 7: "https://api.ohmygpt.com",
        9: "https://api.caipacity.com", 10: "https://api.aiproxy.io", 12: "https://api.api2gpt.com",
        13: "https://api.aigc2d.com", 14: "https://api.anthropic.com", 16: "https://open.bigmodel.cn",
        17: "https://dashscope.aliyuncs.com", 19: "https://ai.360.cn", 20: "https://openrouter.ai/api",
        22: "https://fastgpt.run/api/openapi", 25: "https://api.moonshot.cn", 26: "https://api.baichuan-ai.com",
        27: "https://api.minimax.chat", 31: "https://api.lingyiwanwu.com", 40: "https://ark.cn-beijing.volces.com",
        44: "https://api.siliconflow.cn",
    },
}  # fmt: skip
"""Type → where a channel without an address of its own goes, where that matters: for a vendor with several regions, or without a
kind."""
PLANS = {
    "glm-coding-plan": "zhipu_coding",
    "glm-coding-plan-international": "zai_coding",
    "kimi-coding-plan": "kimi_coding",
    "doubao-coding-plan": "volcengine_coding",
}
"""new-api writes the name of a coding plan in the place of an address."""
_PATHS = {"zhipu": "/api/paas/v4", "qwen": "/compatible-mode/v1", "volcengine": "/api/v3", "qianfan": "/v2"}
_CALL = "/chat/completions"


def provider_of(family: Family, number: int, base: str, other: str) -> dict[str, Any] | None:
    """The provider's table of a channel of this type with this address (empty: the type's own) and what its field `other` says;
    None: there is no counterpart, or no address."""
    base = base.strip().rstrip("/")
    if base in PLANS:
        return {"kind": PLANS[base]}
    if base and not is_address(base):
        return None
    kind = find(KINDS[family].get(number, ""))
    if kind is not None and kind.id in {"azure", "bedrock", "vertex"}:
        return _of_variables(kind.id, base, other)
    home = HOMES[family].get(number, "")
    if kind is None and not home:
        return None
    address = base or home
    if kind is not None and kind.id != "custom":
        if not address:
            return {"kind": kind.id}
        door = _door(kind, address)
        if door is not None:
            return _at(kind, door)
    if not address:
        return None
    return _custom(family, number, kind, address)


def key_text(kind: str, text: str) -> str:
    """A channel's key as a credential of that kind: AWS's is `id|secret|region` there."""
    parts = text.strip().split("|")
    return ":".join(parts[:2]) if kind == "bedrock" and len(parts) == 3 else text.strip()


def region_in(text: str) -> str:
    """The region that a key of AWS's names; empty where it names none."""
    parts = text.strip().split("|")
    return parts[2].strip() if len(parts) == 3 else ""


def _of_variables(kind: str, base: str, other: str) -> dict[str, Any] | None:
    if kind == "azure":
        host = urlsplit(base).hostname or ""
        if not host.endswith(".openai.azure.com"):
            return None
        variables = {"resource": host.removesuffix(".openai.azure.com")}
        if not other.strip():
            return {"kind": kind, "variables": variables}
        return {"kind": kind, "variables": {**variables, "api_version": other.strip()}, "lane": "deployments"}
    if kind == "vertex":
        place = other.strip()
        if place in {"", "global"} or place.startswith("{"):
            return {"kind": kind}
        return {"kind": kind, "variables": {"location": place}, "region": "regional"}
    return {"kind": kind}


def _door(kind: ProviderKind, address: str) -> EndpointRow | None:
    """The door of the kind that is on the address's host."""
    host = urlsplit(address).hostname
    return next((door for door in kind.endpoints if door.base_url and urlsplit(door.base_url).hostname == host), None)


def _at(kind: ProviderKind, door: EndpointRow) -> dict[str, Any]:
    """The kind's table that leads to this door: its lane and region are said where they are not those that hold anyway."""
    first = kind.endpoints[0]
    table: dict[str, Any] = {"kind": kind.id}
    if door.lane != first.lane and door.lane:
        table["lane"] = door.lane
    if door.region != first.region and door.region:
        table["region"] = door.region
    return table


def _custom(family: Family, number: int, kind: ProviderKind | None, address: str) -> dict[str, Any] | None:
    if number == 14:
        return {"kind": "custom", "protocol": "anthropic_messages", "base_url": address.removesuffix("/v1")}
    if number == 24:
        return {"kind": "custom", "protocol": "gemini_generate", "base_url": address}
    if number == 8 and family == "new-api":  # the whole address of the call, with the model in it
        if not address.endswith(_CALL) or "{model}" in address:
            return None
        return {"kind": "custom", "protocol": "openai_chat", "base_url": address.removesuffix(_CALL)}
    path = _PATHS.get(kind.id, "/v1") if kind is not None else "/v1"
    return {"kind": "custom", "protocol": "openai_chat", "base_url": address.removesuffix(path) + path}
