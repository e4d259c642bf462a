"""The FastAPI application of the admin and user API: its routes, its one shape of refusals, its OpenAPI document."""

import logging
from collections.abc import Awaitable, Callable
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException
from starlette.routing import BaseRoute

from anykey.accounts.keys import actor_of
from anykey.accounts.permissions import Forbidden
from anykey.language import SpokenError
from anykey.server.admin.caller import CALLER_KEY, Caller, Premises, caller_in
from anykey.server.admin.downloads import MEDIA_TYPES
from anykey.server.admin.mount import KEY_KEY, REQUEST_ID_KEY
from anykey.server.admin.refusals import Refusal, refusal_of, told
from anykey.server.admin.resources import RESOURCES
from anykey.server.admin.rules import Operation, Resource, guard
from anykey.storage.errors import DatabaseError, StorageError
from anykey.storage.paging import CursorError
from anykey.version import VERSION

_log = logging.getLogger(__name__)

PREFIXES = ("/admin/v1/", "/v1/")
FIELD_MAX = 200
QUIET: Any = {"tracing": False, "metrics": False, "logs": False, "auto_configure": False}
"""The framework's own telemetry would put what callers sent, secrets too, into exporters it finds."""

Asgi = Callable[[dict[str, Any], Any, Any], Awaitable[None]]


def make_application(premises: Premises) -> Asgi:
    """What the mount calls. Each call comes with its verified key, and becomes one with a Caller."""
    application = make_api()

    async def call(scope: dict[str, Any], receive: Any, send: Any) -> None:
        key = scope[KEY_KEY]
        # OpenAI's SDK writes a list as `name[]=a&name[]=b`
        scope["query_string"] = scope["query_string"].replace(b"%5B%5D=", b"=").replace(b"[]=", b"=")
        language = "zh-CN" if _speaks_chinese(scope) else "en"
        scope[CALLER_KEY] = Caller(key, actor_of(key), premises, language, scope[REQUEST_ID_KEY])
        await application(scope, receive, send)

    return call


def make_api() -> FastAPI:
    """The application with all its routes. No page of it loads anything from elsewhere: it has none."""
    api = FastAPI(
        title="anykey",
        version=VERSION,
        summary="Admin API for operators, user API for whoever holds a key.",
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        telemetry=QUIET,
    )
    for resource in RESOURCES:
        for operation in resource.operations:
            _add(api, resource, operation)
    api.add_exception_handler(Exception, _broken)
    for known in (Refusal, Forbidden, SpokenError, DatabaseError, RequestValidationError, HTTPException):
        api.add_exception_handler(known, _refuse)
    return api


def rule_of(route: BaseRoute) -> str | None:
    """The rule that a route was declared with; None for one that got here in any other way."""
    found = route.openapi_extra if isinstance(route, APIRoute) else None
    rule = (found or {}).get("x-permission")
    return rule if isinstance(rule, str) else None


def _add(api: FastAPI, resource: Resource, operation: Operation) -> None:
    if not operation.path.startswith(PREFIXES):
        raise ValueError(f"{operation.path} is under none of {PREFIXES}")
    api.add_api_route(
        operation.path,
        operation.answer,
        methods=[operation.method],
        status_code=operation.status,
        response_model=operation.model,
        tags=[resource.tag],
        dependencies=[guard(operation)],
        openapi_extra={"x-permission": operation.rule, "x-plane": operation.plane},
        responses=REFUSALS if operation.model is not None else {**REFUSALS, 200: FILE},
    )


async def _refuse(request: Request, error: Exception) -> Response:
    caller = caller_in(request.scope)
    refusal = _as_refusal(error, caller.language)
    headers = error.headers if isinstance(error, HTTPException) else None
    return Response(
        told(refusal, caller.request_id), refusal.status, dict(headers or {}), media_type="application/json"
    )


async def _broken(request: Request, error: Exception) -> Response:  # noqa: ARG001 - the mount logs what it was
    """Say that it is our fault, and nothing of how. The framework raises it again behind this, for the mount to log."""
    refusal = Refusal(500, "internal", "The gateway failed; its log has the details.")
    return Response(told(refusal, caller_in(request.scope).request_id), 500, media_type="application/json")


def _as_refusal(error: Exception, language: str) -> Refusal:
    if isinstance(error, Refusal):
        return error
    if isinstance(error, Forbidden):
        message = f"The role {error.actor.role!r} does not have the permission {error.permission!r} there."
        return Refusal(403, "permission_denied", message)
    if isinstance(error, RequestValidationError):
        return _of_validation(error)
    if isinstance(error, HTTPException):
        code = {404: "no_such_path", 405: "method_not_allowed"}.get(error.status_code, "refused")
        return Refusal(error.status_code, code, error.detail)
    if isinstance(error, DatabaseError | StorageError) and not isinstance(error, CursorError):
        _log.error("the admin API cannot use the database: %s", error)
        return Refusal(503, "storage_failed", "The database cannot be used now; the gateway's log has the details.")
    assert isinstance(error, SpokenError)  # noqa: S101 - the handlers above are for nothing else
    return refusal_of(error, language)


def _of_validation(error: RequestValidationError) -> Refusal:
    """The first thing that is wrong. What was sent is not repeated: it may be a secret."""
    found = error.errors()
    first: dict[str, Any] = dict(found[0])
    place = [str(part) for part in first["loc"]]
    field = ".".join(place[1:] if place[0] in {"body", "query", "path"} else place)
    more = f" ({len(found) - 1} more)" if len(found) > 1 else ""
    field = field[:FIELD_MAX]
    return Refusal(422, first["type"], f"{field or 'body'}: {first['msg']}{more}", field or None)


def _speaks_chinese(scope: dict[str, Any]) -> bool:
    said = dict(scope["headers"]).get(b"accept-language", b"")
    return bool(said[:2].lower() == b"zh")


_ERROR = {
    "type": "object",
    "required": ["error", "request_id"],
    "properties": {
        "error": {
            "type": "object",
            "required": ["type", "code", "message"],
            "properties": {name: {"type": "string"} for name in ("type", "code", "message", "field")},
        },
        "request_id": {"type": "string"},
    },
}
FILE: dict[str, Any] = {
    "description": "A file",
    "content": {media: {"schema": {"type": "string"}} for media in MEDIA_TYPES.values()},
}
REFUSALS: dict[int | str, dict[str, Any]] = {
    status: {"description": description, "content": {"application/json": {"schema": _ERROR}}}
    for status, description in (
        (401, "No key, or none that is in force"),
        (403, "The key may not do this"),
        (404, "Not there, or not to be seen by this key"),
        (409, "Not in a state for this"),
        (422, "The input cannot be meant"),
    )
}
