"""Settings over HTTP: what is in effect, and nothing that is secret."""

from typing import Any

import msgspec
import pytest

from anykey.providers.secret import Secret
from anykey.server.admin.resources.settings import plain
from tests.unit.server.admin.resources.conftest import Api

pytestmark = pytest.mark.asyncio(loop_scope="session")


class Section(msgspec.Struct):
    url: str
    secret: Secret
    table: dict[str, str]
    items: tuple[str, ...] = ()
    inner: "Section | None" = None


async def test_the_settings_in_effect(api: Api) -> None:
    reply = await api.ask("GET", "/admin/v1/settings")
    told = reply.json()
    assert told["sections"]["server"]["discovery_hours"] == 0
    assert told["config"].endswith("anykey.toml")
    assert b"lab-secret" not in reply.body


async def test_what_is_not_plain_is_hidden() -> None:
    section = Section("postgresql://u:p@h/d", Secret("s"), {"a": "b"}, ("x",))
    section.inner = Section("plain", Secret("t"), {})
    hidden = {"secret": "***", "table": "***"}
    inner: dict[str, Any] = {"url": "plain", "items": [], "inner": None, **hidden}
    assert plain(section) == {"url": "postgresql://***@h/d", "items": ["x"], "inner": inner, **hidden}
