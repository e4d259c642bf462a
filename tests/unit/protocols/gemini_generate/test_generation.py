import pytest

from anykey.conversation.failures import FailureError
from anykey.conversation.losses import LossLog
from anykey.conversation.parts import Json
from anykey.conversation.request import GenerateRequest, OutputFormat, Reasoning
from anykey.protocols.fields import Fields
from anykey.protocols.gemini_generate.dialect import Dialect
from anykey.protocols.gemini_generate.generation import Generation, decode_generation, encode_generation

WIRE: Json = {
    "temperature": 0.5,
    "topP": 0.9,
    "topK": 40,
    "candidateCount": 2,
    "maxOutputTokens": 100,
    "seed": 7,
    "frequencyPenalty": 0.1,
    "presencePenalty": 0.2,
    "responseLogprobs": True,
    "logprobs": 3,
    "stopSequences": ["a", "b"],
    "thinkingConfig": {"thinkingLevel": "LOW", "includeThoughts": True},
    "responseMimeType": "application/json",
}
READ = Generation(
    temperature=0.5,
    top_p=0.9,
    top_k=40,
    choice_count=2,
    max_output_tokens=100,
    stop=("a", "b"),
    seed=7,
    frequency_penalty=0.1,
    presence_penalty=0.2,
    logprobs=True,
    top_logprobs=3,
    reasoning=Reasoning(effort="low", display="summarized"),
    output_format=OutputFormat("json_object"),
)


def written(request: GenerateRequest, dialect: Dialect | None = None) -> tuple[Json, list[str]]:
    log = LossLog("request")
    return encode_generation(request, dialect or Dialect(), log), [f"{loss.kind}:{loss.path}" for loss in log.losses]


def test_every_field_is_read_and_written() -> None:
    left: Json = {}
    assert decode_generation(Fields(WIRE, "generationConfig"), left, LossLog("request")) == READ
    assert left == {}
    assert written(GenerateRequest("m", (), **READ._asdict())) == (WIRE, [])


def test_what_has_no_neutral_field_is_left_under_its_path() -> None:
    left: Json = {}
    config = Fields({"responseModalities": ["TEXT"], "speechConfig": {"x": 1}}, "generationConfig")
    assert decode_generation(config, left, LossLog("request")) == Generation()
    assert left == {"generationConfig.responseModalities": ["TEXT"], "generationConfig.speechConfig": {"x": 1}}


def test_no_config_says_nothing() -> None:
    assert decode_generation(None, {}, LossLog("request")) == Generation()
    assert written(GenerateRequest("m", ())) == ({}, [])


def test_stop_sequences_beyond_five_are_the_gateways() -> None:
    config, losses = written(GenerateRequest("m", (), stop=("a", "", "b", "c", "d", "e", "f")))
    assert config == {"stopSequences": ["a", "b", "c", "d", "e"]}
    assert losses == ["dropped:stop[1]", "emulated:stop[6]"]


def test_what_a_model_does_not_take_is_named() -> None:
    request = GenerateRequest("m", (), **READ._replace(reasoning=None, output_format=None)._asdict())
    config, losses = written(request, Dialect(penalties=False, logprobs=False))
    assert not {"frequencyPenalty", "responseLogprobs", "logprobs"} & set(config)
    assert losses == [
        "dropped:frequency_penalty",
        "dropped:presence_penalty",
        "dropped:logprobs",
        "dropped:top_logprobs",
    ]
    assert written(GenerateRequest("m", (), logprobs=False), Dialect(logprobs=False)) == ({}, [])


@pytest.mark.parametrize(("config", "named"), [({"stopSequences": [1]}, "stopSequences"), ({"topK": "x"}, "topK")])
def test_what_cannot_be_read_is_named(config: Json, named: str) -> None:
    with pytest.raises(FailureError, match=named):
        decode_generation(Fields(config, "generationConfig"), {}, LossLog("request"))
