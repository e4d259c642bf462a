"""What the usage that upstreams report teaches about the estimate."""

from anykey.exchange.calibration import FIRST_SAMPLES, MOST_DEPLOYMENTS, MOST_TRIES, ONE_IN, Calibration


def test_the_first_calls_are_all_estimated_then_one_in_some() -> None:
    calibration = Calibration()
    for _ in range(FIRST_SAMPLES):
        assert calibration.wants("lab/m")
        calibration.learn("lab/m", 100, 120)
    assert sum(calibration.wants("lab/m") for _ in range(10 * ONE_IN)) == 10
    assert calibration.wants("lab/other")


def test_the_factor_is_the_mean_then_a_moving_average() -> None:
    calibration = Calibration()
    assert calibration.factor("lab/m") is None
    calibration.learn("lab/m", 100, 120)
    assert calibration.factor("lab/m") == 1.2
    calibration.learn("lab/m", 100, 100)
    assert round(calibration.factor("lab/m") or 0, 6) == 1.1
    for _ in range(200):
        calibration.learn("lab/m", 100, 150)
    assert abs((calibration.factor("lab/m") or 0) - 1.5) < 0.01
    calibration.learn("lab/m", 100, 100)
    assert (calibration.factor("lab/m") or 0) > 1.45  # one answer does not turn it


def test_what_counted_something_else_teaches_nothing() -> None:
    calibration = Calibration()
    for estimated, counted in ((100, 0), (100, 5000), (1000, 100), (5, 7)):
        calibration.learn("lab/m", estimated, counted)
    assert calibration.factor("lab/m") is None


def test_names_of_callers_cannot_fill_it() -> None:
    calibration = Calibration()
    calibration.wants("lab/m")
    calibration.learn("lab/m", 100, 200)
    for number in range(MOST_DEPLOYMENTS - 1):
        calibration.wants(f"lab/{number}")
    assert calibration.factor("lab/m") == 2.0
    calibration.wants("lab/one too many")
    assert calibration.factor("lab/m") is None


def test_a_deployment_that_reports_nothing_to_compare_with_is_not_estimated_each_time() -> None:
    calibration = Calibration()
    for _ in range(MOST_TRIES):
        assert calibration.wants("a/b")
        calibration.learn("a/b", 10_000, 20)
    assert sum(calibration.wants("a/b") for _ in range(ONE_IN * 4)) == 4
