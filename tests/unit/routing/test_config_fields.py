"""The single members of a config's nodes."""

import pytest

from anykey.protocols.fields import Fields
from anykey.routing.config_fields import (
    ConfigError,
    read_overrides,
    read_provider,
    read_retry,
    read_timeout_s,
    whole_weights,
)
from anykey.routing.tree import Retry


def test_a_model_of_its_own_goes_before_the_overridden_one() -> None:
    model, overrides = read_overrides(Fields({"model": "a", "override_params": {"model": "b", "n": [1, {"x": None}]}}))
    assert (model, overrides) == ("a", {"n": b'[1,{"x":null}]'})


def test_absent_members() -> None:
    nothing = Fields({})
    assert read_overrides(nothing) == (None, {})
    assert read_provider(nothing) is read_retry(nothing) is read_timeout_s(nothing) is None


def test_retry_without_attempts_is_none() -> None:
    assert read_retry(Fields({"retry": {"on_status_codes": [500]}})) == Retry(0, frozenset({500}))


@pytest.mark.parametrize("weight", [True, "1", -0.1, 1e9, [1]])
def test_weights_are_numbers(weight: object) -> None:
    with pytest.raises(ConfigError, match="number"):
        whole_weights([weight], [Fields({}, "targets[0]")])
