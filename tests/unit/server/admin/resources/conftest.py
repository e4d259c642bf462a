"""One gateway for all tests of the resources, with an organisation of its own for each test."""

import asyncio
import secrets
from collections.abc import AsyncIterator
from typing import Any, NamedTuple

import pytest
import pytest_asyncio
from sqlalchemy import insert

from anykey.accounts.permissions import MemberRole
from anykey.administration.key_fields import KeyFields
from anykey.administration.keys import create_key
from anykey.administration.members import MemberFields, create_member
from anykey.administration.organisations import create_organisation
from anykey.storage.engine import transaction
from anykey.storage.schema import exchanges
from tests.fakes.gateway import RunningGateway, WireReply, lab

CONFIG = (
    lab("openai_chat", "http://127.0.0.1:9") + '[server]\ndiscovery_hours = 0\n[groups.cheap]\nmodels = ["gpt-*"]\n'
)


class Key(NamedTuple):
    """An issued key."""

    id: str
    text: str


class Api:
    """The admin API of a running gateway, asked by whoever holds a key."""

    def __init__(self, gateway: RunningGateway, operator: Key) -> None:
        self.gateway = gateway
        self.home = gateway.home
        self.operator = operator

    async def ask(self, method: str, path: str, body: Any = None, key: Key | None = None) -> WireReply:
        """Call as this key, by default as the operator."""
        headers = {"x-api-key": (key or self.operator).text, "content-type": "application/json"}
        return await self.gateway.request(method, path, b"" if body is None else body, headers)

    async def told(self, method: str, path: str, body: Any = None, key: Key | None = None) -> Any:
        """The JSON of an answer that must be a success."""
        reply = await self.ask(method, path, body, key)
        assert reply.status in {200, 201}, (reply.status, reply.body)
        return reply.json()

    async def refused(self, method: str, path: str, body: Any = None, key: Key | None = None) -> tuple[int, str]:
        """Status and code of an answer that must be none."""
        reply = await self.ask(method, path, body, key)
        return reply.status, reply.json()["error"]["code"]

    async def organisation(self) -> str:
        """The id of a new one."""
        return (await asyncio.to_thread(create_organisation, self.home, f"org {secrets.token_hex(4)}")).id

    async def member_key(self, organisation: str, role: MemberRole, *, admin: bool = True) -> Key:
        """A key of a new member."""

        def make() -> Key:
            member = create_member(self.home, role, organisation=organisation, fields=MemberFields(role=role))
            made = create_key(
                self.home, f"of {member.id}", fields=KeyFields(organisation=organisation, owner=member.id, admin=admin)
            )
            return Key(made.key.id, made.text)

        return await asyncio.to_thread(make)

    async def call(self, at_ms: int, **values: Any) -> str:
        """The id of a call that was made at this moment."""
        request_id = f"req_{secrets.token_hex(12)}"
        tokens = dict.fromkeys(
            ("cache_write_5m_tokens", "cache_write_1h_tokens", "output_tokens", "reasoning_tokens"), 2
        )
        row = {"id": request_id, "at": at_ms, "key_id": "k", "client": "curl", "client_protocol": "openai_chat"}
        row |= {
            "model_asked": "gpt-5",
            "stream": False,
            "attempts": 1,
            "input_tokens": 3,
            "cache_read_tokens": 1,
            **tokens,
        }
        row |= {
            "usage_source": "upstream",
            "status": 200,
            "losses": "[]",
            "total_ms": 10,
            "cost_nano": 1_230_000,
            **values,
        }

        def write() -> None:
            with transaction(self.home.database) as connection:
                connection.execute(insert(exchanges).values(row))

        await asyncio.to_thread(write)
        return request_id


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def api(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Api]:
    async with RunningGateway(tmp_path_factory.mktemp("resources"), CONFIG) as gateway:
        made = create_key(gateway.home, "operator", fields=KeyFields(admin=True))
        yield Api(gateway, Key(made.key.id, made.text))
