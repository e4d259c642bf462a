"""How each operation of the router is called so that it would succeed for whoever may. An operation that is not here fails the
tests: whoever adds one says here what it takes."""

import secrets
from collections.abc import Callable
from typing import Any, NamedTuple
from urllib.parse import quote

from tests.authorization.world import Tenant, World

Parts = dict[str, str]


class Call(NamedTuple):
    """`parts` fill the path and `body` is the JSON, both made anew for each call. `tenant`: whose it is changes with the tenant
    that is asked for, else it is the whole gateway's. `owner_is_caller`: what is made becomes the caller's own. `codes`: what
    else but 2xx means that it was allowed."""

    parts: Callable[[World, Tenant], Parts] | None = None
    body: Callable[[World, Tenant], Any] | None = None
    query: str = ""
    tenant: bool = False
    owner_is_caller: bool = False
    codes: frozenset[str] = frozenset()


def one(name: str, make: Callable[[World], str]) -> Callable[[World, Tenant], Parts]:
    """A path with one part of the whole gateway's."""
    return lambda world, _: {name: make(world)}


def fixed(**parts: str) -> Callable[[World, Tenant], Parts]:
    """A path whose parts are always there."""
    return lambda _, __: parts


def said(**values: Any) -> Callable[[World, Tenant], Any]:
    """A body that is always the same."""
    return lambda _, __: values


def key(world: World, tenant: Tenant) -> Parts:
    return {"id": world.a_key(tenant)}


def member(world: World, tenant: Tenant) -> Parts:
    return {"id": world.a_member(tenant)}


def team(world: World, tenant: Tenant) -> Parts:
    return {"organisation": world.organisations[tenant], "team": world.a_team(tenant)}


def organisation(world: World, tenant: Tenant) -> Parts:
    return {"organisation": world.organisations[tenant]}


def request(world: World, tenant: Tenant) -> Parts:
    return {"id": world.a_request(tenant)}


def full_request(world: World, tenant: Tenant) -> Parts:
    return {"id": world.a_full_request(tenant)}


def new(what: str) -> Callable[[World, Tenant], Any]:
    """The body that makes something of a tenant's."""
    return lambda world, tenant: {"name": world.named(tenant, what), "organisation": world.organisations[tenant]}


def limits(world: World, tenant: Tenant) -> Any:
    owner = {"owner_kind": "team", "owner": world.a_team(tenant), "organisation": world.organisations[tenant]}
    return {**owner, "limits_usd": {"1d": "5.00"}}


def hook(world: World, tenant: Tenant) -> Any:
    return {"url": "https://hooks.example/x", "organisation": world.organisations[tenant]}


def webhook(world: World, tenant: Tenant) -> Parts:
    return {"id": world.a_webhook(tenant)}


def code(world: World, tenant: Tenant) -> Any:
    return {"code": world.a_code(), "organisation": world.organisations[tenant]}


def fresh(**values: Any) -> Callable[[World, Tenant], Any]:
    """A body with a name that nothing else has."""
    return lambda _, __: {"name": f"fresh {secrets.token_hex(4)}", **values}


ADMIN = "/admin/v1"
ORGANISATION, TEAM = f"{ADMIN}/organisations/{{organisation}}", f"{ADMIN}/organisations/{{organisation}}/teams/{{team}}"
MEMBER, KEY = f"{ADMIN}/members/{{id}}", f"{ADMIN}/keys/{{id}}"
PROVIDER, CREDENTIAL = f"{ADMIN}/providers/{{name}}", f"{ADMIN}/credentials/{{id}}"
CARD = f"{ADMIN}/rate-cards/{{reference:path}}"
LAB = fixed(name="lab")
SINCE = "start_time=1699920000&end_time=1700006400"

