"""`python -m tests.fuzz MINUTES [TARGET...]`: fuzzes every target, or the named ones, for so many minutes each.

The fuzzer is libFuzzer by way of atheris, which ends the process it runs in, so each target has one of its own. What it learns
is kept in `.cache/fuzz/TARGET`; so is an input that broke a law, beside it, with the command that tries it again. Exit 1 then.
"""

import re
import subprocess
import sys
from importlib import import_module
from pathlib import Path

CACHE = Path(__file__).parents[2] / ".cache" / "fuzz"
LONGEST = 8192
_LAST = re.compile(rb"^#(\d+)\s+\w+.*cov: (\d+)", re.MULTILINE)


def fuzz(name: str, arguments: list[str]) -> None:
    """Runs one target in this process, which ends with it. ``arguments`` are libFuzzer's."""
    atheris = import_module("atheris")  # only the environment of `./dev fuzz` has it
    with atheris.instrument_imports(include=["anykey.protocols", "anykey.conversation"]):
        targets = import_module("tests.fuzz.targets")
    atheris.Setup([name, *arguments], targets.TARGETS[name])
    atheris.Fuzz()


def prepare(name: str) -> Path:
    """The folder with what is known to be interesting, and a dictionary beside it."""
    from tests.fuzz.seeds import ANSWERS, REQUESTS, STREAMS, TOKENS  # noqa: PLC0415 - not instrumented, for speed

    folder = CACHE / name
    folder.mkdir(parents=True, exist_ok=True)
    protocol, _, kind = name.partition("-")
    seeds = [b"\x00" + stream for stream in STREAMS.values()] if name == "sse" else [REQUESTS.get(protocol, b"")]
    if kind == "stream":
        seeds = [cut + STREAMS[protocol] for cut in (b"\x00", b"\x07")] + [b"\x00data: " + ANSWERS[protocol] + b"\n\n"]
    for number, seed in enumerate(seeds):
        (folder / f"seed-{number}").write_bytes(seed)
    words = {word for seed in seeds for word in re.findall(rb'"[\w.]{2,40}"', seed)} | set(TOKENS)
    spelled = ("".join(f"\\x{byte:02x}" for byte in word) for word in sorted(words))
    (CACHE / f"{name}.dict").write_text("".join(f'"{word}"\n' for word in spelled))
    return folder


def run(name: str, seconds: int) -> bool:
    """Fuzzes one target in a process of its own and prints one line. Whether all its laws held."""
    folder = prepare(name)
    command = [sys.executable, "-m", "tests.fuzz", "--one", name, str(folder), f"-dict={CACHE / name}.dict"]
    command += [f"-artifact_prefix={CACHE / name}-", f"-max_len={LONGEST}", "-rss_limit_mb=2048", "-timeout=10"]
    log = CACHE / f"{name}.log"
    with log.open("wb") as output:
        code = subprocess.run(
            [*command, f"-max_total_time={seconds}"], stdout=output, stderr=subprocess.STDOUT, check=False
        ).returncode
    progress = _LAST.findall(log.read_bytes())
    runs, reached = progress[-1] if progress else (b"0", b"0")
    held = code == 0 and int(runs) > 0
    said = "ok" if held else f"FAILED, see {log}"
    print(f"{name:<26} {int(runs):>9} inputs, {int(reached):>5} places reached  {said}", flush=True)
    return held


def main() -> None:
    """See the module."""
    if sys.argv[1:2] == ["--one"]:
        fuzz(sys.argv[2], sys.argv[3:])
        return
    minutes, *asked = sys.argv[1:] or ["1"]
    names = import_module("tests.fuzz.targets").TARGETS
    unknown = [name for name in asked if name not in names]
    if unknown or not re.fullmatch(r"\d+(\.\d+)?", minutes):
        sys.exit(f"dev: fuzz [minutes] [target...]; the targets are: {' '.join(names)}")
    held = [run(name, max(int(float(minutes) * 60), 1)) for name in asked or names]
    sys.exit(0 if all(held) else 1)


if __name__ == "__main__":
    main()
