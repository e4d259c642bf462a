"""Variables of addresses: where their values come from, and what may stand in an address."""

import pytest

from anykey.providers.addresses import filled, is_value, values_of, variables_in
from anykey.providers.load import catalogue
from anykey.providers.records import EndpointRow

AZURE = catalogue()["azure"]


def test_values_come_from_the_table_then_the_environment_then_the_default() -> None:
    environ = {"AZURE_RESOURCE_NAME": "blue", "AZURE_API_VERSION": " "}
    found = values_of(AZURE, {}, environ)
    assert found["resource"] == "blue"
    assert found["api_version"] == AZURE.variables[1].default
    assert values_of(AZURE, {"resource": "red"}, environ)["resource"] == "red"
    assert "resource" not in values_of(AZURE, {}, {})


def test_a_host_may_be_written_as_an_address() -> None:
    databricks = catalogue()["databricks"]
    environ = {"DATABRICKS_HOST": "https://dbc-1.cloud.example/"}
    (door,) = filled(databricks.endpoints, values_of(databricks, {}, environ))
    assert door.base_url == "https://dbc-1.cloud.example/ai-gateway/mlflow/v1"


def test_every_address_of_a_door_is_filled_and_the_model_is_left() -> None:
    doors = filled(AZURE.endpoints, {"resource": "blue", "api_version": "2025-04-01"})
    assert doors[0].models_url == "https://blue.openai.azure.com/openai/v1/models"
    assert doors[2].base_url == "https://blue.openai.azure.com"
    assert doors[2].path == "/openai/deployments/{model}/chat/completions?api-version=2025-04-01"
    assert variables_in(doors) == ()
    assert variables_in(AZURE.endpoints) == ("resource", "api_version")


def test_what_has_no_value_stays() -> None:
    (door,) = filled([EndpointRow("openai_chat", "https://{a}.example/{b}")], {"a": "x"})
    assert door.base_url == "https://x.example/{b}"
    assert variables_in([door]) == ("b",)


@pytest.mark.parametrize("text", ["contoso", "us-east-1", "dbc-1.cloud.databricks.com", "a_b", "7"])
def test_a_part_of_a_host_or_path(text: str) -> None:
    assert is_value(text)


@pytest.mark.parametrize(
    "text", ["", ".", "..", "a..b", "-a", "a/b", "a?b", "a#b", "a@evil.example", "a:1", "a b", "a\n", "é"]
)
def test_nothing_that_would_change_where_a_call_goes(text: str) -> None:
    assert not is_value(text)
