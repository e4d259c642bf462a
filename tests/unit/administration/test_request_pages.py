"""Nobody is shown calls that are not his to see, whatever he asks for."""

from pathlib import Path

import pytest
from sqlalchemy import insert

from anykey.accounts.permissions import Actor, Forbidden, Role
from anykey.administration.errors import AdministrationError
from anykey.administration.home import Home, prepare_home
from anykey.administration.request_pages import (
    find_own_request,
    find_request,
    page_of_requests,
    sight,
)
from anykey.storage.engine import transaction
from anykey.storage.exchange_pages import ExchangeFilter
from anykey.storage.schema import exchanges

OPERATOR = Actor("cli", "operator")
ALL = ExchangeFilter()
TOKENS = [column.name for column in exchanges.c if column.name.endswith("_tokens")]


def somebody(role: Role) -> Actor:
    return Actor("key:k", role, "ours", "me", "k")


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """Calls of two organisations; of ours, one is `me`'s."""
    made = prepare_home(tmp_path)
    row = {
        "at": 1,
        "client": "curl",
        "client_protocol": "openai_chat",
        "model_asked": "m",
        "stream": False,
        "attempts": 1,
    }
    row |= {"usage_source": "none", "status": 200, "losses": "[]", "total_ms": 1, **dict.fromkeys(TOKENS, 1)}
    with transaction(made.database) as connection:
        for identity, organisation, member, key in (
            ("mine", "ours", "me", "k"),
            ("hers", "ours", "her", "l"),
            ("x", "theirs", None, "x"),
        ):
            values = row | {"id": identity, "organisation": organisation, "member_id": member, "key_id": key}
            connection.execute(insert(exchanges).values(values))
    return made


def seen(home: Home, actor: Actor, only: ExchangeFilter = ALL) -> set[str]:
    return {row.id for row in page_of_requests(home, only, None, 9, actor=actor).items}


def test_each_sees_what_is_his(home: Home) -> None:
    assert seen(home, OPERATOR) == {"mine", "hers", "x"}
    assert seen(home, somebody("viewer")) == {"mine", "hers"}
    assert seen(home, somebody("member")) == {"mine"}


def test_no_filter_widens_it(home: Home) -> None:
    for only in (ExchangeFilter(organisation="theirs"), ExchangeFilter(key_ids=("x",)), ExchangeFilter(id="x")):
        assert seen(home, somebody("owner"), only) <= {"mine", "hers"}
        assert "x" not in seen(home, somebody("owner"), only)
    assert seen(home, somebody("member"), ExchangeFilter(member_id="her")) == {"mine"}


def test_what_is_not_to_be_seen_is_not_there(home: Home) -> None:
    assert find_request(home, "hers", actor=somebody("viewer")).id == "hers"
    for identity in ("x", "nothing"):
        with pytest.raises(AdministrationError) as refused:
            find_request(home, identity, actor=somebody("owner"))
        assert refused.value.code == "requests.not_found"


def test_a_key_sees_its_own_calls(home: Home) -> None:
    assert find_own_request(home, "mine", "k").id == "mine"
    with pytest.raises(AdministrationError):
        find_own_request(home, "hers", "k")


def test_who_belongs_to_nobody_sees_nothing() -> None:
    with pytest.raises(Forbidden):
        sight(ALL, "requests:read", Actor("key:k", "member", "ours", None, "k"))
    with pytest.raises(Forbidden):
        sight(ALL, "requests:read", Actor("key:k", "owner", None, "me", "k"))
