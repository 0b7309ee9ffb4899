"""``python -m apisec_ml`` is ``apisec-ml``."""

import sys

from apisec_ml.cli import main

if __name__ == "__main__":
    sys.exit(main())
