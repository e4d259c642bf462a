import pytest

from anykey.protocols.anthropic_messages.client_tools import client_tool


@pytest.mark.parametrize(
    ("kind", "fields"),
    [
        ("bash_20250124", {"command", "restart"}),
        (
            "text_editor_20250728",
            {"command", "path", "view_range", "file_text", "old_str", "new_str", "insert_line", "insert_text"},
        ),
        ("memory_20250818", {"old_path", "new_path"}),
    ],
)
def test_a_tool_has_the_fields_of_its_calls(kind: str, fields: set[str]) -> None:
    tool = client_tool(kind)
    assert tool is not None
    assert fields <= set(tool.parameters["properties"])


def test_only_the_older_editor_undoes() -> None:
    def commands(kind: str) -> list[str]:
        tool = client_tool(kind)
        assert tool is not None
        return tool.parameters["properties"]["command"]["enum"]

    assert "undo_edit" in commands("text_editor_20250124")
    assert "undo_edit" not in commands("text_editor_20250429")


@pytest.mark.parametrize("kind", ["web_search_20250305", "code_execution_20250825", "computer_20250124", "bash", ""])
def test_what_the_provider_runs_is_none_of_them(kind: str) -> None:
    assert client_tool(kind) is None
