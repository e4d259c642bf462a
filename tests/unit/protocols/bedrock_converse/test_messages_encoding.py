from typing import Any

import pytest

from anykey.conversation.failures import FailureError
from anykey.conversation.losses import LossLog
from anykey.conversation.message import Message
from anykey.conversation.parts import CacheHint, MediaPart, TextPart, ToolResultPart
from anykey.conversation.request import GenerateRequest
from anykey.protocols.bedrock_converse.blocks_encoding import BlockWriter
from anykey.protocols.bedrock_converse.dialect import dialect
from anykey.protocols.bedrock_converse.messages_encoding import Prompt, encode_prompt

PICTURE = MediaPart("image", "image/png", "iVBO")


def said(role: Any, *parts: Any, **more: Any) -> Message:
    return Message(role, tuple(TextPart(part) if isinstance(part, str) else part for part in parts), **more)


def sent(*messages: Message, cache: CacheHint | None = None, **fields: Any) -> tuple[Prompt, list[str]]:
    log, spoken = LossLog("request"), dialect(fields)
    request = GenerateRequest("m", messages, instructions=(TextPart("Be good."),), cache=cache)
    prompt = encode_prompt(request, spoken, BlockWriter(spoken, log))
    return prompt, [f"{loss.kind}:{loss.path}" for loss in log.losses]


def spelled(prompt: Prompt) -> list[tuple[str, list[str]]]:
    """Roles with the texts of their blocks; of another block its kind."""
    return [
        (message["role"], [block.get("text") or next(iter(block)) for block in message["content"]])
        for message in prompt.messages
    ]


def test_roles_alternate_and_leading_system_text_stands_apart() -> None:
    prompt, losses = sent(
        said("developer", "Be brief.", PICTURE),
        said("user", "a"),
        said("user", "b"),
        said("assistant", "c"),
        said("user", "d"),
    )
    assert prompt.system == [{"text": "Be good."}, {"text": "Be brief."}]
    assert spelled(prompt) == [("user", ["a", "b"]), ("assistant", ["c"]), ("user", ["d"])]
    assert losses == ["approximated:messages[0].role", "dropped:messages[0].content[1]"]


def test_the_user_is_first() -> None:
    prompt, losses = sent(said("assistant", "a"), said("user", "b"))
    assert [role for role, _ in spelled(prompt)] == ["user", "assistant", "user"]
    assert losses == ["approximated:messages[0]"]


def test_a_later_system_message() -> None:
    later = (said("user", "a"), said("assistant", "b"), said("system", "c"), said("user", "d"))
    prompt, losses = sent(*later)
    assert spelled(prompt)[2] == ("user", ["<system-instruction>\nc\n</system-instruction>", "d"])
    assert losses == ["emulated:messages[2].role"]
    prompt, losses = sent(*later, mid_conversation_system=True)
    assert spelled(prompt)[2:] == [("system", ["c"]), ("user", ["d"])]
    assert losses == []


def test_results_come_first_with_their_points() -> None:
    hinted = ToolResultPart("c", cache=CacheHint())
    prompt, losses = sent(said("user", "a", hinted, "b"), cache_points="all")
    assert spelled(prompt) == [("user", ["toolResult", "cachePoint", "a", "b"])]
    assert losses == []


def test_a_document_has_a_text_beside_it() -> None:
    prompt, _ = sent(said("user", MediaPart("document", "application/pdf", "JVBE")))
    assert spelled(prompt) == [("user", ["document", "Here is the document."])]


def test_a_picture_of_the_assistants_is_shown_by_the_user() -> None:
    prompt, losses = sent(said("user", "draw"), said("assistant", "here", PICTURE), said("user", "bigger"))
    assert spelled(prompt)[1:] == [
        ("assistant", ["here"]),
        ("user", ["You made this in your last message:", "image", "bigger"]),
    ]
    assert losses == ["emulated:messages[1].content[1]"]
    sound = MediaPart("audio", "audio/wav", "UklG")
    assert sent(said("user", "say"), said("assistant", "here", sound))[1] == ["dropped:messages[1].content[1]"]
    assert "dropped:messages" in sent(said("user", "draw"), said("assistant", PICTURE))[1]


@pytest.mark.parametrize("hint", [None, CacheHint()])
def test_a_begun_answer(hint: CacheHint | None) -> None:
    begun = (said("user", "a"), Message("assistant", (TextPart("Sure: ", cache=hint),)))
    prompt, losses = sent(*begun, cache_points="all")
    assert spelled(prompt)[1][1][0] == "Sure:"
    assert losses == ["approximated:messages[1]"]
    prompt, losses = sent(*begun, prefill=False, cache_points="all")
    assert [role for role, _ in spelled(prompt)] == ["user", "assistant", "user"]
    assert losses == ["approximated:messages[1]"]


def test_hints_on_a_message_and_on_the_whole() -> None:
    prompt, losses = sent(
        said("user", "a", cache=CacheHint()),
        said("assistant", "b"),
        said("user", "c"),
        cache=CacheHint(),
        cache_points="all",
    )
    assert spelled(prompt) == [("user", ["a", "cachePoint"]), ("assistant", ["b"]), ("user", ["c", "cachePoint"])]
    assert losses == []


def test_names_and_foreign_keys_are_named() -> None:
    message = said("user", "a", name="Ann", extras={"openai_chat": {"x": 1}})
    assert sent(message)[1] == ["dropped:messages[0].name", "dropped:messages[0].x"]


def test_nothing_left_is_refused() -> None:
    with pytest.raises(FailureError, match="nothing in them"):
        sent(said("user", " "))
