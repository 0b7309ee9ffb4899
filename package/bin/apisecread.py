"""Search command ``apisecread``; its code is lib/apisec_app/commands/read.py."""

import sys

import import_declare_test  # noqa: F401 - puts lib/ on sys.path
from apisec_app.commands.read import ApisecReadCommand
from splunklib.searchcommands import dispatch

dispatch(ApisecReadCommand, sys.argv, sys.stdin, sys.stdout, __name__)
