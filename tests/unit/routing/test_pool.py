"""In which order credentials are tried."""

from collections import Counter

from anykey.providers.configured import StoredCredential
from anykey.providers.secret import Secret
from anykey.routing.pool import id_of, in_order, mark_of


def credential(label: str, weight: int = 1, secret: str = "") -> StoredCredential:
    return StoredCredential(f"p#{label}", Secret(secret or label), weight)


def labels(credentials: list[StoredCredential]) -> str:
    return "".join(one.id[2:] for one in credentials)


def test_each_comes_first_by_its_weight() -> None:
    pool = [credential("a", 1), credential("b", 3)]
    first = Counter(labels(in_order(pool, roll / 1000))[0] for roll in range(1000))
    assert (first["a"], first["b"]) == (250, 750)


def test_all_are_there_once_and_every_order_comes() -> None:
    pool = [credential("a"), credential("b"), credential("c")]
    orders = Counter(labels(in_order(pool, roll / 6000)) for roll in range(6000))
    assert set(orders) == {"abc", "acb", "bac", "bca", "cab", "cba"}
    assert all(900 < count < 1100 for count in orders.values())


def test_the_same_roll_has_the_same_order() -> None:
    pool = [credential("a", 2), credential("b", 5), credential("c", 1)]
    assert in_order(pool, 0.7) == in_order(pool, 0.7)


def test_no_weight_is_last() -> None:
    pool = [credential("a", 0), credential("b", 1), credential("c", 0)]
    assert labels(in_order(pool, 0.0)) == labels(in_order(pool, 0.999999)) == "bac"
    assert labels(in_order([credential("a", 0)], 0.5)) == "a"
    assert in_order([], 0.5) == []


def test_a_changed_secret_has_another_mark() -> None:
    old, new = mark_of(credential("a", secret="one"), "p"), mark_of(credential("a", secret="two"), "p")
    assert old != new
    assert id_of(old) == id_of(new) == "p#a"
    assert "one" not in old
    assert mark_of(None, "p") == "p#none"
