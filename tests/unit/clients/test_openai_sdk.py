"""The snippet for the OpenAI SDK is run as printed."""

import pytest

from anykey.clients.openai_sdk import OPENAI_SDK
from tests.unit.clients.conftest import Gateway


def test_the_base_url_ends_in_the_version() -> None:
    lines = OPENAI_SDK.connect_lines("http://127.0.0.1:4100", "ak-1", "demo")
    assert lines[1] == 'client = OpenAI(base_url="http://127.0.0.1:4100/v1", api_key="ak-1")'


def test_the_snippet_works(gateway: Gateway, capsys: pytest.CaptureFixture[str]) -> None:
    names: dict[str, object] = {}
    code = "\n".join(OPENAI_SDK.connect_lines(gateway.address, gateway.key, 'a"b/c'))
    exec(compile(code + "\nclient.close()", "snippet", "exec"), names)
    assert capsys.readouterr().out == "This is anykey's demo model. You said: hello.\n"
