"""The LiteLLM proxy configuration of a public client guide, taken over: two models that answer over OpenAI's SDK.

The guide's own text is read where it lies beside the checkout; its address and key are replaced by those of a fake upstream.
"""

import asyncio
import os
import re
import sys
from pathlib import Path

import pytest
from openai import AsyncOpenAI

from tests.conftest import ROOT
from tests.fakes.answers import CHAT, whole
from tests.fakes.program import program
from tests.fakes.wire import RecordedCall, WireConnection, WireServer

GUIDES = ROOT.parent / "shared" / "seeds"
KEY = "sk-of-the-fake-0123456789"
MODELS = ("gpt-5.4", "gpt-5.5")


def guide() -> str:
    """The `model_list` of the guide, indented again as YAML: the page's text has lost that."""
    (file,) = GUIDES.glob("002*")
    text = file.read_text(encoding="utf-8")
    block = text[text.index("model_list:\n") :]
    lines = block[: block.index("pip install")].splitlines()
    fields = ("model:", "api_base:", "api_key:")
    return "\n".join(
        "    " + line if line.startswith(fields) else "  " + line if line.startswith("litellm_params:") else line
        for line in lines
    )


async def anykey(home: Path, *arguments: str) -> tuple[int, str]:
    """The exit code and what was printed."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "anykey",
        *arguments,
        env={**os.environ, "ANYKEY_HOME": str(home / "home"), "ANYKEY_LANG": "en"},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    out, _ = await process.communicate()
    return process.returncode or 0, out.decode()


@pytest.mark.corpus
async def test_both_models_answer_after_the_import(tmp_path: Path) -> None:
    async def script(_: RecordedCall, connection: WireConnection) -> None:
        await connection.json(200, whole(CHAT))

    async with WireServer(script) as upstream:
        config = re.sub(r"api_base: .*", f"api_base: {upstream.url}/v1", guide())
        (tmp_path / "config.yaml").write_text(re.sub(r"api_key: .*", f"api_key: {KEY}", config))
        code, printed = await anykey(tmp_path, "import", "litellm", str(tmp_path / "config.yaml"))
        assert code == 0, printed
        assert KEY not in printed
        written = (tmp_path / "home" / "anykey.toml").read_text()
        code, printed = await anykey(tmp_path, "import", "litellm", str(tmp_path / "config.yaml"))
        assert code == 0, printed
        assert (tmp_path / "home" / "anykey.toml").read_text() == written
        async with program(tmp_path, written) as (_, port, key):
            client = AsyncOpenAI(base_url=f"http://127.0.0.1:{port}/v1", api_key=key, max_retries=0, timeout=10)
            for model in MODELS:
                answer = await client.chat.completions.create(model=model, messages=[{"role": "user", "content": "hi"}])
                assert answer.choices[0].message.content == whole(CHAT)["choices"][0]["message"]["content"]
            await client.close()
    assert [call.json()["model"] for call in upstream.calls if call.method == "POST"] == list(MODELS)
    assert {call.header("authorization") for call in upstream.calls} == {f"Bearer {KEY}"}
