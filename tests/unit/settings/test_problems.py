"""Problems say where they are, and all of them are said."""

from anykey.settings.problems import SENTENCES, Problem, SettingsError, hint, listed


def test_a_problem_as_a_sentence() -> None:
    problem = Problem("a.toml", 3, "server.port", "settings.wrong_type", {"expected": "a number", "found": "a text"})
    assert str(problem) == "a.toml:3: server.port: must be a number, but is a text"


def test_without_line_or_key() -> None:
    problem = Problem("a.toml", 0, "", "settings.unreadable", {"reason": "gone"})
    assert str(problem) == "a.toml: the file cannot be read: gone"


def test_an_error_holds_all_in_the_order_of_the_file() -> None:
    error = SettingsError([Problem("f", line, "k", "settings.missing") for line in (9, 2)])
    assert [problem.line for problem in error.problems] == [2, 9]
    assert str(error) == "f:2: k: this key is needed here\nf:9: k: this key is needed here"


def test_hint_is_for_near_misses_only() -> None:
    assert hint("prot", ["host", "port"]) == ", did you mean 'port'?"
    assert hint("zzz", ["host", "port"]) == ""


def test_listed() -> None:
    assert listed(["a", "b"]) == "a, b"
    assert listed([]) == "nothing"


def test_codes_are_in_one_family() -> None:
    assert all(code.startswith("settings.") for code in SENTENCES)
