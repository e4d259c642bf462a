"""Reports: who may ask what, and what follows from sums."""

import time
from fractions import Fraction
from pathlib import Path

import msgspec
import pytest

from anykey.accounts.permissions import Actor, Forbidden, Role
from anykey.administration.errors import AdministrationError
from anykey.administration.home import Home, prepare_home
from anykey.administration.rate_cards import find_card, put_cards, withdraw_card
from anykey.administration.routes import stored_snapshot
from anykey.administration.usage_report import Misses, Prices, misses_of, own_report, report, seen_by, summed
from anykey.routing.snapshot import Snapshot
from anykey.settings import load_settings
from anykey.storage.records import ExchangeRow
from anykey.storage.usage_question import UsageQuestion
from tests.unit.storage.usage_calls import write

OPERATOR = Actor("cli", "operator")
CARD = b'model = "m"\nprovider = "lab"\ninput = "3"\ncache_read = "0.3"\noutput = "15"\n'
ROW = ExchangeRow(
    id="mine",
    at=int(time.time() * 1000) - 1000,
    key_id="k",
    client="aider",
    client_protocol="openai_chat",
    model_asked="m",
    stream=True,
    attempts=1,
    input_tokens=1000,
    cache_read_tokens=3000,
    output_tokens=100,
    status=200,
    first_token_ms=500,
    total_ms=2500,
    organisation="ours",
    member_id="me",
    cost_nano=3,
)
HERS = msgspec.structs.replace(ROW, id="hers", key_id="l", member_id="her", price_id="m@lab/v1")
THEIRS = msgspec.structs.replace(ROW, id="theirs", organisation="theirs", member_id=None, key_id="x", client="codex")


def somebody(role: Role) -> Actor:
    return Actor("key:k", role, "ours", "me", "k")


@pytest.fixture
def home(tmp_path: Path) -> Home:
    made = prepare_home(tmp_path)
    write(made.database, [ROW, HERS, THEIRS])
    return made


def count(home: Home, actor: Actor, *where: tuple[str, tuple[str, ...]]) -> int:
    return summed(home, UsageQuestion(where=where), actor=actor)[0].exchanges


def test_each_is_told_of_what_is_his(home: Home) -> None:
    assert [count(home, actor) for actor in (OPERATOR, somebody("viewer"), somebody("member"))] == [3, 2, 1]
    assert count(home, somebody("owner"), ("organisation", ("theirs",))) == 0
    assert count(home, somebody("member"), ("member", ("her",))) == 0
    assert own_report(home, UsageQuestion(where=(("key", ("x",)),)), "k").lines[0].sums.exchanges == 0
    assert own_report(home, UsageQuestion(), "k").lines[0].sums.exchanges == 1


def test_who_belongs_to_nobody_is_told_nothing() -> None:
    for actor in (Actor("key:k", "member", "ours", None, "k"), Actor("key:k", "owner", None, "me", "k")):
        with pytest.raises(Forbidden):
            seen_by(UsageQuestion(), actor)


@pytest.mark.parametrize(
    ("question", "code"),
    [
        (UsageQuestion(by=("nothing",)), "usage.bad_dimension"),
        (UsageQuestion(by=("metadata.",)), "usage.bad_dimension"),
        (UsageQuestion(where=(("price_id", ("x",)),)), "usage.bad_dimension"),
        (UsageQuestion(where=(("status", ("4x",)),)), "requests.bad_status"),
        (UsageQuestion(by=("provider",)), "usage.operators"),
        (UsageQuestion(where=(("deployment", ("x",)),)), "usage.operators"),
    ],
)
def test_what_cannot_be_asked(question: UsageQuestion, code: str) -> None:
    with pytest.raises(AdministrationError) as refused:
        seen_by(question, somebody("owner"))
    assert refused.value.code == code


def test_what_follows_from_the_sums(home: Home) -> None:
    found = report(home, UsageQuestion(by=("client",)))
    assert [line.group for line in found.lines] == [{"client": "aider"}, {"client": "codex"}]
    line = found.lines[0]
    assert (line.cache_hit_rate, line.tokens_per_second) == (0.75, 50.0)
    assert (line.first_token.p50_ms, line.total.p95_ms) == (500, 2950)
    assert line.misses == Misses(0, 2000)
    empty = report(home, UsageQuestion(until_ms=1)).lines[0]
    assert (empty.cache_hit_rate, empty.tokens_per_second, empty.total.p50_ms) == (None, None, None)


def test_lines_by_time_are_in_its_order(home: Home) -> None:
    write(home.database, [msgspec.structs.replace(ROW, id=f"old{n}", at=86_400_000 * (n + 1)) for n in range(3)])
    days = [line.group["day"] for line in report(home, UsageQuestion(by=("model", "day"))).lines]
    assert days == [86_400_000, 2 * 86_400_000, 3 * 86_400_000, ROW.at - ROW.at % 86_400_000]


def test_misses_are_priced_by_the_card_of_the_call_even_a_withdrawn_one(home: Home) -> None:
    put_cards(home, CARD)
    withdraw_card(home, "m@lab/v1")
    (line,) = report(home, UsageQuestion(where=(("key", ("l",)),))).lines
    assert line.misses == Misses(1000 * 2700, 0)


def snapshot(home: Home) -> Snapshot:
    """Of a catalogue's provider, and a group that pays half."""
    file = home.path / "anykey.toml"
    file.write_text('[providers.openai]\nkind = "openai"\napi_key = "x"\n[groups.half]\nprice_multiplier = "0.5"\n')
    return stored_snapshot(home, load_settings({"ANYKEY_HOME": str(home.path)}, file))


def test_list_prices_and_what_a_group_pays(home: Home) -> None:
    put_cards(home, CARD)
    card = find_card(home, "m@lab").card()
    prices = Prices({card.id: card}, snapshot(home))
    one = summed(home, UsageQuestion())[0]
    one.uncached = {(card.id, "half"): 1000, (card.id, None): 10, ("gone@lab/v3", None): 7, (None, None): 5}
    assert misses_of(one, prices) == Misses(500 * 2700 + 10 * 2700, 12)
    priced = prices.snapshot
    assert priced is not None
    listed = next(
        card
        for model in priced.shown["openai"]
        if (list_price := priced.prices.list_price("openai", model)) is not None
        and (card := prices.of(f"{model}@openai/list:{list_price.since}")) is not None
    )
    assert listed.tokens.input is not None
    assert prices.of(f"{listed.model}@openai/list:1999-01-01") is None
    assert Prices({}, None).of(listed.id) is None
    assert Prices({}, None).multiplier("half") == Fraction(1)
