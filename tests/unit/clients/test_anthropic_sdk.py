"""The snippet for the Anthropic SDK is run as printed."""

import pytest

from anykey.clients.anthropic_sdk import ANTHROPIC_SDK
from tests.unit.clients.conftest import Gateway


def test_the_base_url_has_no_version() -> None:
    lines = ANTHROPIC_SDK.connect_lines("http://127.0.0.1:4100/v1", "ak-1", "demo")
    assert lines[1] == 'client = Anthropic(base_url="http://127.0.0.1:4100", api_key="ak-1")'


def test_the_snippet_works(gateway: Gateway, capsys: pytest.CaptureFixture[str]) -> None:
    names: dict[str, object] = {}
    code = "\n".join(ANTHROPIC_SDK.connect_lines(gateway.address, gateway.key, 'a"b/c'))
    exec(compile(code + "\nclient.close()", "snippet", "exec"), names)
    assert capsys.readouterr().out == "This is anykey's demo model. You said: hello.\n"
