"""How an operation of these APIs is declared: its path, its function, and beside them the rule of who may use it.

Law: there is no operation without a rule. ``Resource`` is the only way to add one, the rule is an argument without a default, and
one that names no permission fails when the module is imported. The rule is checked before the function is called, with the
caller's own organisation; what is another's is then up to the verb, which is told the actor.

An operation's function is plain and blocking: it runs in one of a few threads, and so does the writing of its answer.
"""

import asyncio
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial, wraps
from typing import Annotated, Any, Literal, NamedTuple, get_args

from fastapi import Depends, Request, Response
from pydantic import BaseModel

from anykey.accounts.permissions import PERMISSIONS, Permission, may
from anykey.server.admin.caller import Caller, caller_in
from anykey.server.admin.downloads import Download, Downloading
from anykey.server.admin.refusals import Refusal

Method = Literal["GET", "POST", "PUT", "PATCH", "DELETE"]
OpenRule = Literal["own", "manage", "operate"]
Rule = Permission | OpenRule
"""A permission; or ``own``: any key in force, for what belongs to that key alone; ``manage``: any admin key; ``operate``: only
who runs the gateway, whatever a permission says."""
Plane = Literal["admin", "user"]
"""On the admin plane a key must be an admin key; on the user plane any key will do, if its member may."""

OPEN_RULES: tuple[OpenRule, ...] = get_args(OpenRule)
THREADS = 8
POOL = ThreadPoolExecutor(THREADS, thread_name_prefix="anykey-admin")


class Operation(NamedTuple):
    """One method of one path. ``answer`` is run on the event loop and waits for the threads."""

    method: Method
    path: str
    rule: Rule
    plane: Plane
    status: int
    answer: Callable[..., Awaitable[Response]]
    model: type[BaseModel] | None
    """What it answers with; None: a file."""


class Resource:
    """The operations on one kind of thing."""

    def __init__(self, tag: str, plane: Plane = "admin") -> None:
        self.tag = tag
        self.plane: Plane = plane
        self.operations: list[Operation] = []

    def operation(
        self, method: Method, path: str, *, permission: Rule, status: int = 200
    ) -> Callable[[Callable[..., BaseModel]], Callable[..., BaseModel]]:
        """Declare the function below as what answers this. Its return annotation is what it answers with."""
        _check(permission, f"{method} {path}")

        def declare(function: Callable[..., BaseModel]) -> Callable[..., BaseModel]:
            model: type[BaseModel] = function.__annotations__["return"]
            answer = _in_thread(function, status)
            self.operations.append(Operation(method, path, permission, self.plane, status, answer, model))
            return function

        return declare

    def download(self, path: str, *, permission: Rule) -> Callable[[Callable[..., Download]], Callable[..., Download]]:
        """Declare the function below as what answers a GET of this with a file, which is made while it is sent."""
        _check(permission, f"GET {path}")

        def declare(function: Callable[..., Download]) -> Callable[..., Download]:
            answer = _in_thread(function, 200)
            self.operations.append(Operation("GET", path, permission, self.plane, 200, answer, None))
            return function

        return declare


def _check(permission: str, place: str) -> None:
    if permission not in OPEN_RULES and permission not in PERMISSIONS:
        raise ValueError(f"{place}: {permission!r} is no permission")


def guard(operation: Operation) -> Any:
    """The dependency of a route that turns away who may not use it at all."""

    async def check(request: Request) -> None:
        refuse_unless(operation.rule, operation.plane, caller_in(request.scope))

    return Depends(check)


def refuse_unless(rule: Rule, plane: Plane, caller: Caller) -> None:
    """Raise Refusal (403) where nothing that the caller could name would be allowed to it."""
    if plane == "admin" and not caller.key.admin:
        message = "This is a key for calls to models; the admin API takes keys made with 'anykey keys create --admin'."
        raise Refusal(403, "not_an_admin_key", message)
    actor = caller.actor
    if rule == "operate":
        allowed = actor.is_operator
    else:
        allowed = rule == "own" or rule == "manage" or may(actor, rule, actor.organisation, actor.member_id)  # noqa: PLR1714 - narrows
    if not allowed:
        raise Refusal(403, "permission_denied", f"The role {actor.role!r} does not have the permission {rule!r}.")


async def _caller(request: Request) -> Caller:
    return caller_in(request.scope)


Calling = Annotated[Caller, Depends(_caller)]
"""The parameter by which an operation's function is told who calls."""


def _in_thread(function: Callable[..., BaseModel | Download], status: int) -> Callable[..., Awaitable[Response]]:
    @wraps(function)
    async def answer(**values: Any) -> Response:
        work = partial(_answered, function, values, status)
        return await asyncio.get_running_loop().run_in_executor(POOL, work)

    return answer


def _answered(function: Callable[..., BaseModel | Download], values: dict[str, Any], status: int) -> Response:
    told = function(**values)
    if isinstance(told, Download):
        return Downloading(told, POOL)
    return Response(told.model_dump_json(), status, media_type="application/json")
