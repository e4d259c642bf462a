"""What the holder of a key may know of its money."""

from pathlib import Path

from anykey.accounts.keys import ApiKey
from anykey.accounts.purse import Budget, Purse
from anykey.administration.home import prepare_home
from anykey.administration.organisations import create_organisation
from anykey.administration.own_account import account_of_key, charge_of_key
from anykey.administration.wallets import top_up


def key_with(purse: Purse | None) -> ApiKey:
    return ApiKey(id="k", name="n", digest=b"", last4="", created_at=0, purse=purse)


def test_a_key_without_limits_has_no_account(tmp_path: Path) -> None:
    account = account_of_key(prepare_home(tmp_path), key_with(None))
    assert (account.balance, account.budgets) == (None, ())


def test_a_prepaid_key_has_its_organisations_wallet(tmp_path: Path) -> None:
    home = prepare_home(tmp_path)
    organisation = create_organisation(home, "org").id
    top_up(home, organisation, 5)
    budget = Budget("key:k:1d", "key", "k", "1d", 7)
    for prepaid, account in ((True, f"credit:{organisation}"), (False, f"postpaid:{organisation}")):
        found = account_of_key(home, key_with(Purse(organisation, None, None, account, prepaid, (budget,), (), True)))
        assert (found.balance.available_nano if found.balance else None) == (5 if prepaid else None)
        assert [(state.budget, state.spent_nano) for state in found.budgets] == [(budget, 0)]


def test_the_charge_of_another_key_is_not_there(tmp_path: Path) -> None:
    home = prepare_home(tmp_path)
    connection = home.database.connect()
    connection.execute(
        "INSERT INTO charges (id, at, state, process, key_id, organisation, account, budgets, client, client_protocol, "
        "model, reserved_nano) VALUES ('c', 1, 'open', 'p', 'k', 'o', 'credit:o', '[]', 'c', 'openai_chat', 'm', 5)"
    )
    connection.close()
    found = charge_of_key(home, "c", "k")
    assert found is not None
    assert found.reserved_nano == 5
    assert charge_of_key(home, "c", "l") is None
    assert charge_of_key(home, "d", "k") is None
