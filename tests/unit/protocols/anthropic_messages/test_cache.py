import pytest

from anykey.conversation.losses import LossLog
from anykey.conversation.parts import CacheHint
from anykey.protocols.anthropic_messages.cache import CacheWriter, decode_cache


def write(hint: CacheHint, *, enabled: bool = True) -> tuple[dict[str, object], LossLog]:
    log = LossLog("request")
    block: dict[str, object] = {}
    CacheWriter(log, enabled=enabled).write(block, hint, "messages[0].parts[0]")
    return block, log


@pytest.mark.parametrize(
    "wire",
    [{"type": "ephemeral"}, {"type": "ephemeral", "ttl": "1h"}, {"type": "ephemeral", "scope": "org"}, {"type": "new"}],
)
def test_a_hint_comes_back_as_it_was(wire: dict[str, object]) -> None:
    hint = decode_cache(wire)
    assert hint is not None
    block, log = write(hint)
    assert block == {"cache_control": wire}
    assert not log.losses


def test_no_hint_is_no_hint() -> None:
    assert decode_cache(None) is None


@pytest.mark.parametrize(
    ("ttl", "sent", "kind"), [("30m", "5m", "approximated"), ("12h", "1h", "approximated"), ("2d", None, "dropped")]
)
def test_a_lifetime_of_another_protocol_is_named(ttl: str, sent: str | None, kind: str) -> None:
    block, log = write(CacheHint(ttl))
    assert block == {"cache_control": {"type": "ephemeral"} | ({"ttl": sent} if sent else {})}
    assert [(loss.kind, loss.path) for loss in log.losses] == [(kind, "messages[0].parts[0].cache.ttl")]


def test_an_upstream_without_cache_hints_gets_none() -> None:
    block, log = write(CacheHint(), enabled=False)
    assert block == {}
    assert [loss.path for loss in log.losses] == ["messages[0].parts[0].cache"]


def test_of_many_hints_the_last_tool_the_last_system_text_and_the_latest_messages_stay() -> None:
    log = LossLog("request")
    writer = CacheWriter(log, enabled=True)
    blocks: list[dict[str, object]] = []
    for region, count in (("tools", 2), ("instructions", 2), ("messages", 3)):
        writer.region = region
        for number in range(count):
            blocks.append({})
            writer.write(blocks[-1], CacheHint(), f"{region}[{number}]")
    writer.thin_out()
    assert [bool(block) for block in blocks] == [False, True, False, True, False, True, True]
    assert [loss.path for loss in log.losses] == ["tools[0].cache", "instructions[0].cache", "messages[0].cache"]
