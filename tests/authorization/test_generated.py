"""Every operation of the OpenAPI document, fifty times with inputs made from its schemas: no answer is a failure of ours, and
each is one that the document has."""

import asyncio
import json
from collections.abc import Iterator
from typing import Any, NamedTuple
from urllib.parse import quote, urlencode

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from anykey.server.admin.application import make_api
from tests.authorization.calls import CALLS, filled
from tests.authorization.generated import WORDS, bent, fitting
from tests.authorization.world import World, running

CASES = 50
PATIENCE = (HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much)
DOCUMENT: dict[str, Any] = make_api().openapi()
SCHEMAS: dict[str, Any] = DOCUMENT["components"]["schemas"]


class Operation(NamedTuple):
    """One method of one path, as the document has it."""

    method: str
    path: str
    said: dict[str, Any]

    def __str__(self) -> str:
        return f"{self.method} {self.path}"


OPERATIONS = [
    Operation(method.upper(), path, said)
    for path, methods in sorted(DOCUMENT["paths"].items())
    for method, said in sorted(methods.items())
]


class Lab:
    """A gateway in an event loop that runs whenever somebody waits for an answer."""

    def __init__(self, world: World, runner: asyncio.Runner) -> None:
        self.world = world
        self._runner = runner

    def ask(self, operation: Operation, path: str, body: Any) -> tuple[int, bytes]:
        headers = {"x-api-key": self.world.callers["operator"].text, "content-type": "application/json"}
        data = b"" if body is None else json.dumps(body).encode()
        reply = self._runner.run(self.world.gateway.request(operation.method, path, data, headers))
        return reply.status, reply.body


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    folder = tmp_path_factory.mktemp("generated")
    gateway = running(folder)
    with asyncio.Runner() as runner:
        runner.run(gateway.__aenter__())
        try:
            yield Lab(World.make(gateway, folder), runner)
        finally:
            runner.run(gateway.stop())


def test_the_document_has_every_route_and_nothing_else() -> None:
    documented = {(operation.method, operation.path) for operation in OPERATIONS}
    assert documented == {(method, path.replace(":path}", "}")) for method, path in CALLS}


@pytest.mark.parametrize("operation", OPERATIONS, ids=str)
def test_no_input_makes_it_fail(lab: Lab, operation: Operation) -> None:
    parameters = operation.said.get("parameters", [])
    queries = {one["name"]: _spelled(one["schema"]) for one in parameters if one["in"] == "query"}
    parts = {one["name"]: WORDS | st.text(min_size=1, max_size=12) for one in parameters if one["in"] == "path"}
    content = operation.said.get("requestBody", {}).get("content", {}).get("application/json")
    bodies = st.none() if content is None else bent(content["schema"], SCHEMAS)
    documented = set(operation.said["responses"])
    call = next(CALLS[key] for key in CALLS if (key[0], key[1].replace(":path}", "}")) == operation[:2])

    @settings(max_examples=CASES, deadline=None, database=None, derandomize=True, suppress_health_check=PATIENCE)
    @given(
        st.fixed_dictionaries({}, optional=queries), st.fixed_dictionaries(parts), bodies, st.booleans(), st.booleans()
    )
    def ask(query: dict[str, Any], path: dict[str, str], body: Any, real: bool, right: bool) -> None:
        there = call.parts(lab.world, "own") if real and call.parts is not None else path
        if right:
            body = body if call.body is None else call.body(lab.world, "own")
            query = {name: value for name, value in query.items() if name not in {"cursor", "page"}}
        target = filled(operation.path, there)
        told = urlencode(query, doseq=True, quote_via=quote, errors="replace")
        status, answer = lab.ask(operation, f"{target}?{told}" if told else target, body)
        assert status < 500, (status, answer)
        assert status != 401, "somebody ended the operator's key, so that nothing is tried any more"
        # A path that generated text changed may be another one, or none.
        assert str(status) in documented or (not real and status in {404, 405}), (status, answer)
        if status >= 400:
            assert set(json.loads(answer)) == {"error", "request_id"}

    ask()


def _spelled(schema: dict[str, Any]) -> st.SearchStrategy[Any]:
    """A value of the query, right or not, as text or a list of texts."""
    free = st.text(max_size=12) | st.integers().map(str)
    return (fitting(schema, SCHEMAS) | fitting(schema, SCHEMAS) | free).map(_as_text)


def _as_text(value: Any) -> Any:
    if isinstance(value, list):
        return [_as_text(item) for item in value]  # pyright: ignore[reportUnknownVariableType] - a list of JSON
    return str(value).lower() if isinstance(value, bool) or value is None else str(value)
