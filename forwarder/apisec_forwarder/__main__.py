"""``python -m apisec_forwarder`` is ``apisec-forwarder``."""

from __future__ import annotations

import sys

from apisec_forwarder.cli import main

sys.exit(main())
