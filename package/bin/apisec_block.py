"""Alert action ``apisec_block``; its code is lib/apisec_app/blocking/."""

import sys

import import_declare_test  # noqa: F401 - puts lib/ on sys.path
from apisec_app.blocking.script import main

if __name__ == "__main__":
    sys.exit(main(sys.argv, sys.stdin))
