"""Search command ``apisecclassify``; its code is lib/apisec_app/commands/classify.py."""

import sys

import import_declare_test  # noqa: F401 - puts lib/ on sys.path
from apisec_app.commands.classify import ApisecClassifyCommand
from splunklib.searchcommands import dispatch

dispatch(ApisecClassifyCommand, sys.argv, sys.stdin, sys.stdout, __name__)
