"""``python -m callcenter`` is the console script."""

import sys

from callcenter.cli import main

sys.exit(main())
