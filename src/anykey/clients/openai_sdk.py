"""The official OpenAI Python SDK. It adds `/chat/completions` to the base URL, which therefore ends in `/v1`.

Its `User-Agent` is the name of the client class, so the asynchronous and the Azure clients have their own.
"""

from anykey.clients.records import ClientRecipe, Connection, python_text


def _lines(base_url: str, to: Connection) -> list[str]:
    return [
        "from openai import OpenAI",
        f"client = OpenAI(base_url={python_text(base_url)}, api_key={python_text(to.key)})",
        "answer = client.chat.completions.create(",
        f'    model={python_text(to.model)}, messages=[{{"role": "user", "content": "hello"}}]',
        ")",
        "print(answer.choices[0].message.content)",
    ]


OPENAI_SDK = ClientRecipe(
    id="openai-python",
    name="OpenAI SDK (Python)",
    language="python",
    protocol="openai_chat",
    base_path="/v1",
    user_agents=("openai/python", "asyncopenai/python", "azureopenai/python", "asyncazureopenai/python"),
    lines=_lines,
)
