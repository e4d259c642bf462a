"""Public models and the rewriting of names, as the file says them."""

from pathlib import Path

import pytest

from anykey.routing.configured import Rewrite, Shadow
from anykey.routing.tree import Target
from tests.unit.settings.reading import problems, read

HEAD = """\
[providers.lab]
kind = "custom"
protocol = "openai_chat"
base_url = "http://127.0.0.1:9001/v1"
"""
ENVIRON = {"ANTHROPIC_API_KEY": "sk-real-key"}


def test_everything_a_model_may_say(tmp_path: Path) -> None:
    settings = read(
        tmp_path,
        HEAD
        + """
[models."claude-*"]
deployments = ["anthropic/claude-*", { model = "lab/x-*", weight = 0, region = "mars", timeout_s = 60 }]
strategy = "weighted"
sticky = true
aliases = ["c-*"]
larger = ["lab/big", "claude-9"]
on_content_policy = ["lab/free"]
shadow = { deployment = "lab/new-*", percent = 2.5 }
hosted_tools = "reject"
""",
        ENVIRON,
    )
    (model,) = settings.models
    assert model.deployments == (
        "anthropic/claude-*",
        Target("lab", "x-*", weight=0, region="mars", timeout_s=60),
    )
    assert (model.strategy, model.sticky, model.aliases) == ("weighted", True, ("c-*",))
    assert (model.larger, model.on_content_policy) == (("lab/big", "claude-9"), ("lab/free",))
    assert (model.shadow, model.hosted_tools) == (Shadow("lab/new-*", 2.5), "reject")


@pytest.mark.parametrize(
    ("line", "key", "code"),
    [
        ("deployments = []", 'models."m".deployments', "missing"),
        ('deployments = ["x"]', 'models."m".deployments', "bad_deployment"),
        ('deployments = ["lub/x"]', 'models."m".deployments', "unknown_provider"),
        ('deployments = ["lab/x-*"]', 'models."m".deployments', "star_without"),
        ("deployments = [7]", 'models."m".deployments', "wrong_type"),
        ('deployments = [{ modle = "lab/x" }]', 'models."m".deployments.modle', "unknown_key"),
        ('deployments = [{ model = "lab/x", weight = -1 }]', 'models."m".deployments.weight', "out_of_range"),
        ('deployments = ["lab/x"]\nstrategy = "wieghted"', 'models."m".strategy', "unknown_value"),
        ('deployments = ["lab/x"]\naliases = ["a", "a"]', 'models."m".aliases', "name_taken"),
        ('deployments = ["lab/x"]\nlarger = ["nobody"]', 'models."m".larger', "unknown_model"),
        ('deployments = ["lab/x"]\nshadow = { deployment = "lab/y" }', 'models."m".shadow.percent', "missing"),
        (
            'deployments = ["lab/x"]\nshadow = { deployment = "a/y", percent = 1 }',
            'models."m".shadow',
            "unknown_provider",
        ),
    ],
)
def test_what_is_wrong_has_its_line(tmp_path: Path, line: str, key: str, code: str) -> None:
    found = problems(tmp_path, f'{HEAD}[models."m"]\n{line}\n')
    assert (5 + len(line.splitlines()), key.replace('"', ""), code) in found


def test_a_name_is_one_models_only(tmp_path: Path) -> None:
    text = '[models.a]\ndeployments = ["lab/x"]\n[models.b]\ndeployments = ["lab/x"]\naliases = ["a"]\n'
    assert problems(tmp_path, HEAD + text) == [(9, "models.b.aliases", "name_taken")]
    assert problems(tmp_path, HEAD + '[models."a*b*"]\ndeployments = ["lab/x"]\n') == [
        (5, 'models."a*b*"', "two_stars")
    ]


def test_rewrites_in_their_order(tmp_path: Path) -> None:
    text = '[[rewrites]]\nmatch = "old-(.*)"\nto = "\\\\1"\n[[rewrites]]\nmatch = "a"\nto = "b"\n'
    assert read(tmp_path, HEAD + text).routing.rewrites == (Rewrite("old-(.*)", r"\1"), Rewrite("a", "b"))


def test_wrong_rewrites_have_their_own_lines(tmp_path: Path) -> None:
    text = '[[rewrites]]\nmatch = "a"\nto = "b"\n[[rewrites]]\nmatch = "(a+)+"\nto = "b"\n[[rewrites]]\nmatch = "c"\n'
    assert problems(tmp_path, HEAD + text) == [(9, "rewrites.2.match", "bad_pattern"), (11, "rewrites.3.to", "missing")]
    assert problems(tmp_path, "rewrites = 7\n" + HEAD) == [(1, "rewrites", "wrong_type")]


def test_a_model_of_the_demo_is_public_unless_its_name_is_taken(tmp_path: Path) -> None:
    assert [model.name for model in read(tmp_path, "").models] == ["demo"]
