"""An operation has a rule, and the rule decides who gets past it."""

import threading
from typing import Any

import pytest
from pydantic import BaseModel

from anykey.accounts.keys import ApiKey, actor_of
from anykey.accounts.permissions import MemberRole
from anykey.server.admin.caller import Caller
from anykey.server.admin.refusals import Refusal
from anykey.server.admin.rules import POOL, Resource, Rule, refuse_unless


class Told(BaseModel):
    thread: str


def caller(role: MemberRole | None, *, admin: bool = True) -> Caller:
    """Who holds a key of this role; None: of no member."""
    key = ApiKey(id="k", name="n", digest=b"", last4="", created_at=0, admin=admin)
    if role is not None:
        key = ApiKey(id="k", name="n", digest=b"", last4="", created_at=0, admin=admin, member_id="m", role=role)
    premises: Any = None
    return Caller(key, actor_of(key), premises, "en", "req")


def allowed(rule: Rule, plane: Any, who: Caller) -> bool:
    try:
        refuse_unless(rule, plane, who)
    except Refusal as refusal:
        return refusal.status != 403
    return True


def test_the_rule_and_the_plane_decide() -> None:
    operator, owner, member, ordinary = caller(None), caller("owner"), caller("member"), caller(None, admin=False)
    assert [allowed("own", "user", who) for who in (operator, owner, member, ordinary)] == [True] * 4
    assert [allowed("manage", "admin", who) for who in (operator, owner, member, ordinary)] == [True, True, True, False]
    assert [allowed("operate", "admin", who) for who in (operator, owner, member, ordinary)] == [
        True,
        False,
        False,
        False,
    ]
    assert [allowed("teams:write", "admin", who) for who in (operator, owner, member, ordinary)] == [
        True,
        True,
        False,
        False,
    ]
    assert [allowed("credentials:read", "admin", who) for who in (operator, owner, member)] == [True, False, False]
    billing = [caller("billing", admin=admin) for admin in (True, False)]
    assert [allowed("codes:redeem", "user", who) for who in billing] == [True, True]
    assert [allowed("wallets:read", "admin", who) for who in billing] == [True, False]


def test_an_operation_cannot_be_declared_without_a_rule_that_there_is() -> None:
    resource, wrong = Resource("x"), "keys:everything"
    with pytest.raises(ValueError, match="GET /admin/v1/x"):
        resource.operation("GET", "/admin/v1/x", permission=wrong)  # type: ignore[arg-type] - that is what is tested
    with pytest.raises(TypeError):
        resource.operation("GET", "/admin/v1/x")  # type: ignore[call-arg] - that is what is tested
    assert not resource.operations


async def test_an_operation_runs_in_one_of_a_few_threads() -> None:
    resource = Resource("x")

    @resource.operation("GET", "/admin/v1/x", permission="manage", status=201)
    def where() -> Told:
        return Told(thread=threading.current_thread().name)

    reply = await resource.operations[0].answer()
    assert reply.status_code == 201
    assert bytes(reply.body).startswith(b'{"thread":"anykey-admin')
    assert where().model_dump() == {"thread": threading.current_thread().name}
    assert POOL._max_workers <= 8
