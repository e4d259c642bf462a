"""API keys: what clients call with. The text of a key is in one answer only: that of its making, or of its rotation."""

from typing import Annotated, Any, Literal

from fastapi import Query
from pydantic import Field

from anykey.accounts.keys import ApiKey
from anykey.accounts.purse import Period
from anykey.administration.errors import AdministrationError
from anykey.administration.key_fields import LOGGING_DAYS_MOST, KeyFields
from anykey.administration.keys import (
    OVERLAP_MOST_S,
    OVERLAP_S,
    CreatedKey,
    create_key,
    find_key,
    last_uses,
    list_keys,
    revoke_key,
    rotate_key,
    update_key,
)
from anykey.server.admin.rules import Calling, Resource
from anykey.server.admin.shapes import (
    Asked,
    Count,
    Filter,
    Globs,
    Id,
    Listed,
    Seconds,
    Text,
    Told,
    Usd,
    Word,
    listed,
    nano,
    said,
    strings,
    usd,
)
from anykey.storage.paging import page_of

KEYS = Resource("keys")
PATH = "/admin/v1/keys/{id}"
Metadata = Annotated[dict[Word, Text], Field(max_length=16)]
LimitsUsd = dict[Period, Usd | None]
"""The most that may be spent in each period, in USD; null takes a limit away."""
EMPTIES: dict[str, Any] = {
    "strict": None,
    "group": "",
    "team": "",
    "allowed_models": (),
    "config": "",
    "metadata": {},
    "admin": None,
    "owner": "",
    "requests_per_minute": 0,
    "tokens_per_minute": 0,
    "concurrency": 0,
    "expires_at": 0,
    "ip_allow": (),
    "ip_deny": (),
    "logging": "",
    "logging_days": 0,
}
"""The fields of a key, each with the value that takes away what was said."""


class KeyTold(Told):
    """A key without its text. Times are Unix seconds. `budgets_usd`: its own limits by period. `last_used_at` is true to ten
    seconds. `previous_until`: until then the text before the last rotation is good too."""

    id: str
    name: str
    last4: str
    organisation: str
    team: str | None
    owner: str | None
    role: str | None
    admin: bool
    strict: bool
    group: str | None
    allowed_models: list[str] | None
    config: str | None
    metadata: dict[str, str] | None
    budgets_usd: dict[str, str]
    requests_per_minute: int | None
    tokens_per_minute: int | None
    concurrency: int | None
    ip_allow: list[str] | None
    ip_deny: list[str] | None
    logging: str | None
    logging_days: int | None
    created_at: int
    expires_at: int | None
    revoked_at: int | None
    previous_until: int | None
    last_used_at: int | None


class KeyWithText(Told):
    """A key and its text, which is never shown again."""

    key: KeyTold
    text: str


class KeyFilter(Filter):
    """`state`: those in force, those that ended, or all."""

    organisation: Word | None = None
    team: Word | None = None
    owner: Word | None = None
    group: Word | None = None
    state: Literal["all", "in_force", "revoked"] = "all"


class KeySaid(Asked):
    """Null takes away what was said. `owner`: a member's id or name. `admin`: it may use this API with its owner's role. A
    `group` sets prices, so only operators write it."""

    strict: bool | None = None
    group: Text | None = None
    team: Text | None = None
    allowed_models: Globs | None = None
    config: Text | None = None
    metadata: Metadata | None = None
    admin: bool | None = None
    owner: Text | None = None
    budgets_usd: LimitsUsd | None = None
    requests_per_minute: Count | None = None
    tokens_per_minute: Count | None = None
    concurrency: Count | None = None
    expires_at: Seconds | None = None
    ip_allow: Globs | None = None
    ip_deny: Globs | None = None
    logging: Text | None = None
    logging_days: Annotated[int, Field(ge=1, le=LOGGING_DAYS_MOST)] | None = None


class KeyChange(KeySaid):
    """What is not sent stays."""

    name: Word | None = None


class NewKey(KeySaid):
    """`organisation`: id or name; not sent: the caller's own."""

    name: Word
    organisation: Word | None = None


class Rotation(Asked):
    """For how long the text of before is good besides; 0: it ends at once."""

    overlap_s: Annotated[int, Field(ge=0, le=OVERLAP_MOST_S)] = OVERLAP_S


@KEYS.operation("GET", "/admin/v1/keys", permission="keys:read")
def keys_list(caller: Calling, query: Annotated[KeyFilter, Query()]) -> Listed[KeyTold]:
    """List the keys, oldest first, revoked ones too."""
    keys = [key for key in list_keys(caller.home, actor=caller.actor) if _fits(key, query)]
    uses = last_uses(caller.home, actor=caller.actor)
    page = page_of(keys, lambda key: (key.created_at, key.id), query.cursor, query.limit)
    return listed(page, lambda key: told(key, uses.get(key.id)))


