"""A request through every door of every row: where it goes, what carries the credential, what its dialect makes of it.

Each door is configured the way an operator would, and called the way the journey does: settings, snapshot, codec.
"""

import functools
import json
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from anykey.conversation.message import Message
from anykey.conversation.parts import TextPart
from anykey.conversation.request import GenerateRequest, Reasoning
from anykey.conversation.tools import FunctionTool, ToolChoice
from anykey.protocols.catalog import UPSTREAM_CODECS
from anykey.providers.addresses import filled, values_of
from anykey.providers.auth.binding import may_send, origin_of
from anykey.providers.load import catalogue
from anykey.providers.records import EndpointRow, ProviderKind
from anykey.routing.building import build_snapshot
from anykey.routing.snapshot import Deployment, Endpoint, deployment_of
from anykey.settings import load_settings

SECRET = "k3y-7f0c1d2e"
CREDENTIALS = {
    "aws_sigv4": f"AKIDEXAMPLE:{SECRET}",
    "google_oauth": json.dumps(
        {"type": "authorized_user", "client_id": "c", "client_secret": "s", "refresh_token": SECRET}
    ),
}
HEADERS = {
    "bearer": (b"authorization", f"Bearer {SECRET}".encode()),
    "x_api_key": (b"x-api-key", SECRET.encode()),
    "x_goog_api_key": (b"x-goog-api-key", SECRET.encode()),
    "azure_api_key": (b"api-key", SECRET.encode()),
}
"""What carries the credential where a header does. The other schemes sign each call or ask for a token first."""
REQUEST = GenerateRequest(
    model="some-model",
    messages=(
        Message("developer", (TextPart("Be brief."),)),
        Message("user", (TextPart("What is the weather in Oslo?"),)),
    ),
    tools=(
        FunctionTool(
            "get_weather",
            "Weather of a city.",
            {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
        ),
    ),
    tool_choice=ToolChoice("auto"),
    max_output_tokens=1000,
    reasoning=Reasoning(effort="low"),
)


def _doors() -> Iterator[object]:
    for kind in catalogue().values():
        for door in kind.endpoints:
            if not kind.built_in:
                yield pytest.param(kind, door, id=f"{kind.id}-{door.protocol}-{door.lane}-{door.region}")


def _deployment(folder: Path, kind: ProviderKind, door: EndpointRow) -> tuple[Deployment, Endpoint]:
    """What comes of a file that asks for just this door, its credential in a file, its variables in the environment."""
    environ = {variable.envs[0]: "value-1" for variable in kind.variables} | {"ANYKEY_HOME": str(folder)}
    (folder / "key").write_text(CREDENTIALS.get(door.auth or kind.auth, SECRET), "utf-8")
    address = "" if door.base_url else 'base_url = "https://own.example/v1"\n'
    (folder / "anykey.toml").write_text(
        f'[providers."{kind.id}"]\nprotocol = "{door.protocol}"\nlane = "{door.lane}"\nregion = "{door.region}"\n{address}'
        'api_key = { file = "key" }\n',
        "utf-8",
    )
    (provider,) = build_snapshot(load_settings(environ, folder / "anykey.toml")).providers
    deployment = deployment_of(provider, "some-model")
    assert deployment.endpoints.keys() == {door.protocol}
    return deployment, deployment.endpoints[door.protocol]


@functools.cache
def _values(kind_id: str) -> dict[str, str]:
    kind = catalogue()[kind_id]
    return values_of(kind, {}, {variable.envs[0]: "value-1" for variable in kind.variables})


@pytest.mark.parametrize(("kind", "door"), list(_doors()))
def test_a_request_through_the_door(tmp_path: Path, kind: ProviderKind, door: EndpointRow) -> None:
    deployment, endpoint = _deployment(tmp_path, kind, door)
    codec = UPSTREAM_CODECS[door.protocol]

    own = filled([door], _values(kind.id))[0].base_url or "https://own.example/v1"
    urls = [codec.call_url(endpoint.url, deployment.model, stream=stream) for stream in (False, True)]
    for url in urls:
        assert origin_of(url) == origin_of(own), "a credential goes to the row's own host only"
        assert SECRET not in url
        assert "{" not in url.replace("{model}", "")
        assert "//" not in urlsplit(url).path
    assert not may_send(origin_of(urls[0]), "https://elsewhere.example/")

    scheme = door.auth or kind.auth
    carried = [pair for pair in endpoint.auth_headers if SECRET.encode() in pair[1]]
    assert carried == ([HEADERS[scheme]] if scheme in HEADERS else [])
    assert {name: value.encode() for name, value in door.headers.items()}.items() <= {
        name.decode(): value for name, value in endpoint.headers
    }.items()

    encoded = codec.encode_request(REQUEST, codec.dialect(dict(endpoint.dialect)))
    body = json.loads(encoded.body)
    assert SECRET not in encoded.body.decode()
    assert "get_weather" in encoded.body.decode()
    assert "Oslo" in encoded.body.decode()
    _of_its_dialect(endpoint, body)


def _of_its_dialect(endpoint: Endpoint, body: dict[str, object]) -> None:
    """Check what a dialect most often changes about a Chat request: the name of the limit, the role of instructions."""
    if endpoint.protocol != "openai_chat":
        return
    fields = endpoint.dialect
    limit = fields.get("max_tokens_field", "max_completion_tokens")
    assert body[str(limit)] == 1000
    assert ("max_tokens" in body) is (limit == "max_tokens")
    messages = body["messages"]
    assert isinstance(messages, list)
    assert messages[0]["role"] == ("developer" if fields.get("developer_role", True) else "system")
    assert ("reasoning_effort" in body) <= bool(fields.get("reasoning_effort", True))
    assert ("thinking" in body) <= (fields.get("thinking_switch") == "thinking_type")
    assert ("enable_thinking" in body) <= (fields.get("thinking_switch") == "enable_thinking")


def test_most_hosts_get_what_a_plain_chat_server_takes() -> None:
    plain = {"max_tokens_field": "max_tokens", "developer_role": False}
    hosts = [kind for kind in catalogue().values() if kind.group in {"hosted", "aggregator", "local"}]
    chat = [
        kind.dialect["openai_chat"] for kind in hosts if any(door.protocol == "openai_chat" for door in kind.endpoints)
    ]
    assert len(chat) > 70
    assert all(fields["developer_role"] is False for fields in chat)
    assert sum(plain.items() <= fields.items() for fields in chat) >= len(chat) - 1
