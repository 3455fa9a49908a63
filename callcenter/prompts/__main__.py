"""``python -m callcenter.prompts``: the same as ``callcenter prompts``."""

import sys

from callcenter.prompts.command import main

sys.exit(main())
