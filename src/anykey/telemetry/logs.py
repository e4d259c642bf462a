"""Log lines for operators: one line an event, to standard error, no prompt text and no secret."""

from __future__ import annotations

import logging

FORMAT = "%(asctime)s %(levelname)s %(name)s: %(message)s"


def configure_logs(level: str = "WARNING") -> None:
    """Set up the process's logging. uvicorn's own start and access lines are left out: ``anykey up`` prints its own."""
    logging.basicConfig(level=level.upper(), format=FORMAT)
    logging.getLogger("uvicorn.access").disabled = True
    logging.getLogger("uvicorn.error").setLevel(logging.WARNING)
