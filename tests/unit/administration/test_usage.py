"""Usage as an operator asks for it: periods, keys by name."""

import time
from pathlib import Path

import pytest

from anykey.administration.errors import AdministrationError
from anykey.administration.home import Home, prepare_home
from anykey.administration.keys import create_key
from anykey.administration.usage import begin_of, offset_of, recent, usage_filter, usage_question
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


def test_a_key_is_meant_by_its_name(home: Home) -> None:
    key_id = create_key(home, "other").key.id
    assert recent(home, 10, usage_filter(home, "all", key="other")) == []
    question = usage_question(home, (5, None), where={"key": ("other",), "model": ()}, metadata=["team=a=b"])
    assert question.where == (("key", (key_id,)), ("metadata.team", ("a=b",)))
    assert question.since_ms == 5


@pytest.mark.parametrize("pair", ["team", "=x", ""])
def test_what_is_no_pair_is_refused(home: Home, pair: str) -> None:
    with pytest.raises(AdministrationError) as refused:
        usage_question(home, (0, None), metadata=[pair])
    assert refused.value.code == "usage.bad_pair"


@pytest.mark.parametrize(("text", "minutes"), [("UTC", 0), ("z", 0), ("+08:00", 480), ("-3", -180), ("+5:30", 330)])
def test_offsets(text: str, minutes: int) -> None:
    assert offset_of(text) == minutes * 60_000


@pytest.mark.parametrize("text", ["", "8", "+15", "+08:60", "Europe/Berlin", "+0800"])
def test_what_is_no_offset_is_refused(text: str) -> None:
    with pytest.raises(AdministrationError) as refused:
        offset_of(text)
    assert refused.value.code == "usage.bad_timezone"


def test_a_period_ends_now() -> None:
    assert begin_of("all") == 0
    assert abs(begin_of("2h") - (time.time() - 7200) * 1000) < 5000


def test_an_unknown_key_is_refused(home: Home) -> None:
    with pytest.raises(AdministrationError):
        usage_filter(home, "all", key="nobody")
