"""`anykey up` as users run it, in a process of its own."""

import asyncio
import os
import re
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path


@asynccontextmanager
async def program(
    home: Path, configuration: str, stdin: int = asyncio.subprocess.DEVNULL
) -> AsyncGenerator[tuple[asyncio.subprocess.Process, int, str]]:
    """The process, its port, and the key it shows at its first start. `stdin` may be a terminal."""
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
            while not (shown := re.search(r"http://127\.0\.0\.1:(\d+)[\s\S]*^ *(ak-\S+)$", printed, re.MULTILINE)):
                line = await process.stdout.readline()
                assert line, printed
                printed += line.decode()
        yield process, int(shown[1]), shown[2]
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()
