"""A payment told by a signed call: it needs no key, and it counts once."""

import json
import time
from pathlib import Path
from typing import Any

import pytest

from anykey.accounts.signatures import sign
from anykey.administration.organisations import create_organisation
from anykey.administration.wallets import balance_of
from anykey.server.process import TOPUP_VARIABLE, Serving
from tests.fakes.gateway import RunningGateway, WireReply

SECRET, URL = b"shared-with-the-shop", "/admin/v1/topups/signed"


@pytest.fixture
def shared(monkeypatch: pytest.MonkeyPatch) -> None:
    """A gateway whose environment has the secret."""
    plain = Serving.__init__

    def with_secret(self: Serving, settings: Any, home: Any, _: Any, *rest: Any) -> None:
        plain(self, settings, home, {TOPUP_VARIABLE: SECRET.decode()}, *rest)

    monkeypatch.setattr(Serving, "__init__", with_secret)


async def send(gateway: RunningGateway, body: Any, secret: bytes = SECRET, age_s: int = 0) -> WireReply:
    data = json.dumps(body).encode()
    headers = {"content-type": "application/json", "x-anykey-signature": sign(secret, data, int(time.time()) - age_s)}
    return await gateway.post(URL, data, headers)


async def test_it_counts_once(tmp_path: Path, shared: None) -> None:
    async with RunningGateway(tmp_path) as gateway:
        organisation = create_organisation(gateway.home, "shop").id
        body = {"id": "pay_1", "organisation": organisation, "amount": "25.00"}
        first, again = [await send(gateway, body) for _ in range(2)]
        other = await send(gateway, {**body, "amount": "26.00"})
        available = balance_of(gateway.home, organisation).available_nano
    assert (first.status, first.json()["new"], first.json()["amount_usd"]) == (200, True, "25.00")
    assert (again.status, again.json()["new"], again.json()["id"]) == (200, False, first.json()["id"])
    assert (other.status, other.json()["error"]["code"]) == (409, "wallets.other_transfer")
    assert available == 25 * 10**9


async def test_what_is_not_signed_well_is_refused(tmp_path: Path, shared: None) -> None:
    async with RunningGateway(tmp_path) as gateway:
        body = {"id": "pay_1", "organisation": "default", "amount": "25.00"}
        replies = [
            await send(gateway, body, b"another"),
            await send(gateway, body, age_s=3600),
            await gateway.post(URL, body, gateway.headers()),
        ]
        wrong = await send(gateway, {**body, "amount": 25})
        got = await gateway.get(URL)
    codes = [(reply.status, reply.json()["error"]["code"]) for reply in replies]
    assert codes == [(401, "topups.wrong_signature"), (401, "topups.too_old"), (401, "topups.no_signature")]
    assert (wrong.status, wrong.json()["error"]["code"]) == (422, "topups.bad_event")
    assert got.status == 405


async def test_without_a_secret_there_is_no_such_thing(tmp_path: Path) -> None:
    async with RunningGateway(tmp_path) as gateway:
        reply = await send(gateway, {"id": "x", "organisation": "default", "amount": "1.00"}, b"")
    assert (reply.status, reply.json()["error"]["code"]) == (404, "topups.off")
