"""The default number of examples is the law's budget; see `budget.py`."""

from hypothesis import HealthCheck, settings

from tests.properties.budget import ASKED, EXAMPLES

settings.register_profile(
    "laws",
    max_examples=EXAMPLES,
    deadline=None,
    derandomize=ASKED is None,
    database=None,
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much],
)
settings.load_profile("laws")
