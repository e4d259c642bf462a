"""curl: one streamed Chat Completions call. `-N` shows each piece as it comes."""

from shlex import quote

from anykey.clients.records import ClientRecipe, Connection, compact_json


def _lines(base_url: str, to: Connection) -> list[str]:
    body = {"model": to.model, "stream": True, "messages": [{"role": "user", "content": "hello"}]}
    url = quote(base_url + "/chat/completions")
    key = quote(f"Authorization: Bearer {to.key}")
    return [f"curl -N {url} -H {key} -H 'Content-Type: application/json' -d {quote(compact_json(body))}"]


CURL = ClientRecipe(
    id="curl",
    name="curl",
    language="shell",
    protocol="openai_chat",
    base_path="/v1",
    user_agents=("curl/",),
    lines=_lines,
)
