"""The demo plays failures on request; nobody else's calls suffer from them."""

from pathlib import Path

from tests.fakes.gateway import RunningGateway


def _asking(text: str) -> dict[str, object]:
    return {"model": "demo", "max_tokens": 64, "messages": [{"role": "user", "content": text}]}


async def test_a_failure_that_one_caller_asked_for_is_not_the_next_ones(tmp_path: Path) -> None:
    async with RunningGateway(tmp_path) as gateway:
        assert (await gateway.post("/v1/messages", _asking("fail 401"))).status == 502
        assert (await gateway.post("/v1/messages", _asking("fail 429"))).status == 429
        for _ in range(6):
            assert (await gateway.post("/v1/messages", _asking("fail 500"))).status >= 500
        assert (await gateway.post("/v1/messages", _asking("hello"))).status == 200
