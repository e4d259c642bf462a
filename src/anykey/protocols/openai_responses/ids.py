"""Ids of what comes without one: the same answer has the same ids, streamed or whole, and each tells by its prefix what it is."""

from __future__ import annotations

from anykey.conversation.parts import Extras
from anykey.protocols.openai_responses.extras import own, synthetic_id

RESPONSE = "resp_"
PREFIXES: dict[str, str] = {
    "message": "msg_",
    "reasoning": "rs_",
    "function_call": "fc_",
    "custom_tool_call": "ctc_",
    "apply_patch_call": "apc_",
    "shell_call": "sh_",
    "local_shell_call": "lsh_",
    "tool_search_call": "tsc_",
    "web_search_call": "ws_",
    "image_generation_call": "ig_",
    "compaction": "cmp_",
}
"""By item type, as OpenAI writes them."""


def response_id(upstream_id: str, *seeds: object) -> str:
    """The id of an answer: the upstream's own if it is one of Responses, else made of it; of ``seeds`` where it gave none."""
    if upstream_id.startswith(RESPONSE):
        return upstream_id
    return synthetic_id(RESPONSE, upstream_id) if upstream_id else synthetic_id(RESPONSE, *seeds)


def item_id(kind: str, response: str, output_index: int) -> str:
    """The id of the item of type ``kind`` that stands at ``output_index`` of the answer ``response``."""
    return synthetic_id(PREFIXES.get(kind, "item_"), response, output_index)


def upstream_item_id(extras: Extras) -> str | None:
    """The id that the item of a part had at an upstream of this protocol."""
    keys = own(extras)
    holder = keys.get("message") or keys.get("image_generation_call") or keys
    found = holder.get("id")
    return found if isinstance(found, str) and found else None
