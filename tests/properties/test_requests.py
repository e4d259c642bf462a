"""Laws of requests: what is written is legal, and nothing gets lost that is not named."""

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from anykey.conversation.failures import FailureError
from anykey.conversation.verify import check_request
from tests.properties.equivalence import differences, essence, normal
from tests.properties.speakers import CROSSINGS, PAIRS, SPEAKERS, Speaker, check_refusal, pair_id


@pytest.mark.parametrize("speaker", SPEAKERS, ids=lambda speaker: speaker.name)
@given(data=st.data())
def test_a_request_read_written_and_read_again_is_the_same(speaker: Speaker, data: st.DataObject) -> None:
    first, _ = speaker.read(data.draw(speaker.requests))
    check_request(first)
    body, losses = speaker.codec.encode_request(first, speaker.generous)
    second = speaker.reread(body, first)
    if not losses:
        assert not differences(normal(first), normal(second))
        again, _ = speaker.codec.encode_request(second, speaker.generous)
        assert again == body


@pytest.mark.parametrize("pair", CROSSINGS, ids=pair_id)
@given(data=st.data())
def test_a_request_that_crossed_without_a_loss_comes_back_the_same(
    pair: tuple[Speaker, Speaker], data: st.DataObject
) -> None:
    source, target = pair
    first, read_losses = source.read(data.draw(source.requests))
    try:
        there, losses = target.codec.encode_request(first, target.generous)
    except FailureError as error:
        check_refusal(error.failure)
        return
    crossed = target.reread(there, first)
    if not losses and not read_losses:
        back, losses = source.codec.encode_request(crossed, source.generous)
        returned = source.reread(back, crossed)
        assert losses or not differences(essence(first), essence(returned))


@pytest.mark.parametrize("pair", PAIRS, ids=pair_id)
@given(data=st.data())
def test_a_written_request_obeys_the_rules_of_its_protocol(pair: tuple[Speaker, Speaker], data: st.DataObject) -> None:
    source, target = pair
    request, _ = source.read(data.draw(source.requests))
    dialect: Any = data.draw(target.dialects())
    try:
        body, _ = target.codec.encode_request(request, dialect)
    except FailureError as error:
        check_refusal(error.failure)
        return
    target.check_request(msgspec.json.decode(body))
