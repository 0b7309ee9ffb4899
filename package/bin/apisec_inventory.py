"""Modular input ``apisec_inventory``; its code is lib/apisec_app/refresh/."""

import sys

import import_declare_test  # noqa: F401 - puts lib/ on sys.path
from apisec_app.refresh.script import InventoryInput

if __name__ == "__main__":
    sys.exit(InventoryInput().run(sys.argv))
