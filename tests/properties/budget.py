"""How hard the laws are tried: ``ANYKEY_EXAMPLES`` examples a law, 80 unless it is set.

By default the examples are the same at every run, so that a change is judged by the change alone. With ``ANYKEY_EXAMPLES`` they
are new at every run: that is the way to look for what nobody has found yet.
"""

import os

ASKED = os.environ.get("ANYKEY_EXAMPLES")
EXAMPLES = int(ASKED or 80)
A_THIRD = max(EXAMPLES // 3, 1)
"""For laws that try every place of each example."""
MANY = max(EXAMPLES * 40, 10_000)
"""For laws that are cheap to try: forty times as many, and no fewer than 10,000."""