@KEYS.operation("POST", "/admin/v1/keys", permission="keys:write", status=201)
def keys_create(caller: Calling, body: NewKey) -> KeyWithText:
    """Issue a key. Its text is in this answer and nowhere else."""
    fields = _fields(body, organisation=body.organisation)
    return _with_text(create_key(caller.home, body.name, fields=fields, actor=caller.actor))


@KEYS.operation("GET", PATH, permission="keys:read")
def keys_get(caller: Calling, id: Id) -> KeyTold:  # noqa: A002 - the name in the path
    """Show one."""
    key = _find(caller, id)
    return told(key, last_uses(caller.home, actor=caller.actor).get(key.id))


@KEYS.operation("PATCH", PATH, permission="keys:write")
def keys_update(caller: Calling, id: Id, body: KeyChange) -> KeyTold:  # noqa: A002 - the name in the path
    """Change what is sent, from the next request on."""
    key = update_key(caller.home, _find(caller, id).id, _fields(body, name=body.name), actor=caller.actor)
    return told(key, last_uses(caller.home, actor=caller.actor).get(key.id))


@KEYS.operation("POST", PATH + "/rotate", permission="keys:write")
def keys_rotate(caller: Calling, id: Id, body: Rotation) -> KeyWithText:  # noqa: A002 - the name in the path
    """Give a key another text under the same id."""
    return _with_text(rotate_key(caller.home, _find(caller, id).id, overlap_s=body.overlap_s, actor=caller.actor))


@KEYS.operation("POST", PATH + "/revoke", permission="keys:write")
def keys_revoke(caller: Calling, id: Id) -> KeyTold:  # noqa: A002 - the name in the path
    """End a key, from the next request on. It stays in the list."""
    key = revoke_key(caller.home, _find(caller, id).id, actor=caller.actor)
    return told(key, last_uses(caller.home, actor=caller.actor).get(key.id))


def told(key: ApiKey, last_used_at: int | None) -> KeyTold:
    """The key without anything of its secret."""
    budgets = () if key.purse is None else key.purse.budgets
    return KeyTold(
        id=key.id,
        name=key.name,
        last4=key.last4,
        organisation=key.organisation,
        team=key.team,
        owner=key.member_id,
        role=key.role,
        admin=key.admin,
        strict=key.strict,
        group=key.group_name,
        allowed_models=strings(key.allowed_models),
        config=key.config,
        metadata=None if key.metadata is None else dict(key.metadata),
        budgets_usd={one.period: usd(one.limit_nano) or "" for one in budgets if one.owner_kind == "key"},
        requests_per_minute=key.requests_per_minute,
        tokens_per_minute=key.tokens_per_minute,
        concurrency=key.concurrency,
        ip_allow=strings(key.ip_allow),
        ip_deny=strings(key.ip_deny),
        logging=key.logging,
        logging_days=key.logging_days,
        created_at=key.created_at,
        expires_at=key.expires_at,
        revoked_at=key.revoked_at,
        previous_until=key.previous_until,
        last_used_at=last_used_at,
    )


def limits_nano(limits: LimitsUsd, field: str) -> dict[Period, int | None]:
    """The limits in nano-USD. Raises Refusal (422) naming the period under `field`."""
    return {period: None if text is None else nano(text, f"{field}.{period}") for period, text in limits.items()}


def _fields(body: NewKey | KeyChange, **more: Any) -> KeyFields:
    fields = said(body, **EMPTIES) | more
    if body.budgets_usd is not None:
        fields["budgets"] = limits_nano(body.budgets_usd, "budgets_usd")
    return KeyFields(**fields)


def _with_text(created: CreatedKey) -> KeyWithText:
    return KeyWithText(key=told(created.key, None), text=created.text)


def _fits(key: ApiKey, query: KeyFilter) -> bool:
    wanted = (
        (query.organisation, key.organisation),
        (query.team, key.team),
        (query.owner, key.member_id),
        (query.group, key.group_name),
    )
    in_state = query.state == "all" or (query.state == "revoked") is (key.revoked_at is not None)
    return in_state and all(asked in (None, value) for asked, value in wanted)


def _find(caller: Calling, identity: str) -> ApiKey:
    """By its id alone: a name may pass to another key between two calls. Raises AdministrationError."""
    key = find_key(caller.home, identity, actor=caller.actor)
    if key.id != identity:
        raise AdministrationError("keys.not_found", key=identity)
    return key
