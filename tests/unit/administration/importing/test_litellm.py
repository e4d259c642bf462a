"""What LiteLLM's configuration says, and that nothing of it is dropped in silence, run, or shown."""

from contextlib import suppress
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import cast

import msgspec
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from anykey.administration.errors import AdministrationError
from anykey.administration.importing.litellm import LARGEST_FILE, read_litellm
from anykey.administration.importing.putting import prepare_import
from anykey.administration.importing.records import Imported
from anykey.language import say
from anykey.settings import SettingsError

CONFIG = """
model_list:
  - model_name: gpt-5.4
    litellm_params:
      model: openai/gpt-5.4
      api_base: https://api.example.com/v1
      api_key: sk-literal-1234567890
      input_cost_per_token: 0.0000025
      output_cost_per_token: 1.5e-05
  - model_name: gpt-5.4
    litellm_params: {model: azure/deep, api_base: "https://me.openai.azure.com", api_version: "2026-01-01", weight: 3}
  - model_name: claude
    litellm_params: {model: anthropic/claude-opus-5, api_key: os.environ/MY_KEY, rpm: 5}
  - model_name: pictures
    litellm_params: {model: openai/gpt-image-2}
    model_info: {mode: image_generation}
  - model_name: odd
    litellm_params: {model: nobody/knows}
router_settings:
  routing_strategy: least-busy
  model_group_alias: {gpt-4: gpt-5.4, none: gone}
  num_retries: 2
litellm_settings:
  fallbacks: [{claude: [gpt-5.4]}]
  context_window_fallbacks: [{gpt-5.4: [claude]}]
general_settings: {master_key: sk-master-secret}
"""


def notes(imported: Imported) -> dict[str, str]:
    return {note.place: note.code for note in imported.notes}


def test_models_providers_credentials_prices_and_what_is_left() -> None:
    found = read_litellm(CONFIG.encode(), {"MY_KEY": "sk-ant"})
    assert found.providers == {
        "example": {"kind": "custom", "protocol": "openai_chat", "base_url": "https://api.example.com/v1"},
        "azure": {
            "kind": "azure",
            "variables": {"resource": "me", "api_version": "2026-01-01"},
            "lane": "deployments",
        },
        "anthropic": {"kind": "anthropic", "api_key": {"env": "MY_KEY"}},
    }
    assert [(one.provider, one.secret.reveal()) for one in found.credentials] == [("example", "sk-literal-1234567890")]
    assert found.models["gpt-5.4"] == {
        "deployments": ["example/gpt-5.4", {"model": "azure/deep", "weight": 3}],
        "larger": ["claude"],
        "aliases": ["gpt-4"],
        "strategy": "least_busy",
    }
    assert found.models["claude"]["deployments"] == [
        "anthropic/claude-opus-5",
        "example/gpt-5.4",
        {"model": "azure/deep", "weight": 3},
    ]
    assert found.models["claude"]["strategy"] == "priority"
    assert found.rate_cards == ({"model": "gpt-5.4", "source": "litellm", "input": "2.5", "output": "15"},)
    told = notes(found)
    assert told["model_list[3].litellm_params.rpm"] == "import.not_taken"
    assert told["model_list[4]"] == "import.mode"
    assert told["model_list[5] odd"] == "import.provider"
    assert told["router_settings.num_retries"] == told["general_settings"] == "import.not_taken"
    assert told["router_settings.model_group_alias.none"] == "import.unknown_model"


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (b"a: [", "import.unreadable"),
        (b"\xff", "import.unreadable"),
        (b"a: 1", "import.no_model_list"),
        (b"!!python/object/apply:os.system ['true']", "import.unreadable"),
        (b"#" * (LARGEST_FILE + 1), "import.too_large"),
    ],
)
def test_what_is_no_such_file_is_refused(text: bytes, code: str) -> None:
    with pytest.raises(AdministrationError) as raised:
        read_litellm(text, {})
    assert raised.value.code == code


plain = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=12) | st.dates(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8) | st.integers(), inner, max_size=3),
    max_leaves=8,
)
words = st.sampled_from(
    [
        "gpt",
        "a*",
        "*",
        "openai/gpt",
        "azure/x",
        "bedrock/y",
        "vertex_ai/z",
        "http://[",
        "nobody/w",
        "https://h.example/v1",
    ]
)
params = st.dictionaries(
    st.sampled_from(
        ["model", "api_base", "api_version", "custom_llm_provider", "weight", "order", "timeout", "extra_headers",
         "vertex_location", "input_cost_per_token", "output_cost_per_token"]
    ),
    words | plain,
)  # fmt: skip
likely = st.fixed_dictionaries({"model": words}).flatmap(lambda model: params.map(lambda said: said | model))
entries = st.fixed_dictionaries({"model_name": words, "litellm_params": likely}) | st.fixed_dictionaries(
    {}, optional={"model_name": words | plain, "litellm_params": params | plain, "model_info": plain}
)
fallbacks = st.lists(st.dictionaries(words, st.lists(words, max_size=3), max_size=2), max_size=2) | plain
documents = st.fixed_dictionaries(
    {"model_list": st.lists(entries | plain, max_size=4)},
    optional={
        "router_settings": st.dictionaries(
            st.sampled_from(["fallbacks", "routing_strategy", "model_group_alias"]), fallbacks
        )
        | plain,
        "litellm_settings": st.fixed_dictionaries({}, optional={"fallbacks": fallbacks}) | plain,
        "other": plain,
    },
)


@given(documents)
@settings(max_examples=80, deadline=None)
def test_any_document_comes_to_a_report_or_a_clear_error_without_its_secret(document: dict[str, object]) -> None:
    secret = "sk-never-shown-0123456789"
    listed = cast("list[object]", document["model_list"])
    params = {"model": "openai/x", "api_base": "http://h", "api_key": secret}
    listed.append({"model_name": "x", "litellm_params": params})
    found = read_litellm(yaml.safe_dump(document, allow_unicode=True).encode(), {})
    told = "".join(note.place + say(note.code, **note.values) for note in found.notes)
    assert secret not in told + repr(found) + repr(msgspec.structs.asdict(found))
    assert "x" in found.models
    with TemporaryDirectory() as folder:
        try:
            prepared = prepare_import(found, Path(folder), {}, date(2026, 11, 21))
        except SettingsError as error:
            told = "".join(map(str, error.problems))
        else:
            told = prepared.text + repr(prepared)
        assert secret not in told


@given(st.binary(max_size=200) | st.text(max_size=200).map(str.encode))
@settings(max_examples=100, deadline=None)
def test_any_bytes_come_to_a_report_or_a_clear_error(text: bytes) -> None:
    with suppress(AdministrationError):
        assert read_litellm(text, {}).source == "litellm"


def test_a_mode_and_prices_that_cannot_be_meant_are_left_out() -> None:
    text = b"""
model_list:
- {model_name: a, litellm_params: {model: openai/a}, model_info: {mode: [chat]}}
- {model_name: b, litellm_params: {model: openai/b, input_cost_per_token: "1e99999999", output_cost_per_token: 1}}
- {model_name: c, litellm_params: {model: openai/c, input_cost_per_token: 1e-999999, output_cost_per_token: .nan}}
- {model_name: d, litellm_params: {model: openai/d, input_cost_per_token: "2e-6", output_cost_per_token: 0}}
"""
    found = read_litellm(text, {})
    assert sorted(found.models) == ["b", "c", "d"]
    assert [(card["model"], card["input"], card["output"]) for card in found.rate_cards] == [("d", "2", "0")]
    assert [note.code for note in found.notes] == ["import.mode"]
