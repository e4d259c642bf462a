"""The gateway under measurement: `anykey up` with a configuration, a home and a key of its own, or a peer's command."""

import json
import os
import re
import shlex
import subprocess
import sys
import time
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.calls import MODELS, Call
from bench.replies import MODEL
from bench.target import NotStarted, Target, free_port, stop, wait_for_answer

_UPSTREAM_KEY_NAME = "BENCH_UPSTREAM_KEY"
PAYER, PLENTY_USD = "payer", "1000000"
CARD = {"model": "bench-*", "input": "3", "cache_read": "0.3", "output": "15"}
KEYS: dict[str, tuple[str, ...]] = {
    "bench": (),
    "metered": (
        *("--organisation", PAYER, "--budget", f"5h={PLENTY_USD}", "--budget", f"lifetime={PLENTY_USD}"),
        *("--rpm", "100000000", "--tpm", "100000000000", "--concurrency", "100000"),
    ),
}
"""The options of each key: one without any limit, one with every kind, none of which is ever reached."""
_KEY = re.compile(r"ak-[\w-]+")
_CONFIGURATION = """\
[providers.chat]
kind = "custom"
protocol = "openai_chat"
base_url = "{origin}/v1"
api_key = {{ env = "{key}" }}

[providers.messages]
kind = "custom"
protocol = "anthropic_messages"
base_url = "{origin}"
api_key = {{ env = "{key}" }}

[providers.responses]
kind = "custom"
protocol = "openai_responses"
base_url = "{origin}/v1"
api_key = {{ env = "{key}" }}

[providers.gemini]
kind = "custom"
protocol = "gemini_generate"
base_url = "{origin}"
api_key = {{ env = "{key}" }}
"""
_MODEL = """
[models."{name}"]
deployments = ["{provider}/{model}"]
"""


def configuration(origin: str) -> str:
    """anykey.toml: the fake upstream four times, once for each protocol it speaks."""
    models = "".join(_MODEL.format(name=name, provider=provider, model=MODEL) for provider, name in MODELS.items())
    return _CONFIGURATION.format(origin=origin, key=_UPSTREAM_KEY_NAME) + models


@dataclass(frozen=True, slots=True)
class Setup:
    """What it takes to start one gateway again and again.

    `command` may hold {port} and {upstream} (the fake upstream's origin). `metered_key` has limits and pays from a wallet; a
    peer has none. Both keys are secrets: never print them.
    """

    name: str
    command: tuple[str, ...]
    environment: dict[str, str]
    folder: Path
    origin: str
    key: str
    metered_key: str | None = None

    def arguments(self, port: int) -> list[str]:
        """The command for this port."""
        return [part.replace("{port}", str(port)).replace("{upstream}", self.origin) for part in self.command]


def prepare(folder: Path, origin: str) -> Setup:
    """Writes the configuration in `folder`, makes the keys there, one of them with limits and a wallet, and says how to start it.

    The gateway sees no variable of the caller's shell but PATH, so no real credential gets into the run. Raises
    NotStarted when the keys cannot be made.
    """
    anykey = str(Path(sys.executable).with_name("anykey"))
    (folder / "anykey.toml").write_text(configuration(origin))
    environment = {
        "PATH": os.environ.get("PATH", ""),
        "HOME": str(folder),
        "ANYKEY_HOME": str(folder / "home"),
        _UPSTREAM_KEY_NAME: "bench",
    }
    command = (anykey, "up", "--config", str(folder / "anykey.toml"), "--port", "{port}")
    card = folder / "card.json"
    card.write_text(json.dumps(CARD))
    for words in (
        ("rate-cards", "put", str(card)),
        ("organisations", "create", PAYER, "--prepaid"),
        ("wallets", "topup", PAYER, PLENTY_USD),
    ):
        _anykey(anykey, words, environment)
    plain, metered = (_create_key(anykey, name, environment) for name in KEYS)
    return Setup("anykey", command, environment, folder, origin, plain, metered)


def prepare_peer(command: str, key: str, folder: Path, origin: str) -> Setup:
    """Another gateway, started by `command` in the caller's environment, called with `key`.

    Its own configuration must lead the models bench-chat, bench-messages … to the fake upstream.
    """
    arguments = tuple(shlex.split(command))
    return Setup(Path(arguments[0]).name, arguments, dict(os.environ), folder, origin, key)


def _create_key(anykey: str, name: str, environment: dict[str, str]) -> str:
    told = _anykey(anykey, ("keys", "create", "--name", name, *KEYS[name], "--json"), environment)
    try:
        return json.loads(told)["key"]
    except (ValueError, KeyError) as error:
        raise NotStarted(f"anykey keys create: {type(error).__name__}") from error


def _anykey(anykey: str, words: tuple[str, ...], environment: dict[str, str]) -> str:
    """Run one command: what it printed. Raises NotStarted when it fails."""
    what = " ".join(("anykey", *words[:2]))
    try:
        ended = subprocess.run(
            [anykey, *words], env=environment, capture_output=True, text=True, timeout=30, check=True
        )
    except subprocess.CalledProcessError as error:
        raise NotStarted(f"{what}: {without_keys(error.stderr)[-500:]}") from error
    except OSError as error:
        raise NotStarted(f"{what}: {type(error).__name__}") from error
    return ended.stdout


def without_keys(text: str) -> str:
    """The text with every key of ours blotted out."""
    return _KEY.sub("ak-(hidden)", text)


@contextmanager
def running_gateway(setup: Setup, call: Call) -> Generator[tuple[Target, float]]:
    """Starts the gateway, and gives it with the seconds from its start to the first 200 for `call`.

    Raises NotStarted, with the end of what the gateway printed, when there is none within 20 s.
    """
    port = free_port()
    log = setup.folder / "gateway.log"
    with log.open("wb") as output:
        started = time.perf_counter()
        process = subprocess.Popen(
            setup.arguments(port), env=setup.environment, cwd=setup.folder, stdout=output, stderr=output
        )
    try:
        wait_for_answer(process, port, call)
        start_s = time.perf_counter() - started
        yield Target(setup.name, process.pid, port), start_s
    except NotStarted as error:
        said = without_keys(log.read_text(errors="replace")[-1000:])
        raise NotStarted(f"{setup.name}: {without_keys(str(error))}\n{said}") from error
    finally:
        stop(process)
