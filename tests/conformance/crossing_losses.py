"""What recorded traffic loses where it changes the protocol: codes of losses (patterns) with the reason why that must be.

`REQUEST` is by the protocol of the upstream that could not be told, `ANSWER` by that of the client. A dropped field whose name
stands in the recorded body itself is not listed: a key that one protocol has and the other has not.
"""

_TOOLS = {
    "dropped:tools": "tools that one provider runs itself",
    "dropped:tools.context_size": "the tool of this provider has no such setting",
    "dropped:tool_choice": "no tools to choose from",
    "emulated:tools": "a free-text tool is a function with one text; tools that the choice leaves out are not sent",
    "emulated:tools.namespace": "one flat list of names",
    "emulated:functions": "the legacy functions are tools",
    "emulated:messages.*.name": "names have fewer letters here",
}
_REASONING = {
    "approximated:reasoning.*": "efforts, budgets and switches are not the same scale",
    "emulated:reasoning.*": "no thinking is an effort with some and a switch with others",
    "dropped:reasoning.*": "efforts, budgets and switches that this upstream has no word for",
    "dropped:messages.content.state": "another provider's state, which only that can read",
}
_SAMPLING = {
    "dropped:frequency_penalty": "not in this protocol, or not with this model",
    "dropped:presence_penalty": "not in this protocol, or not with this model",
    "dropped:top_k": "not in this protocol, or not with this model",
    "dropped:top_p": "not with this model",
    "dropped:logprobs": "not in this protocol, or not with this upstream",
}

REQUEST: dict[str, dict[str, str]] = {
    "openai_chat": {
        **_TOOLS,
        **_REASONING,
        **_SAMPLING,
        "approximated:messages.content": "documents by address and in text are text in Chat; a message has one order",
        "approximated:messages.content.content": "blocks of a result that Chat has only as text",
        "approximated:*.cache_control.ttl": "other lifetimes",
        "approximated:response_format.json_schema": "some servers promise JSON, but no schema",
        "approximated:tool_choice.*": "some servers cannot be made to call a certain tool",
        "approximated:user": "a user's name has 64 characters",
        "dropped:*.cache_control": "few Chat servers take marks",
        "dropped:messages.content": "blocks of one provider's own tools, and reasoning that the upstream does not take back",
        "dropped:messages.content.content": "files that only another provider holds",
        "dropped:messages.content.media_type": "an address says it itself",
        "dropped:messages.content.message": "keys of a Responses item",
        "dropped:system": "the billing line of Claude Code is for Anthropic only",
        "emulated:messages.content.content": "a tool's image is shown by the user",
        "emulated:messages.content.is_error": "a result says itself that it is an error",
        "emulated:messages.role": "some servers know no developer role",
    },
    "openai_responses": {
        **_TOOLS,
        **_REASONING,
        **_SAMPLING,
        "approximated:messages.content": "documents in text are text; files that only another provider holds are named",
        "approximated:messages.content.content": "blocks of a result that Responses has only as text",
        "emulated:messages.content.is_error": "a result says itself that it is an error",
        "approximated:*.cache_control.ttl": "other lifetimes",
        "approximated:safety_identifier": "a user's name has 64 characters",
        "approximated:tool_choice.tools": "some servers cannot limit the tools of one turn",
        "dropped:*.cache_control": "few Responses servers take marks",
        "dropped:instructions": "the billing line of Claude Code is for Anthropic only",
        "dropped:messages.content": "blocks of one provider's own tools, and reasoning that the upstream does not take back",
        "dropped:messages.content.media_type": "an address says it itself",
        "dropped:messages.content.message": "some servers know a part of Responses only",
        "dropped:parallel_tool_calls": "some servers do not take it",
        "dropped:safety_identifier": "some servers take no user",
        "emulated:choice_count": "Responses gives one answer a call",
        "emulated:messages.content.content": "a tool's image is shown by the user",
        "emulated:stop": "Responses has no stop sequences",
    },
    "anthropic_messages": {
        **_TOOLS,
        **_REASONING,
        **_SAMPLING,
        "approximated:messages": "some upstreams take no begun answer",
        "approximated:messages.content.arguments": "arguments cut by length are no JSON, and an input must be an object",
        "approximated:messages.content.id": "some servers number their calls anew each turn; ids come once in Messages",
        "approximated:messages.role": "Messages has no developer role",
        "approximated:output_format.schema": "Messages wants closed objects",
        "approximated:service_tier": "other tiers",
        "approximated:tool_choice": "no forced choice while a model thinks",
        "dropped:cache_key": "Messages caches by marks alone",
        "dropped:messages.content": "reasoning that Messages did not sign, blocks of one provider",
        "dropped:messages.content.message": "keys of a Responses item",
        "dropped:reasoning": "a turn that began without thinking cannot go on with it",
        "dropped:system": "the billing line of Claude Code is for Anthropic only",
        "dropped:top_logprobs": "not in Messages",
        "emulated:choice_count": "Messages gives one answer a call",
        "emulated:messages.content": "some upstreams take documents as text only",
        "emulated:messages.content.content": "some upstreams take documents as text only",
        "emulated:messages.role": "an upstream may take no system message in mid-conversation",
        "emulated:output_format": "Messages has no JSON without a schema",
        "emulated:stop": "blank stop sequences are refused",
    },
    "gemini_generate": {
        **_TOOLS,
        **_REASONING,
        **_SAMPLING,
        "*:tools.parameters.*": "models of Gemini 2 know a part of JSON Schema only",
        "*:output_format.schema.*": "models of Gemini 2 know a part of JSON Schema only",
        "approximated:messages.parts": "a call whose signature is not to be had has the word that stands for one",
        "approximated:messages.parts.arguments": "arguments cut by length are no JSON, and args must be an object",
        "approximated:messages.parts.content": "a document in text is text",
        "approximated:messages.role": "Gemini has no developer role, and no system message in mid-conversation",
        "approximated:tools": "Google's own tools have no settings",
        "approximated:tools.strict": "all calls are held to their schemas, or none",
        "dropped:cache_key": "Gemini caches on its own",
        "dropped:end_user": "not in Gemini",
        "dropped:instructions": "the billing line of Claude Code is for Anthropic only",
        "dropped:messages.parts": "thoughts without a signature, blocks of one provider",
        "dropped:messages.parts.cache_control": "Gemini caches on its own",
        "dropped:messages.parts.content": "blocks of one provider",
        "dropped:messages.parts.content.title": "media have no title in the Gemini API",
        "dropped:messages.parts.message": "keys of a Responses item",
        "dropped:messages.parts.title": "media have no title in the Gemini API",
        "dropped:parallel_tool_calls": "Gemini calls as many tools as it likes",
        "emulated:messages": "calls must follow a turn of the user's",
        "emulated:messages.parts.content": "a tool's image is shown by the user",
    },
}

