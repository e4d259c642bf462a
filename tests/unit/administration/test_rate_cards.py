"""What operators do with prices."""

from contextlib import closing
from pathlib import Path

import pytest

from anykey.accounts.permissions import LOCAL, Actor, Forbidden
from anykey.accounts.pricing import Billable
from anykey.administration import rate_cards as verbs
from anykey.administration.errors import AdministrationError
from anykey.administration.home import Home, prepare_home
from anykey.administration.routes import stored_snapshot
from anykey.conversation.usage import Usage
from anykey.settings import Settings, load_settings
from anykey.storage.audit import verify

CONFIG = """
[providers.lab]
kind = "custom"
protocol = "openai_chat"
base_url = "http://127.0.0.1:9/v1"
models = ["made-here"]

[providers.anthropic]
api_key = "sk-ant-1"
models = ["claude-opus-5", "claude-not-yet"]

[models.fast]
deployments = ["lab/made-here", "anthropic/claude-opus-5"]
"""
CARD = b'model = "fast"\ninput = "1"\noutput = "2"\nsource = "us"\n'
USED = Billable(Usage(input_tokens=1000, output_tokens=100))
SIZES = {
    "1024x1024": 50_000_000,
    "2048x2048": 100_000_000,
    "1536x1024": 100_000_000,
    "1024x1536": 100_000_000,
    "3840x2160": 200_000_000,
    "2160x3840": 200_000_000,
    "": 100_000_000,
    "auto": 100_000_000,
    "800x600": 100_000_000,
}
"""What an image of each size costs in seed 002, in nano-USD."""


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return prepare_home(tmp_path)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    file = tmp_path / "anykey.toml"
    file.write_text(CONFIG)
    return load_settings({"ANYKEY_HOME": str(tmp_path)}, file)


def test_a_card_is_kept_once_found_written_again_and_withdrawn(home: Home) -> None:
    ((row, new),) = verbs.put_cards(home, CARD)
    assert (row.reference, new, row.created_by) == ("fast/v1", True, LOCAL.name)
    assert verbs.put_cards(home, CARD) == [(row, False)]
    assert verbs.find_card(home, "fast") == verbs.find_card(home, "fast/v1") == row
    written = verbs.written(row)
    assert written == {
        "model": "fast",
        "effective_from": row.effective_from,
        "source": "us",
        "input": "1",
        "output": "2",
    }
    assert verbs.withdraw_card(home, "fast") == row
    assert verbs.list_cards(home) == []
    assert [one.reference for one in verbs.list_cards(home, withdrawn=True)] == ["fast/v1"]
    with pytest.raises(AdministrationError):
        verbs.withdraw_card(home, "fast/v1")
    with closing(home.database.connect()) as connection:
        assert verify(connection).entries == 2


@pytest.mark.parametrize("reference", ["", "slow", "fast/v2", "fast/v0", "fast/v99999999999999999999"])
def test_what_is_not_there_is_not_found(home: Home, reference: str) -> None:
    verbs.put_cards(home, CARD)
    with pytest.raises(AdministrationError):
        verbs.find_card(home, reference)


def test_a_model_called_like_a_version_is_found(home: Home) -> None:
    verbs.put_cards(home, CARD, model="org/v2")
    assert verbs.find_card(home, "org/v2").reference == "org/v2/v1"


def test_what_cannot_be_meant_is_refused_with_its_field(home: Home) -> None:
    with pytest.raises(AdministrationError) as error:
        verbs.put_cards(home, b'model = "fast"\ninput = 0.5\n')
    assert "$.input" in str(error.value)
    assert verbs.list_cards(home) == []


def test_the_example_sells_images_by_the_sizes_of_the_clients_guide(home: Home, settings: Settings) -> None:
    ((row, new),) = verbs.import_example(home, "image-sizes", model="lab/made-here")
    assert new
    assert row.reference == "lab/made-here/v1"
    for size, cost in SIZES.items():
        quote, *_ = verbs.quote(home, settings, "fast", Billable(images=((size, 1),)))
        assert quote.bill is not None
        assert quote.bill.cost_nano == cost, size
    with pytest.raises(AdministrationError):
        verbs.import_example(home, "none")


def test_the_catalogue_is_imported_as_it_sells(home: Home, settings: Settings) -> None:
    before = verbs.quote(home, settings, "anthropic/claude-opus-5", USED)
    imported = verbs.import_cards(home, settings)
    assert [put.row.id for put in imported.cards] == ["claude-opus-5@anthropic"]
    assert imported.unpriced == ["lab/made-here", "anthropic/claude-not-yet"]
    (after,) = verbs.quote(home, settings, "anthropic/claude-opus-5", USED)
    assert after.priced is not None
    assert (after.priced.listed, after.priced.card.id) == (False, "claude-opus-5@anthropic/v1")
    assert after.bill == before[0].bill
    assert verbs.import_cards(home, settings, ["claude-n*"]).cards == []
    assert verbs.import_cards(home, settings, provider="lab").unpriced == ["lab/made-here"]
    assert [put.new for put in verbs.import_cards(home, settings).cards] == [False]


def test_what_nobody_priced_is_seen(home: Home, settings: Settings) -> None:
    assert verbs.unpriced(home, settings) == [
        ("fast", "lab/made-here"),
        ("lab/made-here", "lab/made-here"),
        ("anthropic/claude-not-yet", "anthropic/claude-not-yet"),
    ]
    verbs.put_cards(home, CARD, model="*e*")
    assert verbs.unpriced(home, settings) == []


def test_a_quote_names_each_deployment_with_its_price(home: Home, settings: Settings) -> None:
    first, second = verbs.quote(home, settings, "fast", USED)
    assert (first.deployment, first.priced, first.bill) == ("lab/made-here", None, None)
    assert second.deployment == "anthropic/claude-opus-5"
    assert second.priced is not None
    assert second.priced.listed
    verbs.put_cards(home, CARD)
    quotes = verbs.quote(home, settings, "fast", verbs.tokens(1000, 100))
    assert [one.bill.cost_nano for one in quotes if one.bill] == [1_200_000, 1_200_000]
    with pytest.raises(AdministrationError):
        verbs.quote(home, settings, "nothing/at-all", USED)


def test_a_running_gateway_gets_the_cards_with_its_snapshot(home: Home, settings: Settings) -> None:
    assert stored_snapshot(home, settings).prices.cards == ()
    verbs.put_cards(home, CARD)
    assert [card.id for card in stored_snapshot(home, settings).prices.cards] == ["fast/v1"]


def test_only_the_operator_sets_prices(home: Home) -> None:
    owner = Actor("key:1", "owner", organisation="acme")
    with pytest.raises(Forbidden):
        verbs.put_cards(home, CARD, actor=owner)
    with pytest.raises(Forbidden):
        verbs.withdraw_card(home, "fast", actor=owner)
    assert verbs.list_cards(home) == []
