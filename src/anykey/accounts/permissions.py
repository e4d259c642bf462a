"""Who may do what: roles, what each of them may, and who may give which role.

A role's table says what it may do within its own organisation, another what it may do with what is its own. What concerns
the whole gateway (providers, prices, money coming in) is in neither: that is the operator's, who has no organisation and
may everything. Nobody gives away more than he has: a role may be given by those who may all that it may.
"""

from typing import Literal, get_args

import msgspec

Role = Literal["operator", "owner", "admin", "billing", "member", "viewer"]
MemberRole = Literal["owner", "admin", "billing", "member", "viewer"]
MEMBER_ROLES: tuple[MemberRole, ...] = get_args(MemberRole)
"""The roles that a member of an organisation may have."""

Permission = Literal[
    "audit:read",
    "bodies:read",
    "budgets:read",
    "budgets:write",
    "catalogue:read",
    "catalogue:write",
    "codes:read",
    "codes:redeem",
    "codes:write",
    "configs:read",
    "configs:write",
    "credentials:read",
    "credentials:write",
    "groups:read",
    "health:read",
    "keys:read",
    "keys:write",
    "ledger:read",
    "ledger:write",
    "limits:write",
    "members:read",
    "members:write",
    "models:read",
    "models:write",
    "organisations:create",
    "organisations:price",
    "organisations:read",
    "organisations:write",
    "providers:read",
    "providers:write",
    "rate_cards:read",
    "rate_cards:write",
    "requests:read",
    "settings:read",
    "settings:write",
    "teams:read",
    "teams:write",
    "usage:read",
    "wallets:read",
    "wallets:write",
    "webhooks:read",
    "webhooks:write",
]
PERMISSIONS: tuple[Permission, ...] = get_args(Permission)

Permissions = frozenset[Permission]


def _and(before: Permissions, *more: Permission) -> Permissions:
    return before | frozenset(more)


_NONE: Permissions = frozenset()
_SEEN = _and(
    _NONE,
    "budgets:read",
    "keys:read",
    "members:read",
    "organisations:read",
    "requests:read",
    "teams:read",
    "usage:read",
    "wallets:read",
)
_PAYING = _and(_SEEN, "codes:redeem", "ledger:read", "webhooks:read", "webhooks:write")
_RUNNING = _and(_PAYING, "audit:read", "budgets:write", "keys:write", "limits:write", "members:write", "teams:write")
_LOOKED_UP = _and(_NONE, "budgets:read", "keys:read", "requests:read", "usage:read")
_OWN = _and(_LOOKED_UP, "keys:write")

WITHIN: dict[Role, Permissions] = {
    "operator": frozenset(PERMISSIONS),
    "owner": _and(_RUNNING, "bodies:read", "organisations:write"),
    "admin": _RUNNING,
    "billing": _PAYING,
    "member": _and(_NONE, "organisations:read"),
    "viewer": _SEEN,
}
"""What a role may do with everything in its organisation. What is in no member's row is the operator's."""

OWN: dict[Role, Permissions] = {
    "operator": frozenset(PERMISSIONS),
    "owner": _OWN,
    "admin": _OWN,
    "billing": _OWN,
    "member": _OWN,
    "viewer": _LOOKED_UP,
}
"""What a role may do with the keys that are its own, and what they did."""


class Actor(msgspec.Struct, frozen=True):
    """Who does something: `cli:USER` or `key:ID`. `organisation` None: not bound to one, which only an operator is."""

    name: str
    role: Role
    organisation: str | None = None
    member_id: str | None = None
    key_id: str | None = None

    @property
    def is_operator(self) -> bool:
        """Whether everything is allowed. An operator of one organisation does not exist; what claims to be one is refused."""
        return self.role == "operator" and self.organisation is None


LOCAL = Actor("cli", "operator")
"""Who sits at the machine, and reads the data directory anyway."""


class Forbidden(Exception):
    """The actor may not do that."""

    def __init__(self, actor: Actor, permission: str) -> None:
        super().__init__(f"{actor.name} ({actor.role}) may not {permission}")
        self.actor = actor
        self.permission = permission


def may(actor: Actor, permission: Permission, organisation: str | None, owner: str | None = None) -> bool:
    """Whether `actor` may do that to something of `organisation` (None: of the whole gateway) that belongs to the member
    `owner` (None: to nobody)."""
    if actor.is_operator:
        return True
    if actor.role == "operator" or organisation is None or organisation != actor.organisation:
        return False
    if permission in WITHIN[actor.role]:
        return True
    return owner is not None and owner == actor.member_id and permission in OWN[actor.role]


def require(actor: Actor, permission: Permission, organisation: str | None, owner: str | None = None) -> None:
    """Raise Forbidden unless `may` says yes."""
    if not may(actor, permission, organisation, owner):
        raise Forbidden(actor, permission)


def may_give(actor: Actor, role: Role) -> bool:
    """Whether `actor` may make somebody a `role`, or act for somebody who is one: only who may all of it himself."""
    if role == "operator":
        return actor.is_operator
    return actor.is_operator or (WITHIN[role] <= WITHIN[actor.role] and OWN[role] <= OWN[actor.role])
