from typing import Any

import pytest

from anykey.conversation.losses import LossLog
from anykey.conversation.usage import Usage
from anykey.protocols.gemini_generate.usage import count_usage, decode_usage, encode_usage
from tests.unit.protocols.gemini_generate.answers import codes


def modalities(**counts: int) -> list[dict[str, Any]]:
    return [{"modality": key, "tokenCount": count} for key, count in counts.items()]


def own(**keys: Any) -> dict[str, Any]:
    return {"gemini_generate": keys}


def test_totals_become_disjoint_buckets() -> None:
    reported = {
        "promptTokenCount": 100,
        "cachedContentTokenCount": 40,
        "candidatesTokenCount": 30,
        "thoughtsTokenCount": 7,
        "toolUsePromptTokenCount": 11,
        "totalTokenCount": 148,
        "promptTokensDetails": modalities(TEXT=100),
    }
    usage = decode_usage(reported)
    extras = own(toolUsePromptTokenCount=11)
    assert usage is not None
    assert usage == Usage(71, 40, output_tokens=30, reasoning_tokens=7, extras=extras)
    assert usage.total_input() + usage.total_output() == 148


def test_pictures_and_sound_have_their_buckets_less_what_was_cached() -> None:
    usage = decode_usage(
        {
            "promptTokenCount": 3297,
            "cachedContentTokenCount": 2918,
            "promptTokensDetails": modalities(TEXT=83, VIDEO=2893, AUDIO=321),
            "cacheTokensDetails": modalities(AUDIO=284, TEXT=73, VIDEO=2561),
            "candidatesTokenCount": 1216,
            "candidatesTokensDetails": modalities(IMAGE=1120),
        }
    )
    assert usage is not None
    assert (usage.input_tokens, usage.cache_read_tokens, usage.input_audio_tokens) == (342, 2918, 37)
    assert (usage.output_tokens, usage.output_image_tokens) == (96, 1120)
    assert usage.extras == own(promptTokensDetails=modalities(VIDEO=2893))


@pytest.mark.parametrize("value", [None, [], "x", {}, {"trafficType": "ON_DEMAND"}, {"promptTokenCount": -1}])
def test_what_counts_nothing_is_no_usage(value: Any) -> None:
    assert decode_usage(value) is None


def test_a_detail_larger_than_its_total_is_cut() -> None:
    usage = count_usage(
        {"promptTokenCount": 5, "cachedContentTokenCount": 9, "promptTokensDetails": modalities(AUDIO=9)}
    )
    assert usage == Usage(0, 5)


def test_odd_details_are_passed_over() -> None:
    details: list[Any] = [3, {"modality": 4, "tokenCount": 2}, {"modality": "AUDIO", "tokenCount": "x"}]
    assert count_usage({"promptTokenCount": 5, "promptTokensDetails": details}) == Usage(5)


def test_what_is_reported_beside_the_counts_is_kept() -> None:
    usage = decode_usage({"promptTokenCount": 1, "trafficType": "ON_DEMAND", "serviceTier": None})
    assert usage == Usage(1, extras=own(trafficType="ON_DEMAND"))


@pytest.mark.parametrize(
    "usage",
    [
        Usage(3, output_tokens=2),
        Usage(3, 4, output_tokens=2, reasoning_tokens=9),
        Usage(20, 4, output_tokens=2, extras=own(toolUsePromptTokenCount=11, trafficType="ON_DEMAND")),
        Usage(3, 4, 0, 0, 2, 1, 5, 6, 7, 8, own(promptTokensDetails=modalities(VIDEO=2))),
    ],
)
def test_buckets_come_back(usage: Usage) -> None:
    log = LossLog("response")
    assert decode_usage(encode_usage(usage, log)) == usage
    assert log.losses == []


def test_the_object_a_client_reads() -> None:
    log = LossLog("response")
    usage = Usage(3, 4, 5, 6, 2, 1, 7, 0, 0, 8, {"openai_chat": {"cost": 1}})
    assert encode_usage(usage, log) == {
        "promptTokenCount": 25,
        "cachedContentTokenCount": 4,
        "candidatesTokenCount": 10,
        "thoughtsTokenCount": 1,
        "totalTokenCount": 36,
        "promptTokensDetails": modalities(TEXT=18, AUDIO=7),
        "candidatesTokensDetails": modalities(TEXT=2, IMAGE=8),
    }
    assert codes(log.losses) == ["dropped:usage.cost", "approximated:usage.cache_write_tokens"]
