"""The OpenAPI document of these APIs, for those who may use the admin API."""

from typing import Any

from fastapi import Request
from pydantic import RootModel

from anykey.server.admin.rules import Calling, Resource

DOCUMENT = Resource("document")
KEY_SCHEMES: dict[str, dict[str, str]] = {
    "bearer": {"type": "http", "scheme": "bearer"},
    "x-api-key": {"type": "apiKey", "in": "header", "name": "x-api-key"},
    "x-goog-api-key": {"type": "apiKey", "in": "header", "name": "x-goog-api-key"},
}


class Document(RootModel[dict[str, Any]]):
    """OpenAPI 3.1. `x-permission` of an operation is what its caller needs; `x-plane` is `admin` where it takes an admin key."""


@DOCUMENT.operation("GET", "/admin/v1/openapi.json", permission="manage")
def openapi_document(caller: Calling, request: Request) -> Document:  # noqa: ARG001 - who it is was checked
    """This document."""
    made: dict[str, Any] = request.app.openapi()
    parts = {**made["components"], "securitySchemes": KEY_SCHEMES}
    return Document({**made, "components": parts, "security": [{name: []} for name in KEY_SCHEMES]})
