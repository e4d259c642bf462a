"""`anykey up` as users run it, in a process of its own."""

import asyncio
import os
import re
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

_ADDRESS = r"http://127\.0\.0\.1:(\d+)"
_FIRST_START = _ADDRESS + r"[\s\S]*^ *(ak-\S+)$"


@asynccontextmanager
async def program(
    home: Path, configuration: str, stdin: int = asyncio.subprocess.DEVNULL, key: str | None = None
) -> AsyncGenerator[tuple[asyncio.subprocess.Process, int, str]]:
    """The process, its port, and the key it shows at its first start. `stdin` may be a terminal. `key`: it is not the first
    start on this home, and that is the key."""
    file = home / "anykey.toml"
    file.write_text(configuration)
    environ = {**os.environ, "ANYKEY_HOME": str(home / "home"), "LAB_KEY": "lab-secret"}
    arguments = ("-m", "anykey", "up", "--config", str(file), "--port", "0")
    process = await asyncio.create_subprocess_exec(
        sys.executable, *arguments, env=environ, stdin=stdin, stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    try:
        printed = ""
        async with asyncio.timeout(10):
            while not (shown := re.search(_FIRST_START if key is None else _ADDRESS, printed, re.MULTILINE)):
                line = await process.stdout.readline()
                assert line, printed
                printed += line.decode()
        yield process, int(shown[1]), key or shown[2]
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()
