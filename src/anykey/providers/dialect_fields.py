"""Which dialect fields a row or a configuration may set, by protocol, and which values each takes.

A field's meaning and default belong to the codec (`anykey.protocols.<name>.dialect`); this table lets a mistyped
field be answered with its file and line before any codec sees it.
"""

from collections.abc import Mapping

from anykey.providers.records import DialectValue

FieldType = type[bool] | type[int] | type[str] | tuple[str, ...]
"""A type, or the words a text field may be."""

DIALECT_FIELDS: Mapping[str, Mapping[str, FieldType]] = {
    "openai_chat": {
        "max_tokens_field": ("max_tokens", "max_completion_tokens"),
        "developer_role": bool,
        "reasoning_field": ("reasoning_content", "reasoning", "none"),
        "reasoning_details": bool,
        "encrypted_content": bool,
        "thinking_switch": ("none", "thinking_type", "enable_thinking"),
        "reasoning_effort": bool,
        "tool_result_images": ("native", "user_followup"),
        "stream_options": bool,
        "usage_excludes_reasoning": bool,
        "cache_control": bool,
        "cache_breakpoints": bool,
        "json_schema": bool,
        "custom_tools": bool,
        "file_parts": bool,
        "echo_reasoning": ("always", "tool_turn", "never"),
        "empty_reasoning": bool,
        "service_tier": bool,
        "choice_count": bool,
        "sampling": bool,
        "metadata": bool,
        "prompt_cache_key": bool,
        "verbosity": bool,
        "named_tool_choice": bool,
        "strict_tools": bool,
        "hosted_tools": str,
    },
    "openai_responses": {
        "verbatim": bool,
        "further_fields": str,
        "store": bool,
        "developer_role": bool,
        "instructions": bool,
        "sampling": bool,
        "max_output_tokens": bool,
        "reasoning": bool,
        "reasoning_summary": bool,
        "include_encrypted": bool,
        "reasoning_text": bool,
        "thinking_switch": bool,
        "verbosity": bool,
        "custom_tools": bool,
        "namespaces": bool,
        "native_tools": bool,
        "hosted_tools": str,
        "named_tool_choice": bool,
        "allowed_tool_choice": bool,
        "strict_tools": bool,
        "parallel_tool_calls": bool,
        "service_tier": bool,
        "metadata": bool,
        "prompt_cache_key": bool,
        "user": bool,
        "logprobs": bool,
        "json_schema": bool,
        "cache_breakpoints": bool,
        "media_results": bool,
        "file_urls": bool,
        "audio": bool,
        "video": bool,
    },
    "anthropic_messages": {
        "version": str,
        "sampling": bool,
        "thinking": ("adaptive", "budget", "none"),
        "forced_tool_choice": bool,
        "default_max_tokens": int,
        "mid_conversation_system": bool,
        "cache_control": bool,
        "output_format": bool,
        "effort": bool,
        "documents": bool,
        "prefill": bool,
        "strict_tools": bool,
        "metadata": bool,
        "hosted_tools": str,
        "service_tier": bool,
        "speed": bool,
        "billing_header": bool,
    },
    "gemini_generate": {
        "json_schema": bool,
        "thinking": ("level", "budget", "none"),
        "lowest_level": ("minimal", "low"),
        "highest_level": ("high", "xhigh"),
        "min_thinking_budget": int,
        "max_thinking_budget": int,
        "thought_signatures": ("required", "optional"),
        "tool_result_media": ("native", "user_followup"),
        "call_ids": bool,
        "validated_calls": bool,
        "hosted_tools": str,
        "mixed_tools": bool,
        "image_urls": bool,
        "image_output": bool,
        "labels": bool,
        "display_names": bool,
        "media_resolution": bool,
        "service_tier": bool,
        "penalties": bool,
        "logprobs": bool,
    },
}


def accepts(kind: FieldType, value: DialectValue) -> bool:
    """Say whether `value` may stand in a field of this type. True and false are never numbers here."""
    if isinstance(kind, tuple):
        return value in kind
    return type(value) is kind
