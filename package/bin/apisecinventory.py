"""Search command ``apisecinventory``; its code is lib/apisec_app/commands/inventory.py."""

import sys

import import_declare_test  # noqa: F401 - puts lib/ on sys.path
from apisec_app.commands.inventory import ApisecInventoryCommand
from splunklib.searchcommands import dispatch

dispatch(ApisecInventoryCommand, sys.argv, sys.stdin, sys.stdout, __name__)
