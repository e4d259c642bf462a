"""What is known of models and credentials that nobody asks about any more."""

from anykey.conversation.failures import Failure
from anykey.exchange.wellbeing import Wellbeing
from anykey.routing.health import FAILURES_IN_A_ROW, OPEN_MOST_S, QUOTA_MOST_S, REFUSED_S, WINDOW_S
from anykey.storage.health import HealthRow

DOWN = Failure("upstream_error", "it fell over", upstream_status=500)
REFUSED = Failure("upstream_refused_credential", "The credential was refused.", upstream_status=401)


class Silent:
    """A database in which nobody says anything."""

    author = "me"

    def put(self, row: HealthRow) -> None:
        """Nobody reads it."""

    def drop(self, deployment: str, credential: str) -> None:
        """Nobody reads it."""

    def written(self) -> frozenset[tuple[str, str]]:
        return frozenset()

    def look(self) -> list[HealthRow] | None:
        return None


class Lab:
    def __init__(self) -> None:
        self.now = 1000.0
        self.being = Wellbeing(lambda: self.now, lambda: self.now, lambda _: (), Silent(), lambda: 0.0)

    def fail(self, pair: tuple[str, str], failure: Failure, times: int = 1) -> None:
        for _ in range(times):
            self.being.failed(pair, self.being.enter(pair), failure, choice=True)

    def well_after(self, seconds: float) -> bool:
        self.now += seconds
        self.being.end("lab/other") if self.being.begin("lab/other") else None
        return self.being.all_well


def test_names_that_callers_made_up_do_not_keep_the_gateway_on_its_guard() -> None:
    lab = Lab()
    for number in range(50):
        lab.fail((f"lab/made-up-{number}", "lab#a 1"), DOWN)
    lab.fail(("lab/down", "lab#a 1"), DOWN, FAILURES_IN_A_ROW)
    assert not lab.well_after(WINDOW_S + 1)  # one circuit is open yet
    assert lab.well_after(OPEN_MOST_S * 2)


def test_a_credential_that_was_replaced_is_forgotten() -> None:
    lab = Lab()
    lab.fail(("lab/m", "lab#a old"), REFUSED)
    assert not lab.well_after(REFUSED_S + 1)
    assert lab.well_after(QUOTA_MOST_S)
