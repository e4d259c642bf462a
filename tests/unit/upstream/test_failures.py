"""The tree drawn in the docstring is the tree."""

from anykey.upstream import failures
from anykey.upstream.failures import IdleTimeout, UpstreamError


def test_the_drawing_names_every_failure() -> None:
    drawn = {line.split()[1] for line in (failures.__doc__ or "").splitlines() if line.startswith(("├──", "└──"))}
    assert drawn == {kind.__name__ for kind in UpstreamError.__subclasses__()}


def test_a_failure_says_whether_a_response_had_begun() -> None:
    failure = IdleTimeout("a.test:80 was silent for 60 s", response_started=True)
    assert failure.response_started
    assert str(failure) == "a.test:80 was silent for 60 s"
