"""Every route of the router, asked by everybody, for his own organisation and for another: what happens is what the route's
rule and the table of permissions say, over real HTTP, however the key is spelled."""

import secrets
from collections.abc import AsyncIterator
from typing import Any, NamedTuple

import pytest
import pytest_asyncio

from anykey.accounts.permissions import PERMISSIONS, WITHIN, Permission, may
from anykey.server.admin.application import make_api, rule_of
from anykey.server.admin.rules import OPEN_RULES, Resource, Rule
from anykey.server.paths import resolve
from tests.authorization.calls import CALLS, Call, filled
from tests.authorization.world import FOREIGN, WHO, Tenant, Who, World, running
from tests.fakes.gateway import WireReply

pytestmark = pytest.mark.asyncio(loop_scope="module")


class Route(NamedTuple):
    """One method of one path, with its rule."""

    method: str
    path: str
    rule: Rule
    plane: str

    def __str__(self) -> str:
        return f"{self.method} {self.path}"


def routes() -> list[Route]:
    """What the router itself has."""
    found: list[Route] = []
    for route in make_api().routes:
        extra: dict[str, Any] = getattr(route, "openapi_extra", None) or {}
        rule: Any = rule_of(route)
        methods: set[str] = getattr(route, "methods", None) or set()
        found += [Route(method, getattr(route, "path", "?"), rule, extra.get("x-plane", "?")) for method in methods]
    return sorted(found)


