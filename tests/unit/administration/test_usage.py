"""Usage as an operator asks for it: periods, keys by name."""

import time
from pathlib import Path

import pytest

from anykey.administration.errors import AdministrationError
from anykey.administration.home import Home, prepare_home
from anykey.administration.keys import create_key
from anykey.administration.usage import recent, totals, usage_filter
from anykey.storage.records import ExchangeRow
from anykey.storage.writer import ExchangeWriter


@pytest.fixture
async def home(tmp_path: Path) -> Home:
    home = prepare_home(tmp_path)
    key_id = create_key(home, "ci").key.id
    now = int(time.time() * 1000)
    writer = ExchangeWriter(home.database)
    for number, (age_h, key) in enumerate([(0.1, key_id), (30, key_id), (200, "gone")]):
        writer.record(
            ExchangeRow(
                id=f"r{number}",
                at=now - int(age_h * 3_600_000),
                key_id=key,
                client="c",
                client_protocol="openai_chat",
                model_asked="m",
                stream=False,
                attempts=1,
                status=200,
                total_ms=1,
            )
        )
    await writer.aclose()
    return home


@pytest.mark.parametrize(
    ("since", "ids"),
    [("30m", ["r0"]), ("24h", ["r0"]), ("2d", ["r0", "r1"]), ("1w", ["r0", "r1"]), ("all", ["r0", "r1", "r2"])],
)
def test_periods(home: Home, since: str, ids: list[str]) -> None:
    assert [row.id for row in recent(home, 10, usage_filter(home, since))] == ids


@pytest.mark.parametrize("since", ["", "7", "d", "-1d", "1y", "7d ", "1.5h", "9999999d"])
def test_what_is_no_period_is_refused(home: Home, since: str) -> None:
    with pytest.raises(AdministrationError) as refused:
        usage_filter(home, since)
    assert refused.value.code == "usage.bad_since"


def test_a_key_is_meant_by_its_name_and_shown_with_it(home: Home) -> None:
    key_id = create_key(home, "other").key.id
    assert recent(home, 10, usage_filter(home, "all", key="other")) == []
    groups = [total.group for total in totals(home, "key", usage_filter(home, "all"))]
    assert groups[0].startswith("ci (")
    assert groups[1] == "gone"
    assert key_id not in str(groups)


def test_an_unknown_key_is_refused(home: Home) -> None:
    with pytest.raises(AdministrationError):
        usage_filter(home, "all", key="nobody")
