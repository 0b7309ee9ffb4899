"""The two engines on any transaction: they make the same event, nothing of what was planted in it, and quickly."""

from __future__ import annotations

import json
import tempfile
import time
from functools import cache
from pathlib import Path
from typing import Any

from apisec.model.event import Event
from apisec.redaction.keys import Tokenizer
from apisec_forwarder.pipeline.envelope import envelope
from fuzz import events
from fuzz.source import Source


@cache
def native() -> Any:
    """Return the native engine; its patterns are compiled once a machine."""
    from apisec_forwarder.pipeline.native import NativePipeline

    kept = Path(tempfile.gettempdir()) / "apisec-fuzz-engine"
    kept.mkdir(mode=0o700, exist_ok=True)
    return NativePipeline(events.SETTINGS, Tokenizer(events.KEYS), cache=kept)


def check(data: bytes) -> float:
    """Make the event by both engines; return the CPU seconds that the native one took."""
    made, planted = events.transaction(Source(data))
    engine = native()
    expected = events.PIPELINE.process(made)
    began = time.process_time()
    record = engine.record(made)
    taken = time.process_time() - began
    assert not engine.lanes["failed"], "the native engine failed"
    found = json.loads(record)
    assert _text(found) == _text(envelope(expected, events.SETTINGS)), "the engines differ"
    events.assert_absent(planted, found)
    return taken


def _text(envelope_: Event) -> str:
    return json.dumps(envelope_, sort_keys=True)
