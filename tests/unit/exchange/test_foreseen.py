from typing import Any

import pytest

from anykey.exchange.foreseen import FILE_TOKENS, MOST_COPIES, MOST_TOKENS, foresee
from tests.unit.exchange.selling import exchange_of, gateway_with, step_of


@pytest.mark.parametrize(
    ("protocol", "fields", "output", "copies"),
    [
        ("openai_chat", b"", None, 1),
        ("openai_chat", b',"max_tokens":64', 64, 1),
        ("openai_chat", b',"max_tokens":64,"max_completion_tokens":32,"n":3', 64, 3),
        ("openai_chat", b',"max_tokens":64,"max_completion_tokens":1,"max_output_tokens":1', 64, 1),
        ("openai_chat", b',"max_tokens":"64","n":"8"', 64, 8),
        ("openai_chat", b',"max_tokens":"nan","max_completion_tokens":"inf","n":"-1"', None, 1),
        ("openai_chat", b',"max_tokens":64.0', 64, 1),
        ("openai_chat", b',"max_tokens":-1,"n":0', None, 1),
        ("openai_chat", b',"max_tokens":"many","n":null', None, 1),
        ("openai_chat", b',"max_tokens":99999999999999999999,"n":100000', MOST_TOKENS, MOST_COPIES),
        ("openai_responses", b',"max_output_tokens":64', 64, 1),
        ("anthropic_messages", b',"max_tokens":64', 64, 1),
        ("anthropic_messages", b',"max_tokens":64,"max_completion_tokens":1', 64, 1),
        ("gemini_generate", b',"generationConfig":{"maxOutputTokens":64,"candidateCount":2}', 64, 2),
        ("gemini_generate", b',"generation_config":{"max_output_tokens":64,"candidate_count":2}', 64, 2),
        ("gemini_generate", b',"generationConfig":{"maxOutputTokens":1,"max_output_tokens":64}', 64, 1),
        (
            "gemini_generate",
            b',"generationConfig":{"candidateCount":1},"generation_config":{"candidateCount":"8"}',
            None,
            8,
        ),
        ("gemini_generate", b',"generationConfig":3', None, 1),
        ("gemini_generate", b"", None, 1),
    ],
)
def test_what_the_caller_allows(protocol: Any, fields: bytes, output: int | None, copies: int) -> None:
    found = foresee(exchange_of(b'{"model":"m"%b}' % fields, protocol))
    assert (found.output, found.copies) == (output, copies)


def test_the_answer_is_bounded_by_what_is_known() -> None:
    gateway = gateway_with()
    step = step_of(gateway)
    assert foresee(exchange_of()).tokens(step, gateway, 500)[1] == 500
    assert foresee(exchange_of(b'{"model":"m","max_tokens":64,"n":2}')).tokens(step, gateway, 500)[1] == 128


def test_a_prompt_is_bounded_by_its_bytes_until_it_is_counted() -> None:
    gateway = gateway_with()
    picture = b'{"inlineData":{"mimeType":"image/png","data":"%b"}}' % (b"A" * 40_000)
    body = b'{"contents":[{"parts":[%b]}]}' % picture
    found = foresee(exchange_of(body, "gemini_generate"))
    assert found.prompt == -(-len(body) * 11 // 40)
    assert found.count_exactly()
    assert 1600 <= found.tokens(step_of(gateway), gateway, 1)[0] < 1700
    assert not found.count_exactly()


@pytest.mark.parametrize(
    ("protocol", "part", "least"),
    [
        ("openai_chat", b'{"type":"image_url","image_url":{"url":"https://x"}}', 1600),
        ("openai_chat", b'{"type":"image_url","image\\u005furl":{"ur\\u006c":"https://x"}}', 1600),
        ("openai_chat", b'{"type":"file","file":{"file_id":"f"}}', FILE_TOKENS),
        ("openai_chat", b'{"type":"video_url","video_url":{"url":"https://x"}}', FILE_TOKENS),
        ("openai_responses", b'{"type":"input_image","file_id":"f"}', 1600),
        ("openai_responses", b'{"type":"input_file","file_url":"https://x"}', FILE_TOKENS),
        ("anthropic_messages", b'{"type":"image","source":{"type":"url","url":"https://x"}}', 1600),
        ("anthropic_messages", b'{"type":"document","source":{"url":"https://x","type":"url"}}', FILE_TOKENS),
        ("anthropic_messages", b'{"type":"document","source":{"type":"file","file_id":"f"}}', FILE_TOKENS),
        ("gemini_generate", b'{"fileData":{"mimeType":"video/mp4","fileUri":"gs://x"}}', FILE_TOKENS),
        ("gemini_generate", b'{"fileData":{"mimeType":"image/png","fileUri":"gs://x"}}', 1600),
        ("gemini_generate", b'{"file_data":{"mime_type":"video/mp4","file_uri":"gs://x"}}', FILE_TOKENS),
    ],
)
def test_what_is_only_named_is_held_for_too(protocol: Any, part: bytes, least: int) -> None:
    shapes = {
        "openai_responses": b'{"model":"m","input":[{"role":"user","content":[%b]}]}',
        "gemini_generate": b'{"contents":[{"role":"user","parts":[%b]}]}',
    }
    body = shapes.get(protocol, b'{"model":"m","messages":[{"role":"user","content":[%b]}]}')
    once, thrice = (foresee(exchange_of(body % b",".join([part] * count), protocol)) for count in (1, 3))
    assert least <= once.prompt < least + 1600
    assert thrice.prompt >= 3 * least
    assert not once.count_exactly()


def test_a_text_is_no_less_for_being_counted() -> None:
    found = foresee(exchange_of(b'{"model":"m","messages":[]}'))
    assert found.prompt <= 8
    found.count_exactly()
    assert found.prompt >= 1
