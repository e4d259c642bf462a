"""The way in: who is let in, what is refused before anything is loaded, and that nothing is loaded before."""

import gzip
import json
import subprocess
import sys
from pathlib import Path

from anykey.administration.key_fields import KeyFields
from anykey.administration.keys import create_key
from anykey.server.admin.mount import BODY_BYTES_MAX
from tests.fakes.gateway import RunningGateway, WireReply

PROVIDERS = "/admin/v1/providers"


def operator(gateway: RunningGateway, name: str = "operator") -> dict[str, str]:
    text = create_key(gateway.home, name, fields=KeyFields(admin=True)).text
    return {"authorization": f"Bearer {text}", "content-type": "application/json"}


def refused(reply: WireReply, status: int, kind: str, code: str) -> bool:
    """Whether it is this refusal, in the one shape that there is."""
    body = reply.json()
    assert set(body) == {"error", "request_id"}
    assert body["request_id"] == reply.headers["x-anykey-request-id"]
    return (reply.status, body["error"]["type"], body["error"]["code"]) == (status, kind, code)


async def test_every_spelling_of_a_key_is_the_same_key(tmp_path: Path) -> None:
    async with RunningGateway(tmp_path) as gateway:
        key = operator(gateway)["authorization"].removeprefix("Bearer ")
        spelled: list[tuple[str, dict[str, str]]] = [
            (PROVIDERS, {"authorization": f"Bearer {key}"}),
            (PROVIDERS, {"x-api-key": key}),
            (PROVIDERS, {"x-goog-api-key": key}),
            (f"{PROVIDERS}?key={key}", {}),
        ]
        told = [await gateway.get(path, headers) for path, headers in spelled]
        cookie = await gateway.get(PROVIDERS, {"cookie": f"key={key}"})
    assert [reply.status for reply in told] == [200] * 4
    assert len({reply.body for reply in told}) == 1
    assert refused(cookie, 401, "authentication_error", "authentication_failed")


async def test_a_stranger_is_refused_in_one_shape_wherever_he_asks(tmp_path: Path) -> None:
    async with RunningGateway(tmp_path) as gateway:
        for path in (PROVIDERS, "/admin/v1/nowhere", "/v1/usage", "/v1/key"):
            for headers in ({}, {"authorization": "Bearer ak-nobody"}, {"x-api-key": "changeme"}):
                reply = await gateway.get(path, headers)
                assert refused(reply, 401, "authentication_error", "authentication_failed")
                assert reply.headers["www-authenticate"] == "Bearer"


async def test_a_key_for_calls_may_not_use_the_admin_api(tmp_path: Path) -> None:
    async with RunningGateway(tmp_path) as gateway:
        assert refused(await gateway.get(PROVIDERS), 403, "permission_error", "not_an_admin_key")
        assert refused(await gateway.get("/admin/v1/openapi.json"), 403, "permission_error", "not_an_admin_key")


async def test_paths_methods_and_bodies_that_are_none(tmp_path: Path) -> None:
    async with RunningGateway(tmp_path) as gateway:
        admin = operator(gateway)
        url = f"{PROVIDERS}/demo/pin"
        assert refused(await gateway.get("/admin/v1/nowhere", admin), 404, "not_found_error", "no_such_path")
        assert refused(await gateway.get("/admin/v1/", admin), 404, "not_found_error", "no_such_path")
        wrong = await gateway.request("DELETE", PROVIDERS, b"", admin)
        assert refused(wrong, 405, "method_not_allowed_error", "method_not_allowed")
        assert wrong.headers["allow"] == "GET"
        form = await gateway.post(url, b"models=demo", {**admin, "content-type": "application/x-www-form-urlencoded"})
        assert refused(form, 415, "unsupported_media_type_error", "not_json")
        torn = await gateway.post(url, b'{"models": ', admin)
        assert refused(torn, 422, "invalid_request_error", "json_invalid")
        large = await gateway.post(url, b" " * (BODY_BYTES_MAX + 1), admin)
        assert refused(large, 413, "too_large_error", "body_too_large")
        bomb = gzip.compress(b" " * (BODY_BYTES_MAX + 1))
        assert refused(
            await gateway.post(url, bomb, {**admin, "content-encoding": "gzip"}),
            413,
            "too_large_error",
            "body_too_large",
        )


async def test_an_unknown_field_is_named_and_no_value_is_repeated(tmp_path: Path) -> None:
    async with RunningGateway(tmp_path) as gateway:
        admin = operator(gateway)
        more = await gateway.post(
            "/admin/v1/credentials", {"provider": "openai", "secret": "sk-canary-1", "sceret": "sk-canary-2"}, admin
        )
        wrong = await gateway.post("/admin/v1/credentials", {"provider": "openai", "secret": ["sk-canary-3"]}, admin)
        query = await gateway.get(f"{PROVIDERS}?page=2", admin)
        assert refused(more, 422, "invalid_request_error", "extra_forbidden")
        assert (more.json()["error"]["field"], wrong.json()["error"]["field"]) == ("sceret", "secret")
        assert query.json()["error"]["field"] == "page"
        assert b"canary" not in more.body + wrong.body


async def test_answers_are_not_kept_and_allow_no_other_origin(tmp_path: Path) -> None:
    async with RunningGateway(tmp_path) as gateway:
        reply = await gateway.get(PROVIDERS, {**operator(gateway), "origin": "https://evil.example"})
        preflight = await gateway.request(
            "OPTIONS", PROVIDERS, b"", {**operator(gateway, "second"), "origin": "https://evil.example"}
        )
    assert reply.headers["cache-control"] == "no-store"
    assert reply.headers["x-content-type-options"] == "nosniff"
    assert preflight.status == 405
    assert not [name for name in {**reply.headers, **preflight.headers} if name.startswith("access-control")]


async def test_messages_come_in_the_language_asked_for(tmp_path: Path) -> None:
    async with RunningGateway(tmp_path) as gateway:
        admin = operator(gateway)
        english = await gateway.get(f"{PROVIDERS}?cursor=zzz", admin)
        chinese = await gateway.get(f"{PROVIDERS}?cursor=zzz", {**admin, "accept-language": "zh-CN,zh;q=0.9"})
    assert refused(english, 422, "invalid_request_error", "paging.bad_cursor")
    assert refused(chinese, 422, "invalid_request_error", "paging.bad_cursor")
    assert english.json()["error"]["message"].isascii()
    assert not chinese.json()["error"]["message"].isascii()


SERVED = """
import asyncio, json, sys
from pathlib import Path
from tests.fakes.gateway import RunningGateway
async def main() -> None:
    async with RunningGateway(Path(sys.argv[1])) as gateway:
        body = {"model": "demo", "messages": [{"role": "user", "content": "hi"}]}
        assert (await gateway.post("/v1/chat/completions", body)).status == 200
        assert (await gateway.get("/v1/models")).status == 200
        assert (await gateway.get("/admin/v1/providers", {})).status == 401
        before = sorted({"fastapi", "pydantic", "starlette"} & set(sys.modules))
        await gateway.get("/v1/key")
        print(json.dumps([before, sorted({"fastapi", "pydantic", "starlette"} & set(sys.modules))]))
asyncio.run(main())
"""


def test_nothing_is_loaded_before_somebody_with_a_key_asks(tmp_path: Path) -> None:
    root = Path(__file__).resolve().parents[4]
    ran = subprocess.run(
        [sys.executable, "-c", SERVED, str(tmp_path)], cwd=root, capture_output=True, text=True, check=True
    )
    assert json.loads(ran.stdout) == [[], ["fastapi", "pydantic", "starlette"]]
