"""Two organisations, somebody of every role in the first, and things of both to be asked for.

Whatever is the second's has FOREIGN in its name, so that an answer that tells of it is found out without knowing what it should
have said.
"""

import secrets
from contextlib import closing
from pathlib import Path
from typing import Literal, NamedTuple, Self

from sqlalchemy import insert

from anykey.accounts.keys import actor_of
from anykey.accounts.permissions import MEMBER_ROLES, Actor
from anykey.administration.codes import Order, create_batch
from anykey.administration.configs import put_config
from anykey.administration.credentials import add_credential
from anykey.administration.key_fields import KeyFields
from anykey.administration.keys import create_key, find_key
from anykey.administration.members import MemberFields, create_member
from anykey.administration.organisations import create_organisation
from anykey.administration.rate_cards import put_cards
from anykey.administration.teams import create_team
from anykey.administration.wallets import top_up
from anykey.administration.webhooks import create_webhook
from anykey.settings import load_settings
from anykey.storage.engine import transaction
from anykey.storage.exchange_bodies import put_bodies, sealed
from anykey.storage.schema import exchanges
from tests.fakes.bodies import bodies_of
from tests.fakes.gateway import RunningGateway, lab

Who = Literal["nobody", "ordinary", "viewer", "member", "billing", "admin", "owner", "operator"]
WHO: tuple[Who, ...] = ("nobody", "ordinary", *MEMBER_ROLES, "operator")
Tenant = Literal["own", "other"]
FOREIGN = "foreign"
CARD = b'{"rate_cards": [{"model": "%s", "input": "1", "output": "2"}]}'


class Caller(NamedTuple):
    """A key and whom it acts for."""

    text: str
    actor: Actor
    key_id: str


class World:
    """`callers` by role, all of the organisation `own` but the operator; `organisations` are ids."""

    def __init__(self, gateway: RunningGateway, folder: Path) -> None:
        self.gateway = gateway
        self.home = gateway.home
        self.settings = load_settings({"ANYKEY_HOME": str(self.home.path), "LAB_KEY": "sk-lab"}, folder / "anykey.toml")
        self.callers: dict[Who, Caller] = {}
        self.organisations: dict[Tenant, str] = {}

    @classmethod
    def make(cls, gateway: RunningGateway, folder: Path) -> Self:
        """Fill the empty data directory of a gateway that runs in `folder`."""
        world = cls(gateway, folder)
        names: dict[Tenant, str] = {"own": "acme", "other": f"{FOREIGN} org"}
        for tenant, name in names.items():
            organisation = create_organisation(world.home, name)
            world.organisations[tenant] = organisation.id
            top_up(world.home, organisation.id, 10**9)
            for _ in range(2):
                for make in (world.a_key, world.a_member, world.a_team, world.a_request, world.a_webhook):
                    make(tenant)
        for role in MEMBER_ROLES:
            fields = MemberFields(role=role)
            member = create_member(world.home, f"the {role}", organisation=world.organisations["own"], fields=fields)
            world.callers[role] = world._caller(
                role, KeyFields(owner=member.id, admin=True, organisation=member.organisation)
            )
        world.callers["ordinary"] = world._caller("ordinary", KeyFields(organisation=world.organisations["own"]))
        world.callers["operator"] = world._caller("operator", KeyFields(admin=True))
        return world

    def a_key(self, tenant: Tenant) -> str:
        """The id of a new key of nobody's."""
        fields = KeyFields(organisation=self.organisations[tenant])
        return create_key(self.home, self.named(tenant, "key"), fields=fields).key.id

    def a_member(self, tenant: Tenant) -> str:
        """The id of a new member who may little."""
        organisation, fields = self.organisations[tenant], MemberFields(role="viewer")
        return create_member(self.home, self.named(tenant, "member"), organisation=organisation, fields=fields).id

    def a_team(self, tenant: Tenant) -> str:
        """The name of a new team."""
        return create_team(self.home, self.named(tenant, "team"), organisation=self.organisations[tenant]).name

    def a_request(self, tenant: Tenant, key_id: str | None = None) -> str:
        """The id of a new call, of this key."""
        request_id = self.named(tenant, "req").replace(" ", "_")
        row = {
            **dict.fromkeys(("input_tokens", "cache_read_tokens", "cache_write_5m_tokens"), 1),
            **dict.fromkeys(("cache_write_1h_tokens", "output_tokens", "reasoning_tokens"), 1),
            "id": request_id,
            "at": 1_700_000_000_000,
            "key_id": key_id or f"{FOREIGN}-key",
            "client": "test",
            "client_protocol": "openai_chat",
            "model_asked": self.named(tenant, "model"),
            "stream": False,
            "attempts": 1,
            "usage_source": "upstream",
            "status": 200,
            "losses": '["dropped:x"]',
            "total_ms": 5,
            "organisation": self.organisations[tenant],
        }
        with transaction(self.home.database) as connection:
            connection.execute(insert(exchanges).values(row))
        return request_id

    def a_full_request(self, tenant: Tenant) -> str:
        """The id of a new call whose bodies are kept, of a key of nobody's."""
        request_id, key_id = self.named(tenant, "full").replace(" ", "_"), self.a_key(tenant)
        bodies = bodies_of(id=request_id, key_id=key_id, organisation=self.organisations[tenant])
        with closing(self.home.database.connect()) as connection:
            put_bodies(connection, [sealed(bodies, self.home.pepper)])
        return request_id

    def a_webhook(self, tenant: Tenant) -> str:
        """The id of a new webhook."""
        url = f"https://{FOREIGN if tenant == 'other' else 'ours'}.example/x"
        return create_webhook(self.home, url, organisation=self.organisations[tenant]).row.id

    def an_organisation(self) -> str:
        """The id of a new organisation that is of neither."""
        return create_organisation(self.home, self.named("other", "organisation")).id

    def a_credential(self) -> str:
        """The id of a new credential."""
        return add_credential(self.home, self.settings, "lab", f"sk-{secrets.token_hex(16)}").id

    def a_config(self) -> str:
        """The name of a new config."""
        name = f"config-{secrets.token_hex(4)}"
        put_config(self.home, name, b'{"strategy": {"mode": "fallback"}, "targets": [{"provider": "@lab"}]}')
        return name

    def a_card(self) -> str:
        """The reference of a new rate card."""
        return put_cards(self.home, CARD % secrets.token_hex(4).encode())[0].row.reference

    def a_batch(self) -> str:
        """The name of a new batch of codes."""
        return create_batch(self.home, Order(amount_nano=10**9))[0].row.batch

    def a_code(self) -> str:
        """The text of a new code."""
        return create_batch(self.home, Order(amount_nano=10**9))[0].text

    def named(self, tenant: Tenant, what: str) -> str:
        """A name that nothing else has."""
        return f"{FOREIGN if tenant == 'other' else 'ours'} {what} {secrets.token_hex(4)}"

    def _caller(self, role: str, fields: KeyFields) -> Caller:
        created = create_key(self.home, f"key of the {role}", fields=fields)
        key = find_key(self.home, created.key.id)
        return Caller(created.text, actor_of(key), key.id)


def running(folder: Path) -> RunningGateway:
    """A gateway with an empty data directory and one provider, `lab`, where nobody answers."""
    return RunningGateway(folder, lab("openai_chat", "http://127.0.0.1:9") + "[server]\ndiscovery_hours = 0\n")
