"""Modular input ``apisec_spec``; its code is lib/apisec_app/specs/."""

import sys

import import_declare_test  # noqa: F401 - puts lib/ on sys.path
from apisec_app.specs.script import SpecInput

if __name__ == "__main__":
    sys.exit(SpecInput().run(sys.argv))
