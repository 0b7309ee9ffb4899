"""Which engine makes the events: the native one where its wheels are there, else the core alone."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Protocol

from apisec.detectors.engine import prepare
from apisec.errors import ApisecError
from apisec.model.event import Event
from apisec.model.transaction import Transaction
from apisec.parameters import Book
from apisec.redaction.keys import Tokenizer
from apisec_forwarder.pipeline.envelope import dump, envelope
from apisec_forwarder.pipeline.pipeline import Pipeline, Vault
from apisec_forwarder.pipeline.settings import PipelineSettings
from apisec_forwarder.pipeline.warm import warm

AUTO, PURE, NATIVE = ENGINES = ("auto", "pure", "native")
WHEELS = ("hyperscan", "orjson")


class Engine(Protocol):
    """Makes events and their envelopes; ``lanes`` counts which way transactions took."""

    name: str
    lanes: dict[str, int]
    last_coverage: str
    last_blocked: bool

    def process(self, transaction: Transaction) -> Event:
        """Return the event of a transaction; never raises."""
        ...

    def record(self, transaction: Transaction) -> bytes:
        """Return the HEC envelope of a transaction's event; never raises. Sets what was last."""
        ...

    def learn(self, book: Book | None) -> None:
        """Take the models of parameters that are asked and taught from now on."""
        ...


class PureEngine:
    """The core alone."""

    name = PURE

    def __init__(self, settings: PipelineSettings, tokenizer: Tokenizer, vault: Vault | None = None) -> None:
        self._settings = settings
        self._pipeline = Pipeline(settings, tokenizer, vault)
        self.lanes = {"pure": 0}
        self.last_coverage = ""
        self.last_blocked = False

    def learn(self, book: Book | None) -> None:
        """Take the models of parameters that are asked and taught from now on."""
        self._pipeline.learn(book)

    def process(self, transaction: Transaction) -> Event:
        """Return the event of a transaction; never raises."""
        self.lanes["pure"] += 1
        event = self._pipeline.process(transaction)
        self.last_coverage, self.last_blocked = str(event["coverage"]), event["action"] == "blocked"
        return event

    def record(self, transaction: Transaction) -> bytes:
        """Return the HEC envelope of a transaction's event; never raises."""
        return dump(envelope(self.process(transaction), self._settings))


def missing() -> list[str]:
    """Return which wheels of the native engine are not installed."""
    return [name for name in WHEELS if importlib.util.find_spec(name) is None]


def engine(
    settings: PipelineSettings,
    tokenizer: Tokenizer,
    kind: str = AUTO,
    vault: Vault | None = None,
    cache: Path | None = None,
) -> Engine:
    """Return an engine: ``auto`` is the native one where it can be had. ApisecError when ``native`` cannot.

    It has read made-up transactions already, so that the first one takes no longer than others. ``cache`` is a private
    folder of this user in which the native engine keeps its compiled patterns, so that only the first start takes
    seconds.
    """
    absent = missing()
    if kind == PURE or (kind == AUTO and absent):
        prepare()
        return _warmed(PureEngine(settings, tokenizer, vault))
    if absent:
        raise ApisecError(f"the native engine needs {' and '.join(absent)}: pip install 'apisec[forwarder]'")
    from apisec_forwarder.pipeline.native import NativePipeline

    return _warmed(NativePipeline(settings, tokenizer, vault, cache))


def _warmed(made: Engine) -> Engine:
    warm(made)
    return made
