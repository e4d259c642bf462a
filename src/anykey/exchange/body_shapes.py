"""The shapes that request bodies of the four protocols have where routing looks: one struct for all of them, each field optional.

What is only counted is raw. A field that has another type than here makes its part malformed, and nothing else.
"""

from __future__ import annotations

import msgspec

NOTHING = msgspec.Raw()


class Top(msgspec.Struct):
    """The fields of a body, in whichever protocol."""

    model: msgspec.Raw = NOTHING
    messages: msgspec.Raw = NOTHING
    input: msgspec.Raw = NOTHING
    contents: msgspec.Raw = NOTHING
    system: msgspec.Raw = NOTHING
    instructions: msgspec.Raw = NOTHING
    system_instruction: msgspec.Raw = NOTHING
    systemInstruction: msgspec.Raw = NOTHING  # noqa: N815 - the wire's name, as below
    tools: msgspec.Raw = NOTHING
    web_search_options: msgspec.Raw = NOTHING
    max_tokens: msgspec.Raw = NOTHING
    max_completion_tokens: msgspec.Raw = NOTHING
    max_output_tokens: msgspec.Raw = NOTHING
    thinking: msgspec.Raw = NOTHING
    reasoning: msgspec.Raw = NOTHING
    reasoning_effort: msgspec.Raw = NOTHING
    output_config: msgspec.Raw = NOTHING
    generationConfig: msgspec.Raw = NOTHING  # noqa: N815
    generation_config: msgspec.Raw = NOTHING
    client_metadata: msgspec.Raw = NOTHING


class Source(msgspec.Struct):
    """Where a medium's bytes are: Messages' `source`, Gemini's `inlineData`, Chat's `file` and `input_audio`."""

    type: str | None = None
    data: msgspec.Raw = NOTHING
    file_data: msgspec.Raw = NOTHING
    media_type: str | None = None
    mimeType: str | None = None  # noqa: N815
    mime_type: str | None = None


class Said(msgspec.Struct):
    """A message, an item or a part of one, in whichever protocol."""

    type: str | None = None
    role: str | None = None
    text: str | None = None
    thinking: str | None = None
    reasoning_content: str | None = None
    refusal: str | None = None
    name: str | None = None
    content: str | list[Said] | None = None
    parts: list[Said] | None = None
    summary: list[Said] | None = None
    output: str | list[Said] | None = None
    arguments: msgspec.Raw = NOTHING
    input: msgspec.Raw = NOTHING
    tool_calls: msgspec.Raw = NOTHING
    functionCall: msgspec.Raw = NOTHING  # noqa: N815
    functionResponse: msgspec.Raw = NOTHING  # noqa: N815
    tools: list[msgspec.Raw] | None = None
    source: Source | None = None
    inlineData: Source | None = None  # noqa: N815
    inline_data: Source | None = None
    file: Source | None = None
    input_audio: Source | None = None
    image_url: msgspec.Raw = NOTHING
    file_data: msgspec.Raw = NOTHING
    file_id: msgspec.Raw = NOTHING
    file_url: msgspec.Raw = NOTHING
    fileData: Source | None = None  # noqa: N815 - the wire's name
    video_url: msgspec.Raw = NOTHING
    audio_url: msgspec.Raw = NOTHING


class Tool(msgspec.Struct):
    type: str | None = None
    functionDeclarations: list[msgspec.Raw] | None = None  # noqa: N815
    function_declarations: list[msgspec.Raw] | None = None
    googleSearch: msgspec.Raw = NOTHING  # noqa: N815
    google_search: msgspec.Raw = NOTHING


class Reasoning(msgspec.Struct):
    """Messages' `thinking` and `output_config`, Responses' `reasoning`, Gemini's `thinkingConfig`."""

    type: str | None = None
    effort: str | None = None
    thinkingBudget: int | None = None  # noqa: N815
    thinkingLevel: str | None = None  # noqa: N815
    includeThoughts: bool | None = None  # noqa: N815


class Generation(msgspec.Struct):
    maxOutputTokens: int | None = None  # noqa: N815
    thinkingConfig: Reasoning | None = None  # noqa: N815
