"""Refresh and pin: what a provider lists is kept, and whatever goes wrong leaves the old list."""

import asyncio
from pathlib import Path
from typing import Any

import msgspec
import pytest

from anykey.administration.errors import AdministrationError
from anykey.administration.home import prepare_home
from anykey.administration.models import configured, has_list, is_asked_unbidden, pin, refresh, refresh_all, unpin
from anykey.providers.configured import ProviderSettings
from anykey.providers.load import catalogue
from anykey.providers.records import EndpointRow, ProviderKind
from anykey.providers.secret import Secret
from anykey.settings import load_settings
from anykey.storage.migrate import open_database
from anykey.storage.provider_models import read_provider_models
from anykey.upstream.client import UpstreamClient
from tests.fakes.wire import RecordedCall, WireConnection, WireServer

LIST = {"data": [{"id": "a", "context_length": 1000}, {"id": "b"}]}


def provider(url: str, protocol: Any = "openai_chat", name: str = "lab") -> ProviderSettings:
    door = EndpointRow(protocol, url, models_url=f"{url}/models")
    return ProviderSettings(name, catalogue()["custom"], (door,), Secret("k-1"))


def kind(**more: Any) -> ProviderKind:
    return msgspec.structs.replace(catalogue()["custom"], **more)


async def test_a_list_is_kept(tmp_path: Path) -> None:
    async def script(_: RecordedCall, connection: WireConnection) -> None:
        await connection.json(200, LIST)

    client, database = UpstreamClient(), open_database(tmp_path)
    async with WireServer(script) as server:
        first = await refresh(client, database, provider(server.url))
        again = await refresh(client, database, provider(server.url))
        await client.aclose()
    assert (first.models, first.changed, first.problem) == (2, True, None)
    assert (again.models, again.changed) == (2, False)
    known = read_provider_models(database)["lab"]
    assert [(model.model, model.facts and model.facts.context_tokens) for model in known] == [("a", 1000), ("b", None)]
    assert server.calls[0].header("authorization") == "Bearer k-1"


@pytest.mark.parametrize(
    ("protocol", "target", "header"),
    [
        ("openai_chat", "/models", None),
        ("anthropic_messages", "/models?limit=1000", "anthropic-version"),
        ("gemini_generate", "/models?pageSize=1000", None),
    ],
)
async def test_a_list_is_asked_for_whole_and_in_its_protocol(
    tmp_path: Path, protocol: str, target: str, header: str | None
) -> None:
    async def script(_: RecordedCall, connection: WireConnection) -> None:
        await connection.json(200, LIST)

    client = UpstreamClient()
    async with WireServer(script) as server:
        await refresh(client, open_database(tmp_path), provider(server.url, protocol))
        await client.aclose()
    (call,) = server.calls
    assert call.target == target
    assert header is None or call.header(header)


async def test_whatever_goes_wrong_the_old_list_stays(tmp_path: Path) -> None:
    answers: list[tuple[int, Any]] = [
        (200, LIST),
        (500, {"error": "k-1"}),
        (200, {"data": []}),
        (200, {"x": 1}),
        (401, {}),
    ]

    async def script(_: RecordedCall, connection: WireConnection) -> None:
        await connection.json(*answers.pop(0))

    client, database = UpstreamClient(), open_database(tmp_path)
    async with WireServer(script) as server:
        results = [await refresh(client, database, provider(server.url)) for _ in range(5)]
    results.append(await refresh(client, database, provider(server.url)))
    await client.aclose()
    problems = [result.problem for result in results]
    assert problems[:5] == [
        None,
        "it answers with status 500",
        "the list is empty",
        "it is no list of models",
        "it answers with status 401",
    ]
    assert problems[5]
    assert [model.model for model in read_provider_models(database)["lab"]] == ["a", "b"]


async def test_a_slow_one_keeps_nobody_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from anykey.administration import provider_calls  # noqa: PLC0415
    from anykey.providers.configured import Timeouts  # noqa: PLC0415

    monkeypatch.setattr(provider_calls, "_LIST_TIMEOUTS", Timeouts(first_byte_s=0.2))

    async def slow(_: RecordedCall, connection: WireConnection) -> None:
        await connection.client_gone(5)

    async def quick(_: RecordedCall, connection: WireConnection) -> None:
        await connection.json(200, LIST)

    client, database = UpstreamClient(), open_database(tmp_path)
    async with WireServer(slow) as one, WireServer(quick) as two, asyncio.timeout(3):
        results = await refresh_all(client, database, [provider(one.url, name="slow"), provider(two.url, name="quick")])
        await client.aclose()
    assert results[0].problem is not None
    assert (results[1].models, set(read_provider_models(database))) == (2, {"quick"})


def test_who_may_be_asked() -> None:
    told = msgspec.structs.replace(provider("http://127.0.0.1:9"), kind=kind(probe_auth_optional=False))
    bare = msgspec.structs.replace(told, credential=None)
    assert has_list(told)
    assert not has_list(bare)
    assert has_list(msgspec.structs.replace(bare, kind=kind(probe_auth_optional=True)))
    assert not has_list(msgspec.structs.replace(told, kind=kind(built_in=True)))
    for url in (None, "https://{region}.example/models"):
        door = EndpointRow("openai_chat", "https://x.example", models_url=url)
        assert not has_list(msgspec.structs.replace(told, endpoints=(door,)))


def test_pins_are_set_and_taken_by_any_name_of_the_provider(tmp_path: Path) -> None:
    home = prepare_home(tmp_path)
    settings = load_settings({"ANYKEY_HOME": str(tmp_path), "BYTEPLUS_API_KEY": "k-0123456789abcdef"}, None)
    assert pin(home, settings, "modelark", ["m", "n"]) == 2
    assert [model.model for model in read_provider_models(home.database)["byteplus"]] == ["m", "n"]
    assert unpin(home, settings, "modelark", ["m"]) == 1
    assert unpin(home, settings, "not-configured-any-more", ["m"]) == 0
    with pytest.raises(AdministrationError, match="openai"):
        pin(home, settings, "openai", ["m"])
    for name in ("", "a\nb", "x" * 257):
        with pytest.raises(AdministrationError, match="no name of a model"):
            pin(home, settings, "byteplus", [name])
    assert configured(settings, "modelark").name == "byteplus"


def test_who_is_asked_unbidden() -> None:
    def at(name: str, url: str) -> ProviderSettings:
        door = EndpointRow("openai_chat", url, models_url=f"{url}/models")
        return ProviderSettings(name, catalogue()[name], (door,), Secret("k-1"))

    assert is_asked_unbidden(at("openai", "https://api.openai.com/v1"))
    assert not is_asked_unbidden(at("openai", "https://proxy.example/v1")), "what asking costs there, nobody knows"
    assert is_asked_unbidden(at("vllm", "http://10.0.0.5:8000/v1"))
    assert not is_asked_unbidden(at("custom", "https://lab.example/v1"))
