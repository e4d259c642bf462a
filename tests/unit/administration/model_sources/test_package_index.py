"""A package index: the newest good wheel in both spellings of the API, its hash, its redirects, and who gets the credentials."""

import hashlib
import json
from typing import Any

import pytest

from anykey.administration.errors import AdministrationError
from anykey.administration.model_sources.package_index import DEFAULT_INDEX, Index, download, index_of, newest_wheel
from anykey.upstream.client import UpstreamClient
from tests.fakes.wire import RecordedCall, WireConnection, WireServer

BODY = b"a wheel"
GOOD = hashlib.sha256(BODY).hexdigest()


def row(name: str, **more: Any) -> dict[str, Any]:
    return {"filename": name, "url": f"../../files/{name}", "hashes": {"sha256": GOOD}, **more}


FILES = [
    row("pkg-1.9.0-py3-none-any.whl"),
    row("pkg-1.10.0-py3-none-any.whl", **{"upload-time": "2026-11-12T01:02:03Z"}),
    row("pkg-1.11.0-py3-none-any.whl", yanked="broken"),
    row("pkg-2.0.0rc1-py3-none-any.whl"),
    row("pkg-1.12.0.tar.gz"),
    row("pkg-1.13.0-py3-none-any.whl", hashes={}),
]
PAGE = json.dumps({"meta": {"api-version": "1.1"}, "files": FILES}).encode()
HTML = f"""<!DOCTYPE html><body><a href="../../files/pkg-1.9.0-py3-none-any.whl#sha256={GOOD}">x</a><br/>
<a href="../../files/pkg-1.10.0-py3-none-any.whl#sha256={GOOD}" data-upload-time="2026-11-12T01:02:03Z">x</a>
<a href="../../files/pkg-1.11.0-py3-none-any.whl#sha256={GOOD}" data-yanked="">x</a>
<a href="../../files/pkg-1.12.0-py3-none-any.whl">x</a></body>""".encode()


async def script(call: RecordedCall, connection: WireConnection) -> None:
    pages = {"/simple/pkg/": PAGE, "/simple/html/": HTML, "/simple/none/": b'{"files": []}', "/simple/odd/": b"hm"}
    if call.target.startswith("/files/"):
        await whole(connection, BODY)
    elif call.target in pages:
        await whole(connection, pages[call.target])
    elif call.target == "/simple/moved/":
        await connection.head(302, [("location", "/simple/pkg/"), ("content-length", "0")])
    elif call.target == "/simple/circle/":
        await connection.head(301, [("location", "/simple/circle/"), ("content-length", "0")])
    else:
        await connection.json(404, {})


async def whole(connection: WireConnection, body: bytes) -> None:
    await connection.head(200, [("content-length", str(len(body)))])
    await connection.write(body)


@pytest.mark.parametrize("package", ["pkg", "html", "moved"])
async def test_the_newest_release_that_can_be_checked(package: str) -> None:
    client = UpstreamClient()
    async with WireServer(script) as server:
        index = Index.from_url(f"{server.url}/simple")
        wheel = await newest_wheel(client, index, package)
        assert (wheel.version, wheel.day, wheel.sha256) == ("1.10.0", "2026-11-12", GOOD)
        assert wheel.url == f"{server.url}/files/pkg-1.10.0-py3-none-any.whl"
        assert await download(client, index, wheel) == BODY
        await client.aclose()
    assert "pypi.simple.v1+json" in (server.calls[0].header("accept") or "")


async def test_a_wheel_with_another_hash_is_refused() -> None:
    client = UpstreamClient()
    async with WireServer(script) as server:
        index = Index.from_url(f"{server.url}/simple")
        wheel = (await newest_wheel(client, index, "pkg"))._replace(sha256="0" * 64)
        with pytest.raises(AdministrationError, match="SHA-256"):
            await download(client, index, wheel)
        await client.aclose()


@pytest.mark.parametrize(
    ("package", "code"),
    [
        ("none", "catalogue.no_wheel"),
        ("odd", "catalogue.no_index"),
        ("circle", "catalogue.unreachable"),
        ("nothing", "catalogue.unreachable"),
    ],
)
async def test_what_an_index_may_get_wrong(package: str, code: str) -> None:
    client = UpstreamClient()
    async with WireServer(script) as server:
        with pytest.raises(AdministrationError) as error:
            await newest_wheel(client, Index.from_url(f"{server.url}/simple"), package)
        await client.aclose()
    assert error.value.code == code


async def test_credentials_of_the_url_go_to_the_index_alone() -> None:
    client = UpstreamClient()

    async def elsewhere(call: RecordedCall, connection: WireConnection) -> None:
        page = {"files": [{**FILES[1], "url": f"{other.url}/files/pkg-1.10.0-py3-none-any.whl"}]}
        await connection.json(200, page)

    async with WireServer(script) as other, WireServer(elsewhere) as server:
        index = Index.from_url(server.url.replace("http://", "http://user:p%40ss@") + "/simple/")
        assert "p%40ss" not in repr(index)
        wheel = await newest_wheel(client, index, "pkg")
        await download(client, index, wheel)
        await client.aclose()
    assert server.calls[0].header("authorization") == "Basic dXNlcjpwQHNz"
    assert other.calls[0].header("authorization") is None


def test_the_index_of_the_environment() -> None:
    assert index_of({}) == DEFAULT_INDEX
    assert index_of({"PIP_INDEX_URL": "https://mirror.example/simple"}) == "https://mirror.example/simple"
