"""What the crash tests come to: a line for each form, and one for all."""

from typing import NamedTuple

from tests.crash.oracle import Verdict

RECOVERY_MOST_S = 5.0


class Form(NamedTuple):
    """One way of failing, and what came of it. `recoveries_s`: from the start of what was ended until it answers and nothing of
    its calls is open."""

    name: str
    kills: int
    requests: int
    verdict: Verdict
    recoveries_s: tuple[float, ...]

    @property
    def recovery_max_s(self) -> float:
        """The slowest recovery."""
        return max(self.recoveries_s, default=0.0)


def form_line(form: Form) -> str:
    """One row of the table."""
    verdict = form.verdict
    return (
        f"{form.name:<34} {form.kills:>5} kills {form.requests:>7,} requests {verdict.settled:>7,} settled"
        f" {verdict.unknown:>5,} unknown  lost {len(verdict.lost)}  doubled {len(verdict.doubled)}"
        f"  wrong {len(verdict.wrong)}  recovery max {form.recovery_max_s:.1f} s"
    )


def total_line(forms: list[Form]) -> str:
    """The line that says it all."""
    lost = sum(len(form.verdict.lost) for form in forms)
    doubled = sum(len(form.verdict.doubled) for form in forms)
    wrong = sum(len(form.verdict.wrong) for form in forms)
    return (
        f"kills {sum(form.kills for form in forms)}, requests {sum(form.requests for form in forms):,},"
        f" lost {lost}, doubled {doubled}, wrong amounts {wrong},"
        f" recovery max {max((form.recovery_max_s for form in forms), default=0.0):.1f} s"
    )


def problems(form: Form) -> list[str]:
    """What breaks the promise, a sentence each; none when it was kept."""
    found = [f"lost: {text}" for text in form.verdict.lost]
    found += [f"doubled: {text}" for text in form.verdict.doubled]
    found += [f"wrong: {text}" for text in form.verdict.wrong]
    if form.recovery_max_s > RECOVERY_MOST_S:
        found.append(f"{form.name}: a recovery took {form.recovery_max_s:.1f} s")
    return found
