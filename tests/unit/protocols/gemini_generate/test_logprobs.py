from typing import Any

import pytest

from anykey.conversation.losses import LossLog
from anykey.protocols.gemini_generate.logprobs import decode_logprobs, encode_logprobs
from tests.unit.protocols.gemini_generate.answers import codes

WIRE: dict[str, Any] = {
    "chosenCandidates": [
        {"token": "a", "logProbability": -0.5, "tokenId": 7},
        {"token": "b", "logProbability": -1.0, "tokenId": 8},
    ],
    "topCandidates": [{"candidates": [{"token": "a", "logProbability": -0.5, "tokenId": 7}]}, {"candidates": []}],
}
NEUTRAL: dict[str, Any] = {
    "content": [
        {
            "token": "a",
            "logprob": -0.5,
            "bytes": None,
            "token_id": 7,
            "top_logprobs": [{"token": "a", "logprob": -0.5, "bytes": None, "token_id": 7}],
        },
        {"token": "b", "logprob": -1.0, "bytes": None, "token_id": 8, "top_logprobs": []},
    ]
}


def test_both_ways() -> None:
    log = LossLog("response")
    assert decode_logprobs(WIRE) == NEUTRAL
    assert encode_logprobs(NEUTRAL, "l", log) == WIRE
    assert log.losses == []


NOTHING: list[Any] = [None, {}, {"chosenCandidates": []}, {"topCandidates": [{}]}, [1]]


@pytest.mark.parametrize("value", NOTHING)
def test_without_a_chosen_token_there_are_none(value: Any) -> None:
    assert decode_logprobs(value) is None


def test_what_has_no_place_is_a_loss() -> None:
    log = LossLog("response")
    said = {"content": [{"token": "\ufffd", "logprob": -1, "bytes": [195]}], "refusal": [{"token": "x"}]}
    assert encode_logprobs(said, "l", log) == {"chosenCandidates": [{"token": "\ufffd", "logProbability": -1}]}
    assert codes(log.losses) == ["dropped:l.refusal", "dropped:l.content[0].bytes"]
    assert encode_logprobs({"content": []}, "l", log) is None


def test_bytes_that_are_those_of_the_token_are_no_loss() -> None:
    log = LossLog("response")
    encode_logprobs({"content": [{"token": "é", "logprob": -1, "bytes": [195, 169]}]}, "l", log)
    assert log.losses == []
