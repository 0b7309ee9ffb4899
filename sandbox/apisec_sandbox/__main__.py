"""``python -m apisec_sandbox``."""

from __future__ import annotations

import sys

from apisec_sandbox.cli import main

sys.exit(main())
