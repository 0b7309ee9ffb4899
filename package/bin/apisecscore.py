"""Search command ``apisecscore``; its code is lib/apisec_app/commands/score.py."""

import sys

import import_declare_test  # noqa: F401 - puts lib/ on sys.path
from apisec_app.commands.score import ApisecScoreCommand
from splunklib.searchcommands import dispatch

dispatch(ApisecScoreCommand, sys.argv, sys.stdin, sys.stdout, __name__)
