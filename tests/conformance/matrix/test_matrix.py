"""Every cell of the matrix is a conversation on the wire; ``features`` has what is said, ``exceptions`` what cannot be."""

import os
from collections.abc import AsyncGenerator

import pytest
import pytest_asyncio

from tests.conformance.matrix.cell import Cell
from tests.conformance.matrix.exceptions import NOT_POSSIBLE, NOT_SAYABLE, not_possible, not_sayable
from tests.conformance.matrix.features import FEATURES
from tests.conformance.matrix.laboratory import PROTOCOLS, Laboratory, laboratory
from tests.conformance.matrix.table import WORDS, Place, page, places
from tests.conftest import ROOT

ALL = places(FEATURES)
HELD = [place for place in ALL if not not_sayable(place.feature, place.client, place.mode)]


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def lab(tmp_path_factory: pytest.TempPathFactory) -> AsyncGenerator[Laboratory]:
    async with laboratory(tmp_path_factory.mktemp("matrix")) as made:
        yield made


@pytest.mark.asyncio(loop_scope="session")
@pytest.mark.parametrize("place", HELD, ids="-".join)
async def test_cell(lab: Laboratory, place: Place) -> None:
    """It is carried; or it falls short where it must, and a Loss says so."""
    feature, client, upstream, mode = place
    cell = Cell(lab, client, upstream, stream=mode == "stream")
    await FEATURES[feature](cell)
    impossible = not_possible(feature, client, upstream)
    if impossible is None:
        assert not cell.short
    else:
        assert cell.short, "it is carried: the cell is possible"
        assert impossible.loss in await cell.losses()


def test_no_cell_is_left_out() -> None:
    """Every pair, feature and mode is in exactly one class, and no exception is for a cell that is not there."""
    assert len(ALL) == len(FEATURES) * 16 * 2
    excepted = {key[:2] for key in (*NOT_SAYABLE, *NOT_POSSIBLE)}
    assert excepted <= {(feature, client) for feature in FEATURES for client in PROTOCOLS}
    both = [key for key in NOT_POSSIBLE if (*key[:2], "*") in NOT_SAYABLE]
    assert not both


@pytest.mark.parametrize("language", ["en", "zh-CN"])
def test_the_reference_pages_show_this_matrix(language: str) -> None:
    """`ANYKEY_WRITE_PAGES=1 ./dev test conformance` writes them anew."""
    file = ROOT / "docs" / language / "reference" / "conformance.md"
    wanted = page(language, FEATURES)
    if os.environ.get("ANYKEY_WRITE_PAGES"):
        file.write_text(wanted, encoding="utf-8")
    assert file.read_text(encoding="utf-8") == wanted, "ANYKEY_WRITE_PAGES=1 ./dev test conformance writes it anew"


def test_every_row_has_a_name_in_both_languages() -> None:
    assert [list(words["features"]) for words in WORDS.values()] == [list(FEATURES)] * 2
