"""Search command ``apisecspec``; its code is lib/apisec_app/commands/spec.py."""

import sys

import import_declare_test  # noqa: F401 - puts lib/ on sys.path
from apisec_app.commands.spec import ApisecSpecCommand
from splunklib.searchcommands import dispatch

dispatch(ApisecSpecCommand, sys.argv, sys.stdin, sys.stdout, __name__)
