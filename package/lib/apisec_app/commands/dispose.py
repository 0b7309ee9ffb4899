"""``apisecdispose``: says of a campaign whether it is benign, for dashboards, whose forms cannot ask REST themselves.

The app's REST API does it as the search's user, who needs the capability ``apisec_triage`` and the campaign's service.
commands.conf calls the command risky, so that no link makes anybody say what they did not mean to.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, Dict

from splunklib.binding import HTTPError
from splunklib.searchcommands import Configuration, GeneratingCommand, Option, validators

from apisec.dispositions.verdicts import SCOPES, VERDICTS

from ..records import field_of
from .read import API, problem_of

SHOWN = ("id", "service", "verdict", "reason", "author", "families", "principals", "operations", "exceptions")


class Said(validators.Validator):  # type: ignore[misc]
    """A text that says something: forms send empty ones for what nobody filled in."""

    def __call__(self, value: Any) -> Any:
        return None if value is None or not str(value).strip() else str(value).strip()

    def format(self, value: Any) -> Any:
        return value


@Configuration(type="reporting")
class ApisecDisposeCommand(GeneratingCommand):  # type: ignore[misc]
    """
    ##Syntax
    apisecdispose campaign=<id> verdict=benign|true_positive reason=<text> (scope=<scope>)? (expires=<date>)?

    ##Description
    Says of a campaign that it is benign, which makes exceptions, or true. Gives one row: what was said.

    ##Example
    | apisecdispose campaign=c-00112233445566aa verdict=benign reason="the load test of every night" scope=operation
    """

    campaign = Option(doc="**Syntax:** campaign=<id> **Description:** `campaign` of the finding.", require=True)
    verdict = Option(
        doc="**Syntax:** verdict=benign|true_positive **Description:** What it is.",
        require=True,
        validate=validators.Set(*VERDICTS),
    )
    reason = Option(
        doc="**Syntax:** reason=<text> **Description:** Why, in at least 10 characters.", require=True, validate=Said()
    )
    scope = Option(
        doc="**Syntax:** scope=principal|operation|family **Description:** Of a benign one: what is not to be found "
        "again. Default: the principals where all are known, else the operations.",
        default=None,
        validate=Said(),
    )
    expires = Option(
        doc="**Syntax:** expires=<date> **Description:** Of a benign one: the first day without the exception, such as "
        "2027-01-31. Default: in 90 days.",
        default=None,
        validate=Said(),
    )

    def generate(self) -> Iterator[Dict[str, Any]]:
        connection = self.service
        if connection is None:
            raise ValueError("apisecdispose needs the session of its search: run it in Splunk")
        if self.scope is not None and self.scope not in SCOPES:
            raise ValueError(f"apisecdispose: scope={self.scope} is none of {', '.join(SCOPES)}")
        names = ("campaign", "verdict", "reason", "scope", "expires")
        body = {name: getattr(self, name) for name in names if getattr(self, name) is not None}
        headers = [("Content-Type", "application/json")]
        try:
            answer = connection.post(f"{API}dispositions", body=json.dumps(body), headers=headers)
            said: Dict[str, Any] = json.loads(answer.body.read())
        except HTTPError as error:
            self.error_exit(error, f"apisecdispose: {problem_of(error)}")
            return
        yield {("campaign" if name == "id" else name): field_of(said.get(name)) for name in SHOWN}
