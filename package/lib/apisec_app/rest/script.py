"""The process that splunkd keeps for /services/apisec/v1 (restmap.conf, scripttype = persist)."""

from __future__ import annotations

import json
import time
from typing import Any, Dict, Union

from apisec.http.problem import Problem

from ..access import caller_of
from ..connection import connect
from ..logs import logger_of
from .app import Application, of_problem
from .audit import Audit
from .resources import TABLE


def application() -> Application:
    """Return the API with its real connections, clock and logs."""
    log = logger_of("rest")
    return Application(TABLE, connect, caller_of, time.time, log, Audit(logger_of("audit"), log))


class Script:
    """Answers requests as splunkd hands them over: one JSON object each, as text or bytes."""

    def __init__(self) -> None:
        self._application = application()

    def handle(self, in_string: Union[str, bytes]) -> Dict[str, Any]:
        try:
            request = json.loads(in_string)
        except ValueError:
            return of_problem(Problem(400, "", "splunkd sent what is no JSON", "Report this."))
        return self._application.answer(request)
