"""Search command ``apisecabout``; its code is lib/apisec_app/commands/about.py."""

import sys

import import_declare_test  # noqa: F401 - puts lib/ on sys.path
from apisec_app.commands.about import ApisecAboutCommand
from splunklib.searchcommands import dispatch

dispatch(ApisecAboutCommand, sys.argv, sys.stdin, sys.stdout, __name__)
