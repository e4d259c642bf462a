"""Rate cards over HTTP."""

import pytest

from tests.unit.server.admin.resources.conftest import Api

pytestmark = pytest.mark.asyncio(loop_scope="session")

ALL = "/admin/v1/rate-cards"


async def test_a_life_of_a_card(api: Api) -> None:
    card = {"model": "some/model", "input": "1.25", "output": "10"}
    kept = await api.told("POST", ALL, {"rate_cards": [card]})
    again = await api.told("POST", ALL, {"rate_cards": [card]})
    assert ([one["new"] for one in kept["items"]], [one["new"] for one in again["items"]]) == ([True], [False])
    shown = await api.told("GET", f"{ALL}/{kept['items'][0]['card']['id']}")
    assert (shown["model"], shown["version"], shown["rates"]["input"]) == ("some/model", 1, "1.25")
    assert (await api.told("GET", f"{ALL}?model=some/model"))["items"] == [shown]
    assert (await api.told("DELETE", f"{ALL}/{shown['id']}"))["id"] == shown["id"]
    assert await api.refused("DELETE", f"{ALL}/{shown['id']}") == (409, "rate_cards.withdrawn")
    assert (await api.told("GET", f"{ALL}?model=some/model"))["items"] == []
    assert len((await api.told("GET", f"{ALL}?model=some/model&withdrawn=true"))["items"]) == 1


async def test_a_card_that_cannot_be_meant_is_refused_whole(api: Api) -> None:
    good, bad = {"model": "good", "input": "1", "output": "1"}, {"model": "bad", "inptu": "1"}
    assert await api.refused("POST", ALL, {"rate_cards": [good, bad]}) == (422, "rate_cards.wrong")
    assert (await api.told("GET", f"{ALL}?model=good"))["items"] == []


async def test_what_has_no_price_is_listed(api: Api) -> None:
    unpriced = await api.told("GET", "/admin/v1/unpriced")
    assert {"model": "test-model", "deployment": "lab/upstream-model"} in unpriced["items"]
    assert (await api.told("POST", f"{ALL}/import", {"provider": "lab", "models": ["none-*"]})) == {
        "items": [],
        "unpriced": [],
    }
