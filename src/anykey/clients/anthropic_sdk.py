"""The official Anthropic Python SDK. It adds `/v1/messages` to the base URL, which therefore has no `/v1`.

Version 2 sends the key as a bearer token, version 1 as `x-api-key`; the gateway takes both.
"""

from anykey.clients.records import ClientRecipe, Connection, python_text


def _lines(base_url: str, to: Connection) -> list[str]:
    return [
        "from anthropic import Anthropic",
        f"client = Anthropic(base_url={python_text(base_url)}, api_key={python_text(to.key)})",
        "answer = client.messages.create(",
        f'    model={python_text(to.model)}, max_tokens=1024, messages=[{{"role": "user", "content": "hello"}}]',
        ")",
        "print(answer.content[0].text)",
    ]


ANTHROPIC_SDK = ClientRecipe(
    id="anthropic-python",
    name="Anthropic SDK (Python)",
    language="python",
    protocol="anthropic_messages",
    base_path="",
    user_agents=("anthropic/python", "asyncanthropic/python"),
    lines=_lines,
)
