"""How hard the laws are tried: ``ANYKEY_EXAMPLES`` examples a law, 300 unless it is set.

By default the examples are the same at every run, so that a change is judged by the change alone. With ``ANYKEY_EXAMPLES`` they
are new at every run: that is the way to look for what nobody has found yet.
"""

import os

from hypothesis import HealthCheck, settings

ASKED = os.environ.get("ANYKEY_EXAMPLES")

settings.register_profile(
    "laws",
    max_examples=int(ASKED or 300),
    deadline=None,
    derandomize=ASKED is None,
    database=None,
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much],
)
settings.load_profile("laws")
