"""Search command ``apisecdispose``; its code is lib/apisec_app/commands.dispose.py."""

import sys

import import_declare_test  # noqa: F401 - puts lib/ on sys.path
from apisec_app.commands.dispose import ApisecDisposeCommand
from splunklib.searchcommands import dispatch

dispatch(ApisecDisposeCommand, sys.argv, sys.stdin, sys.stdout, __name__)
