"""The gateway's configuration, its command, and that no key is shown."""

import tomllib
from pathlib import Path

from bench.gateway import Setup, configuration, prepare_peer, without_keys


def test_configuration_leads_each_model_to_its_protocol() -> None:
    read = tomllib.loads(configuration("http://127.0.0.1:9001"))
    assert read["models"]["bench-chat"]["deployments"] == ["chat/bench-model"]
    assert read["providers"]["chat"]["protocol"] == "openai_chat"
    assert read["providers"]["chat"]["base_url"] == "http://127.0.0.1:9001/v1"
    assert read["models"]["bench-messages"]["deployments"] == ["messages/bench-model"]
    assert read["providers"]["messages"]["protocol"] == "anthropic_messages"
    assert read["providers"]["messages"]["base_url"] == "http://127.0.0.1:9001"
    assert read["models"]["bench-responses"]["deployments"] == ["responses/bench-model"]
    assert read["providers"]["responses"]["protocol"] == "openai_responses"
    assert read["models"]["bench-gemini"]["deployments"] == ["gemini/bench-model"]
    assert read["providers"]["gemini"]["protocol"] == "gemini_generate"


def test_a_peers_command_gets_port_and_upstream(tmp_path: Path) -> None:
    setup = prepare_peer("/opt/peer --listen {port} --to '{upstream}/v1'", "k", tmp_path, "http://127.0.0.1:9")
    assert setup.name == "peer"
    assert setup.arguments(81) == ["/opt/peer", "--listen", "81", "--to", "http://127.0.0.1:9/v1"]


def test_keys_are_blotted_out() -> None:
    assert without_keys("your key: ak-abc_DEF-123, keep it") == "your key: ak-(hidden), keep it"


def test_a_setups_command_is_left_alone_without_placeholders(tmp_path: Path) -> None:
    setup = Setup("x", ("run", "{other}"), {}, tmp_path, "http://127.0.0.1:9", "k")
    assert setup.arguments(1) == ["run", "{other}"]
