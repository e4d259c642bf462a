"""The application by itself: its one shape of refusals, whatever goes wrong behind it."""

import json
import logging
from pathlib import Path
from typing import Any

import pytest

from anykey.administration.key_fields import KeyFields
from anykey.administration.keys import create_key
from anykey.server.admin.application import make_api, rule_of
from anykey.server.admin.resources import RESOURCES, providers
from anykey.storage.errors import DatabaseError
from tests.fakes.gateway import RunningGateway


def test_every_declared_operation_is_a_route_and_every_route_was_declared() -> None:
    declared = {(one.method, one.path): one.rule for resource in RESOURCES for one in resource.operations}
    routes = {(next(iter(route.methods)), route.path): rule_of(route) for route in make_api().routes}  # type: ignore[attr-defined] - all are routes with methods
    assert routes == declared


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [(RuntimeError("canary: /etc/secret"), 500, "internal"), (DatabaseError("canary: disk"), 503, "storage_failed")],
)
async def test_what_fails_behind_it_is_told_without_its_words(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    error: Exception,
    status: int,
    code: str,
) -> None:
    def fail(_: Any) -> Any:
        raise error

    monkeypatch.setattr(providers, "providers_in_force", fail)
    async with RunningGateway(tmp_path) as gateway:
        admin = create_key(gateway.home, "operator", fields=KeyFields(admin=True)).text
        with caplog.at_level(logging.ERROR):
            reply = await gateway.get("/admin/v1/providers", {"x-api-key": admin})
    assert (reply.status, reply.json()["error"]["code"]) == (status, code)
    assert b"canary" not in reply.body
    assert reply.json()["request_id"] == reply.headers["x-anykey-request-id"]
    assert "canary" in caplog.text


def test_the_document_is_json_that_names_no_other_host() -> None:
    text = json.dumps(make_api().openapi())
    assert "://" not in text