CALLS: dict[tuple[str, str], Call] = {
    ("GET", f"{ADMIN}/openapi.json"): Call(),
    ("GET", f"{ADMIN}/organisations"): Call(),
    ("POST", f"{ADMIN}/organisations"): Call(body=fresh()),
    ("GET", ORGANISATION): Call(organisation, tenant=True),
    ("PATCH", ORGANISATION): Call(organisation, said(low_balance_usd="1.00"), tenant=True),
    ("DELETE", ORGANISATION): Call(one("organisation", World.an_organisation)),
    ("GET", f"{ADMIN}/teams"): Call(),
    ("POST", f"{ADMIN}/teams"): Call(body=new("team"), tenant=True),
    ("GET", TEAM): Call(team, tenant=True),
    ("PATCH", TEAM): Call(team, said(allowed_models=["gpt-*"]), tenant=True),
    ("DELETE", TEAM): Call(team, tenant=True),
    ("GET", f"{ADMIN}/members"): Call(),
    ("POST", f"{ADMIN}/members"): Call(body=new("member"), tenant=True),
    ("GET", MEMBER): Call(member, tenant=True),
    ("PATCH", MEMBER): Call(member, said(email="a@b.example"), tenant=True),
    ("DELETE", MEMBER): Call(member, tenant=True),
    ("GET", f"{ADMIN}/keys"): Call(),
    ("POST", f"{ADMIN}/keys"): Call(body=new("key"), tenant=True, owner_is_caller=True),
    ("GET", KEY): Call(key, tenant=True),
    ("PATCH", KEY): Call(key, said(strict=True), tenant=True),
    ("POST", f"{KEY}/rotate"): Call(key, said(overlap_s=0), tenant=True),
    ("POST", f"{KEY}/revoke"): Call(key, tenant=True),
    ("GET", f"{ADMIN}/budgets"): Call(),
    ("PUT", f"{ADMIN}/budgets"): Call(body=limits, tenant=True),
    ("GET", f"{ORGANISATION}/wallet"): Call(organisation, tenant=True),
    ("POST", f"{ORGANISATION}/wallet/transfers"): Call(organisation, said(amount_usd="1.00"), tenant=True),
    ("GET", f"{ADMIN}/transfers"): Call(),
    ("GET", f"{ADMIN}/codes"): Call(),
    ("POST", f"{ADMIN}/codes"): Call(body=said(amount_usd="1.00")),
    ("POST", f"{ADMIN}/codes/{{batch}}/export"): Call(one("batch", World.a_batch)),
    ("DELETE", f"{ADMIN}/codes/{{reference}}"): Call(one("reference", World.a_batch)),
    ("GET", f"{ADMIN}/ledger"): Call(),
    ("GET", f"{ADMIN}/ledger/unsettled"): Call(),
    ("GET", f"{ADMIN}/ledger/verify"): Call(),
    ("POST", f"{ADMIN}/ledger/reconcile"): Call(body=said(decision="void", ids=["nothing"])),
    ("GET", f"{ADMIN}/webhooks"): Call(),
    ("POST", f"{ADMIN}/webhooks"): Call(body=hook, tenant=True),
    ("DELETE", f"{ADMIN}/webhooks/{{id}}"): Call(webhook, tenant=True),
    ("GET", f"{ADMIN}/providers"): Call(),
    ("GET", PROVIDER): Call(LAB),
    ("GET", f"{PROVIDER}/health"): Call(LAB),
    ("POST", f"{PROVIDER}/enable"): Call(LAB, codes=frozenset({"health.nothing"})),
    ("POST", f"{PROVIDER}/pin"): Call(LAB, said(models=["demo"])),
    ("POST", f"{PROVIDER}/unpin"): Call(LAB, said(models=["demo"])),
    ("GET", f"{ADMIN}/provider-kinds"): Call(),
    ("GET", f"{ADMIN}/provider-kinds/{{kind}}"): Call(fixed(kind="openai")),
    ("GET", f"{ADMIN}/credentials"): Call(),
    ("POST", f"{ADMIN}/credentials"): Call(body=said(provider="lab", secret="sk-" + 32 * "x")),
    ("GET", f"{ADMIN}/credentials/check"): Call(),
    ("GET", CREDENTIAL): Call(one("id", World.a_credential)),
    ("PATCH", CREDENTIAL): Call(one("id", World.a_credential), said(weight=2)),
    ("DELETE", CREDENTIAL): Call(one("id", World.a_credential)),
    ("GET", f"{ADMIN}/models"): Call(),
    ("GET", f"{ADMIN}/catalogue/models"): Call(query="name=gpt-5"),
    ("GET", f"{ADMIN}/catalogue/sources"): Call(),
    ("GET", f"{ADMIN}/rate-cards"): Call(),
    ("POST", f"{ADMIN}/rate-cards"): Call(body=said(rate_cards=[{"model": "m", "input": "1", "output": "2"}])),
    ("POST", f"{ADMIN}/rate-cards/import"): Call(body=said(models=["none-*"])),
    ("GET", f"{ADMIN}/unpriced"): Call(),
    ("GET", CARD): Call(one("reference", World.a_card)),
    ("DELETE", CARD): Call(one("reference", World.a_card)),
    ("GET", f"{ADMIN}/configs"): Call(),
    ("GET", f"{ADMIN}/configs/{{reference}}"): Call(one("reference", World.a_config)),
    ("PUT", f"{ADMIN}/configs/{{name}}"): Call(fixed(name="one"), said(config={"targets": [{"provider": "@lab"}]})),
    ("DELETE", f"{ADMIN}/configs/{{name}}"): Call(one("name", World.a_config)),
    ("GET", f"{ADMIN}/groups"): Call(),
    ("GET", f"{ADMIN}/groups/{{name}}"): Call(fixed(name="default")),
    ("GET", f"{ADMIN}/settings"): Call(),
    ("GET", f"{ADMIN}/audit"): Call(),
    ("GET", f"{ADMIN}/audit/verify"): Call(),
    ("GET", f"{ADMIN}/requests"): Call(),
    ("GET", f"{ADMIN}/losses"): Call(),
    ("GET", f"{ADMIN}/requests/{{id}}"): Call(request, tenant=True),
    ("GET", f"{ADMIN}/requests/{{id}}/bodies"): Call(full_request, tenant=True),
    ("GET", f"{ADMIN}/usage"): Call(query="by=key&by=model"),
    ("GET", f"{ADMIN}/usage/export"): Call(query="format=jsonl"),
    ("GET", "/v1/usage"): Call(),
    ("GET", "/v1/usage/{request_id}"): Call(),  # each key's own: see test_matrix.py
    ("GET", "/v1/balance"): Call(),
    ("GET", "/v1/key"): Call(),
    ("POST", "/v1/codes/redeem"): Call(body=code, tenant=True),
    ("GET", "/v1/organization/usage/completions"): Call(query=f"{SINCE}&group_by[]=model&group_by[]=api_key_id"),
    ("GET", "/v1/organization/costs"): Call(query=f"{SINCE}&group_by[]=line_item"),
}


def filled(path: str, parts: Parts) -> str:
    """The path with its parts, escaped."""
    for name, value in parts.items():
        path = path.replace(f"{{{name}:path}}", quote(value)).replace(f"{{{name}}}", quote(value, safe=""))
    return path
