"""OpenAI's errors and lists, whole and spoiled."""

import json
from typing import Any

import pytest

from anykey.conformance.laws.openai_errors import check_failure, check_models

ERROR = {"message": "no", "type": "invalid_request_error", "param": None, "code": "bad"}
MODEL = {"id": "m", "object": "model", "created": 1, "owned_by": "lab"}


def test_a_lawful_error_and_a_lawful_list() -> None:
    assert check_failure(400, json.dumps({"error": ERROR, "request_id": "r"}).encode()) == []
    assert check_models(json.dumps({"object": "list", "data": [MODEL]}).encode()) == []


@pytest.mark.parametrize(
    ("change", "named"),
    [({"message": ""}, "error.message"), ({"type": None}, "error.type"), ({"param": []}, "error.param")],
)
def test_what_an_error_lacks_is_named(change: dict[str, Any], named: str) -> None:
    (breach,) = check_failure(400, json.dumps({"error": ERROR | change}).encode())
    assert breach.startswith(named)


@pytest.mark.parametrize("body", [b"<html>", b"[]", b'{"error": "text"}', b'{"detail": "no"}'])
def test_other_shapes_are_none(body: bytes) -> None:
    assert check_failure(502, body)


@pytest.mark.parametrize("key", MODEL)
def test_what_a_model_lacks_is_named(key: str) -> None:
    entry = {name: value for name, value in MODEL.items() if name != key}
    (breach,) = check_models(json.dumps({"object": "list", "data": [entry]}).encode())
    assert breach.startswith(f"data[0].{key}")
    assert check_models(b"[]") == ["the list is no JSON object"]