ROUTES = routes()
NAMED = [
    route
    for route in ROUTES
    if (call := CALLS.get((route.method, route.path))) and call.tenant and call.parts and route.rule in WITHIN["owner"]
]
"""The routes with something of a tenant's in their path that an owner may use."""
READ_OF: dict[str, Permission] = {"limits:write": "budgets:read", "codes:redeem": "organisations:read"}
"""What shows a thing, where it is not the permission of the same name that reads."""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def world(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    folder = tmp_path_factory.mktemp("authorization")
    async with running(folder) as gateway:
        yield World.make(gateway, folder)


async def test_every_route_has_a_rule_and_is_reached_through_the_mount() -> None:
    for route in ROUTES:
        assert route.rule in (*PERMISSIONS, *OPEN_RULES), route
        assert route.plane in {"admin", "user"}, route
        assert route.plane == "admin" or route.rule == "own" or route.path.startswith("/v1/"), route
        assert resolve(filled(route.path, {"request_id": "x"})).operation in {"admin", "account"}, route
    assert {(route.method, route.path) for route in ROUTES} == set(CALLS), "calls.py says how each is called"


async def test_a_route_that_came_without_a_rule_is_found_and_one_with_a_wrong_rule_does_not_load() -> None:
    api = make_api()
    api.add_api_route("/admin/v1/secret", lambda: None)
    assert rule_of(api.routes[-1]) is None
    wrong: Any = "keys:wirte"
    with pytest.raises(ValueError, match="keys:wirte"):
        Resource("keys").operation("GET", "/admin/v1/secret", permission=wrong)


@pytest.mark.parametrize("route", ROUTES, ids=str)
async def test_whoever_asks_for_whatever(world: World, route: Route) -> None:
    call = CALLS[route.method, route.path]
    for who in WHO:
        for tenant in ("own", "other") if call.tenant else ("own",):
            wanted = expected(world, route, call, who, tenant)
            reply = await send(world, route, who, tenant)
            assert outcome(reply, call) == wanted, (who, tenant, reply.status, reply.body[:300])
            if wanted == "ok" and who != "operator":
                assert FOREIGN.encode() not in reply.body.replace(f"{FOREIGN}-key".encode(), b""), (who, tenant)


@pytest.mark.parametrize("route", ROUTES, ids=str)
async def test_a_key_is_the_same_key_however_it_is_spelled(world: World, route: Route) -> None:
    for who in ("operator", "ordinary"):
        replies = [await send(world, route, who, "own", spelled) for spelled in SPELLINGS]
        assert len({outcome(reply, CALLS[route.method, route.path]) for reply in replies}) == 1, who


@pytest.mark.parametrize("route", NAMED, ids=str)
async def test_what_is_another_tenants_is_told_as_what_is_not_there(world: World, route: Route) -> None:
    """To the owner of an organisation, who may everything in it, the answers differ in nothing but the names he sent."""
    call = CALLS[route.method, route.path]
    assert call.parts is not None
    theirs = call.parts(world, "other")
    nowhere = {name: f"{secrets.token_hex(5)}" for name in theirs}
    replies: list[Any] = []
    for parts in (theirs, nowhere):
        reply = await _request(world, route, "owner", filled(route.path, parts), call, "own")
        told = reply.json()["error"]
        for name in parts.values():
            told["message"] = told["message"].replace(name, "…")
        replies.append((reply.status, told))
    assert replies[0] == replies[1]
    assert replies[0][0] == 404


@pytest.mark.parametrize(
    "path", ["/admin%2fv1/keys", "/%61dmin/v1/keys", "//admin/v1/keys", "/Admin/v1/keys", "/x/../admin/v1/keys"]
)
async def test_the_admin_api_is_not_reached_by_another_spelling(world: World, path: str) -> None:
    headers = {"authorization": f"Bearer {world.callers['operator'].text}"}
    assert (await world.gateway.get("/admin/v1/keys", headers)).status == 200
    assert (await world.gateway.get(path, headers)).status == 404


@pytest.mark.parametrize("who", WHO)
async def test_the_cost_of_a_call_is_told_to_its_own_key_alone(world: World, who: Who) -> None:
    if who == "nobody":
        assert (await world.gateway.get("/v1/usage/x", {})).status == 401
        return
    mine, headers = world.callers[who], SPELLINGS[0](world.callers[who].text)[1]
    own, others = world.a_request("own", mine.key_id), world.a_request("own")
    assert (await world.gateway.get(f"/v1/usage/{own}", headers)).status == 200
    assert (await world.gateway.get(f"/v1/usage/{others}", headers)).status == 404


@pytest.mark.parametrize("who", WHO)
async def test_only_operators_are_told_where_calls_would_go(world: World, who: Who) -> None:
    """The one admin route that is a journey of its own, because it asks what only the event loop knows."""
    headers = {} if who == "nobody" else SPELLINGS[0](world.callers[who].text)[1]
    reply = await world.gateway.post("/admin/v1/routes/explain", {"model": "test-model"}, headers)
    assert reply.status == {"nobody": 401, "operator": 200}.get(who, 403)


def expected(world: World, route: Route, call: Call, who: Who, tenant: Tenant) -> str:
    """What the rule and the permissions say: `stranger`, `forbidden`, `absent` or `ok`."""
    if who == "nobody":
        return "stranger"
    actor = world.callers[who].actor
    if route.plane == "admin" and who == "ordinary":
        return "forbidden"
    if route.rule == "own" or route.rule == "manage":
        return "ok"
    if route.rule == "operate":
        return "ok" if actor.is_operator else "forbidden"
    if not may(actor, route.rule, actor.organisation, actor.member_id):
        return "forbidden"
    if not call.tenant:
        return "ok"
    organisation = world.organisations[tenant]
    owner = actor.member_id if call.owner_is_caller else None
    read: Any = READ_OF.get(route.rule, f"{route.rule.partition(':')[0]}:read")
    if not may(actor, read, organisation, owner):
        return "absent"
    return "ok" if may(actor, route.rule, organisation, owner) else "forbidden"


def outcome(reply: WireReply, call: Call) -> str:
    """What happened, in the same words."""
    if 200 <= reply.status < 300:
        return "ok"
    error = reply.json()["error"]
    if error["code"] in call.codes:
        return "ok"
    return {401: "stranger", 403: "forbidden", 404: "absent"}.get(reply.status, f"{reply.status} {error}")


def _bearer(text: str) -> tuple[str, dict[str, str]]:
    return "", {"authorization": f"Bearer {text}"}


def _x_api_key(text: str) -> tuple[str, dict[str, str]]:
    return "", {"x-api-key": text}


def _x_goog_api_key(text: str) -> tuple[str, dict[str, str]]:
    return "", {"x-goog-api-key": text}


def _query(text: str) -> tuple[str, dict[str, str]]:
    return f"key={text}", {}


SPELLINGS = (_bearer, _x_api_key, _x_goog_api_key, _query)
"""Where a key may stand: what it adds to the query, and the headers."""


async def send(world: World, route: Route, who: Who, tenant: Tenant, spelled: Any = _bearer) -> WireReply:
    """Call the route as it would succeed."""
    call = CALLS[route.method, route.path]
    parts = {} if call.parts is None else call.parts(world, tenant)
    if "{request_id}" in route.path:
        parts = {"request_id": world.a_request("own", None if who == "nobody" else world.callers[who].key_id)}
    return await _request(world, route, who, filled(route.path, parts), call, tenant, spelled)


async def _request(
    world: World, route: Route, who: Who, path: str, call: Call, tenant: Tenant, spelled: Any = _bearer
) -> WireReply:
    spelling: tuple[str, dict[str, str]] = ("", {}) if who == "nobody" else spelled(world.callers[who].text)
    query, headers = spelling
    queries = "&".join(filter(None, (call.query, query)))
    body = b"" if call.body is None else call.body(world, tenant)
    if call.body is not None:
        headers = {**headers, "content-type": "application/json"}
    return await world.gateway.request(route.method, f"{path}?{queries}" if queries else path, body, headers)
