"""The OpenAPI document: every operation with its rule, one shape of errors, and nothing loaded from elsewhere."""

import pytest

from tests.unit.server.admin.resources.conftest import Api

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_the_document_says_what_each_operation_needs(api: Api) -> None:
    document = await api.told("GET", "/admin/v1/openapi.json")
    operations = [operation for path in document["paths"].values() for operation in path.values()]
    assert document["openapi"].startswith("3.1")
    assert all(operation["x-permission"] and operation["x-plane"] in {"admin", "user"} for operation in operations)
    assert all({"401", "403", "404", "422"} <= operation["responses"].keys() for operation in operations)
    assert document["paths"]["/admin/v1/keys"]["post"]["x-permission"] == "keys:write"
    assert set(document["components"]["securitySchemes"]) == {"bearer", "x-api-key", "x-goog-api-key"}


async def test_no_schema_of_an_answer_has_a_digest_or_anything_sealed(api: Api) -> None:
    document = await api.told("GET", "/admin/v1/openapi.json")
    fields = {field for schema in document["components"]["schemas"].values() for field in schema.get("properties", {})}
    assert not fields & {"digest", "previous_digest", "sealed", "pepper"}


async def test_there_are_no_pages_for_browsers(api: Api) -> None:
    for path in ("/docs", "/redoc", "/openapi.json", "/admin/v1/docs"):
        assert (await api.ask("GET", path)).status == 404
