"""What is known of one transaction while the native engine reads it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from apisec.attacks.signals import Signal, Watch
from apisec.classification.names import NOTHING
from apisec.decoders.base import Document
from apisec.model.transaction import Transaction
from apisec.redaction.redactor import Redactor
from apisec.redaction.work import MAX_WORK, of_json
from apisec_forwarder.pipeline.messages import Coverage
from apisec_forwarder.pipeline.native.asking import Asker
from apisec_forwarder.pipeline.native.bodies import Bodies, Section
from apisec_forwarder.pipeline.native.gate import Gate
from apisec_forwarder.pipeline.native.heads import NO_EFFECT, Effect, HeadPlan
from apisec_forwarder.pipeline.native.pairs import Pairs
from apisec_forwarder.pipeline.native.plans import Member
from apisec_forwarder.pipeline.native.targets import PathPlan, Place
from apisec_forwarder.pipeline.native.walk import Reading

LIGHT = 8_192  # bytes of bodies that never meet the bound of work
ORDINARY_MEMBER = Member("", "", "", NOTHING, None, None)  # of a header that is asked for signals only


@dataclass
class Modal:
    """What reads the messages of one mode, balanced or strict."""

    asker: Asker
    text: Gate
    signals: Gate
    answers: Gate
    bodies: Bodies


def form_section(form: Pairs, whole: str, classes: Mapping[str, set[str]]) -> Section:
    """Return a form as a section; ``whole`` is its text as it came."""
    return Section(form.text(whole), form.plan.kinds, classes, sorted(set(form.objects())), "\0".join(form.shown()))


class Work:
    """What is known of one transaction so far."""

    __slots__ = (
        "agent", "answered", "base64", "body_operation", "classes", "coverage", "effect", "form", "head", "method",
        "modal", "operation", "path", "place", "places", "plan", "query", "query_text", "read_by_core", "reading",
        "redactor",
        "referrer", "response_effect", "response_head", "response_reading", "segments", "sent", "sent_type",
        "signals", "transaction", "values", "version", "watch",
    )  # fmt: skip

    def __init__(self, transaction: Transaction, place: Place, plan: PathPlan, modal: Modal, method: str) -> None:
        self.transaction = transaction
        self.place = place
        self.plan = plan
        self.modal = modal
        self.method = method
        self.operation = f"{method} {plan.template}"
        self.redactor: Redactor = modal.asker.scratch()
        self.segments: list[str] = []
        self.path = self.query_text = ""
        self.head: HeadPlan
        self.effect: Effect = NO_EFFECT
        self.response_head: HeadPlan | None = None
        self.response_effect: Effect = NO_EFFECT
        self.query: Pairs | None = None
        self.form: Pairs | None = None  # the request's body …
        self.reading: Reading | None = None  # … or this is
        self.read_by_core: Document | None = None  # … or the core has read it
        self.response_reading: Reading | None = None
        self.sent: Section | None = None
        self.answered: Section | None = None
        self.agent: str | None = None
        self.referrer: str | None = None
        self.sent_type = self.version = ""  # as the request's headers state them
        self.coverage = Coverage()
        self.values: list[str] = []  # of the heads and the query, asked together …
        self.places: list[tuple[str, Member]] = []  # … and where they stand
        self.signals: list[Signal] = []
        self.watch = Watch()
        self.body_operation: str | None = None
        self.classes: dict[str, dict[str, set[str]]] = {}  # by location and path
        self.base64: list[str] = []  # shown values that may hold text in base64


def heavy(transaction: Transaction) -> bool:
    """Return whether the bodies may take more than the core's bound of work: then it alone reads them, once."""
    bodies = [transaction.request.body.data]
    if transaction.response is not None:
        bodies.append(transaction.response.body.data)
    return sum(map(len, bodies)) > LIGHT and sum(map(of_json, bodies)) > MAX_WORK
