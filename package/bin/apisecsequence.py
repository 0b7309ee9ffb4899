"""Search command ``apisecsequence``; its code is lib/apisec_app/commands/sequence.py."""

import sys

import import_declare_test  # noqa: F401 - puts lib/ on sys.path
from apisec_app.commands.sequence import ApisecSequenceCommand
from splunklib.searchcommands import dispatch

dispatch(ApisecSequenceCommand, sys.argv, sys.stdin, sys.stdout, __name__)
