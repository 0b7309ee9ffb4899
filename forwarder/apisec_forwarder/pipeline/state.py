"""What is known of one transaction while the core reads it."""

from __future__ import annotations

from dataclasses import dataclass, field

from apisec.classification.overrides import Overrides
from apisec.endpoints.templating import Templated, Templates
from apisec.model.transaction import Transaction
from apisec.redaction.redactor import Forced, Part, Redactor
from apisec_forwarder.pipeline.messages import Coverage, Headed
from apisec_forwarder.pipeline.observing import Lesson
from apisec_forwarder.pipeline.shown import method_of
from apisec_forwarder.pipeline.target import Target


@dataclass
class Work:
    """What is known of one transaction so far."""

    transaction: Transaction
    redactor: Redactor
    target: Target
    service: str
    team: str
    templates: Templates
    overrides: Overrides | None = None
    coverage: Coverage = field(default_factory=Coverage)
    path: Part | None = None
    query: Part | None = None
    request_body: Part | None = None
    response_body: Part | None = None
    request_head: Headed = field(default_factory=Headed)
    response_head: Headed = field(default_factory=Headed)
    templated: Templated | None = None
    lesson: Lesson | None = None  # what the models of parameters learn of it, when the event is written
    unread_request: str = ""  # text of a request body that no decoder could read

    def forced(self, location: str) -> Forced | None:
        """Return how overrides decide about the fields of a location; None when there are none."""
        overrides, service = self.overrides, self.service
        if not overrides or self.templated is None:
            return None
        operation = f"{method_of(self.transaction.request.method)} {self.templated.template}"
        return lambda path: overrides.find(service, operation, location, path)
