"""`./dev test` runs every suite there is, and CI runs `./dev test`."""

import re
import shutil
import subprocess

from tests.architecture.sources import ROOT, python_files

DEV = (ROOT / "dev").read_text(encoding="utf-8")


def suites() -> set[str]:
    """The suites that `./dev test` runs."""
    line = re.search(r'^suites="([a-z ]+)"$', DEV, re.MULTILINE)
    assert line
    return set(line.group(1).split())


def test_every_folder_with_tests_is_a_suite() -> None:
    folders = {
        path.relative_to(ROOT / "tests").parts[0] for path in python_files("tests") if path.name.startswith("test_")
    }
    assert folders == suites()


def test_help_names_every_suite() -> None:
    shown = subprocess.run([ROOT / "dev", "help"], capture_output=True, text=True, check=True).stdout
    assert all(f" {suite}" in shown for suite in suites() | {"lint"})


def test_dev_is_a_posix_script() -> None:
    assert DEV.startswith("#!/bin/sh\n")
    shell = shutil.which("dash") or "sh"
    subprocess.run([shell, "-n", ROOT / "dev"], check=True)


def test_an_unknown_suite_or_verb_is_refused_before_anything_is_made() -> None:
    for arguments, said in ((["test", "nonsense"], "no suite 'nonsense'"), (["nonsense"], "no verb 'nonsense'")):
        refused = subprocess.run([ROOT / "dev", *arguments], capture_output=True, text=True, check=False)
        assert refused.returncode == 1
        assert said in refused.stderr


def test_ci_runs_the_tests_and_nothing_else() -> None:
    commands = [
        line
        for line in (ROOT / ".ci" / "run").read_text(encoding="utf-8").splitlines()
        if line and not line.startswith(("#", "set "))
    ]
    assert commands == ['exec sh "$(dirname -- "$0")/../dev" test']
