"""`python -m fastbp` is `fastbp`."""

import sys

from .cli import main

sys.exit(main())
