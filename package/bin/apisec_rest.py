"""REST endpoint /services/apisec/v1; its code is lib/apisec_app/rest/."""

import import_declare_test  # noqa: F401 - puts lib/ on sys.path
from apisec_app.rest.script import Script
from splunk.persistconn.application import PersistentServerConnectionApplication


class Handler(PersistentServerConnectionApplication):
    def __init__(self, _command_line, _command_arg):
        super().__init__()
        self._script = Script()

    def handle(self, in_string):
        return self._script.handle(in_string)
