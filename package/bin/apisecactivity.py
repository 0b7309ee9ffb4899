"""Search command ``apisecactivity``; its code is lib/apisec_app/commands/activity.py."""

import sys

import import_declare_test  # noqa: F401 - puts lib/ on sys.path
from apisec_app.commands.activity import ApisecActivityCommand
from splunklib.searchcommands import dispatch

dispatch(ApisecActivityCommand, sys.argv, sys.stdin, sys.stdout, __name__)
