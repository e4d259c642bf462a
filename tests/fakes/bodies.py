"""Bodies of a call that never was."""

import time
from typing import Any

from anykey.storage.exchange_bodies import ExchangeBodies

CANARY = "the canary prompt of Zürich 7f3a"


def bodies_of(**more: Any) -> ExchangeBodies:
    """Both sides of a call of key `k1` a moment ago, kept for a day, with these fields set."""
    now = int(time.time())
    said: dict[str, Any] = {
        "id": "req_1",
        "key_id": "k1",
        "organisation": "default",
        "at": now * 1000,
        "expires_at": now + 86_400,
        "status": 200,
        "content_type": "application/json",
        "request": f'{{"prompt": "{CANARY}"}}'.encode(),
        "answer": f'{{"text": "{CANARY}"}}'.encode(),
        **more,
    }
    said.setdefault("request_bytes", len(said["request"]))
    said.setdefault("answer_bytes", len(said["answer"]))
    return ExchangeBodies(**said)
