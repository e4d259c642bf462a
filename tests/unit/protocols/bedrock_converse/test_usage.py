from anykey.conversation.usage import Usage
from anykey.protocols.bedrock_converse.usage import decode_usage


def test_the_buckets_are_disjoint() -> None:
    told = {
        "inputTokens": 5, "outputTokens": 7, "totalTokens": 112, "cacheReadInputTokens": 60, "cacheWriteInputTokens": 40,
        "cacheDetails": [{"ttl": "1h", "inputTokens": 30}, {"ttl": "5m", "inputTokens": 10}],
    }  # fmt: skip
    found = decode_usage(told)
    assert found == Usage(5, 60, 10, 30, 7)
    assert found is not None
    assert found.total_input() + found.total_output() == 112


def test_details_beyond_their_total_are_cut() -> None:
    told = {"inputTokens": 1, "cacheWriteInputTokens": 5, "cacheDetails": [{"ttl": "1h", "inputTokens": 9}, "x"]}
    assert decode_usage(told) == Usage(1, 0, 0, 5)


def test_what_counts_nothing_is_no_usage() -> None:
    assert decode_usage(None) is None
    assert decode_usage({"totalTokens": 3}) is None
    assert decode_usage({"inputTokens": -1, "outputTokens": 2, "more": 1}) == Usage(
        output_tokens=2, extras={"bedrock_converse": {"more": 1}}
    )
