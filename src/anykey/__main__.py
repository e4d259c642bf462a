"""`python -m anykey` is the `anykey` command."""

import sys

from anykey.cli.main import main

sys.exit(main())
