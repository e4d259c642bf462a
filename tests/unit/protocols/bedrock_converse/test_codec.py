import pytest

from anykey.protocols.bedrock_converse.codec import CODEC
from anykey.protocols.catalog import CODECS, UPSTREAM_CODECS

URL = "https://bedrock-runtime.us-east-1.amazonaws.com/model"
ARN = "arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/abc123"


@pytest.mark.parametrize(
    ("model", "segment"),
    [
        ("us.anthropic.claude-haiku-4-5-20251001-v1:0", "us.anthropic.claude-haiku-4-5-20251001-v1%3A0"),
        (ARN, ARN.replace(":", "%3A").replace("/", "%2F")),
        ("../x?y#z", "..%2Fx%3Fy%23z"),
    ],
)
def test_the_model_is_one_segment_of_the_address(model: str, segment: str) -> None:
    assert CODEC.call_url(URL, model, stream=False) == f"{URL}/{segment}/converse"
    assert CODEC.call_url(URL, model, stream=True) == f"{URL}/{segment}/converse-stream"


def test_it_is_spoken_to_upstreams_only() -> None:
    assert UPSTREAM_CODECS[CODEC.name] is CODEC
    assert CODEC.name not in CODECS
    assert {name: UPSTREAM_CODECS[name] for name in CODECS} == dict(CODECS)
    assert CODEC.request_headers((), CODEC.dialect({}), verbatim=False) == ()