_OTHER_PROVIDERS = {
    "dropped:*content": "calls of tools that a provider ran itself, media and reasoning that have no place",
    "dropped:*content.citations": "sources without an address",
    "dropped:*content.message": "keys of a Responses item",
    "dropped:*content.image_generation_call": "keys of a Responses item",
    "dropped:choices.message": "what one vendor adds to a message",
    "dropped:response.image_generation_call.partial_image": "a picture that is not done",
}

ANSWER: dict[str, dict[str, str]] = {
    "openai_chat": {
        **_OTHER_PROVIDERS,
        "approximated:choices.content": "a Chat message has one order",
        "approximated:choices.finish_reason": "other words",
    },
    "openai_responses": {
        **_OTHER_PROVIDERS,
        "approximated:choices.finish_reason": "other words",
        "approximated:usage": "an answer of Responses always counts",
        "dropped:choices": "Responses gives one answer",
    },
    "anthropic_messages": {
        **_OTHER_PROVIDERS,
        "approximated:content": "searches of other providers are told as its own",
        "approximated:content.citations": "a page stands beside the text, not at a place in it",
        "approximated:finish.reason": "other words",
        "approximated:usage.*": "Messages counts audio and images in the total only",
        "dropped:choices": "Messages gives one answer",
        "dropped:content.state": "a thought after the last word would hide that from Claude Code",
        "dropped:finish.detail": "another protocol's explanation",
        "dropped:logprobs": "not in Messages",
        "emulated:content": "a custom tool's text has no form of its own",
    },
    "gemini_generate": {
        **_OTHER_PROVIDERS,
        "approximated:choices.finish_reason": "other words",
        "approximated:usage.cache_write_tokens": "Gemini counts them in the prompt only",
        "dropped:choices.content.citations.cited_text": "Gemini tells a page by address and title",
    },
}

REFUSED = (
    "audio is not supported",
    "video is not supported",
    "a file uploaded to another provider cannot be read",
    "a file id is known only to the provider that holds the file",
    "documents of type unknown are not supported",
    "this upstream takes no documents but plain text",
    "this model takes no image by address",
    "this model takes no audio by address",
    "this model takes no video by address",
    "this model takes no document by address",
    "at least one message is required",
)
"""What an upstream cannot be shown is refused by name, because an answer would be about something else."""

STORED = (
    "this needs responses stored by the gateway",
    "only where this gateway stores responses",
)
"""Requests that lean on what the server keeps: `tests/unit/exchange/responses` and `tests/sdk/test_responses_state.py`."""
