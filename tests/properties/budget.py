"""How hard the laws are tried: ``ANYKEY_EXAMPLES`` examples a law, 250 unless it is set.

By default the examples are the same at every run, so that a change is judged by the change alone. With ``ANYKEY_EXAMPLES`` they
are new at every run: that is the way to look for what nobody has found yet.
"""

import os

ASKED = os.environ.get("ANYKEY_EXAMPLES")
EXAMPLES = int(ASKED or 250)
A_THIRD = max(EXAMPLES // 3, 1)
"""For laws that try every place of each example."""
