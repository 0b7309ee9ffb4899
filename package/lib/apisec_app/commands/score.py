"""``apisecscore``: a score from 0 to 100 for each transaction, with reasons and evidence.

Runs on the search head alone (a centralised streaming command), because it reads learned flows and baselines from
the KV store and keeps a running state per principal. Within one chunk events are scored in the order of their time
whatever order they come in; across chunks the order is the search's, so sort by time for exact sequences.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any, Dict, List, Tuple

from splunklib.binding import HTTPError
from splunklib.searchcommands import Configuration, Option, StreamingCommand, validators

from apisec.scoring import Score, Scorer, default_model

from .. import learned
from ..records import event_of
from .chunks import ByLine

COMPONENTS = ("object", "sequence", "payload", "identity", "volume")


def fields_of(score: Score) -> Dict[str, Any]:
    """The fields that one score adds to its record; the same names for every record."""
    fields: Dict[str, Any] = {
        "apisec_score": round(score.score, 1),
        "apisec_severity": score.severity,
        "apisec_reasons": list(score.reasons),
    }
    for name in COMPONENTS:
        fields[f"apisec_{name}_score"] = round(score.components.get(name, 0.0), 1)
    fields["apisec_evidence"] = json.dumps(score.evidence, sort_keys=True, separators=(",", ":"))
    return fields


def scored(records: Iterable[Dict[str, Any]], scorer: Scorer, min_score: float) -> Iterator[Dict[str, Any]]:
    """Add the score's fields to each record; records below ``min_score`` are left out. Keeps the given order."""
    pairs: List[Tuple[Dict[str, Any], Dict[str, Any]]] = [(record, event_of(record)) for record in records]
    by_time = sorted(range(len(pairs)), key=lambda i: float(pairs[i][1]["time"]))
    scores = {i: scorer.score(pairs[i][1]) for i in by_time}
    for i, (record, _event) in enumerate(pairs):
        if scores[i].score >= min_score:
            record.update(fields_of(scores[i]))
            yield record


@Configuration(distributed=False)
class ApisecScoreCommand(ByLine, StreamingCommand):  # type: ignore[misc]
    """
    ##Syntax
    apisecscore (min_score=<number>)? (state=on|off)?

    ##Description
    Adds apisec_score, apisec_severity, apisec_reasons, component scores and apisec_evidence to each transaction.

    ##Example
    `apisec_transactions` | sort 0 _time | apisecscore min_score=50
    """

    min_score = Option(
        doc="**Syntax:** min_score=<number> **Description:** Leave out what scores lower. Default: 0, all.",
        default=0.0,
        validate=validators.Float(minimum=0, maximum=100),
    )
    state = Option(
        doc="**Syntax:** state=on|off **Description:** off: score without learned flows and baselines.",
        default="on",
        validate=validators.Set("on", "off"),
    )

    def stream(self, records: Iterable[Dict[str, Any]]) -> Iterator[Dict[str, Any]]:
        """Called by the SDK once for each chunk."""
        if not hasattr(self, "_scorer"):
            self._scorer = self._new_scorer()
        yield from scored(records, self._scorer, float(self.min_score))

    def _new_scorer(self) -> Scorer:
        baselines, flows = learned.empty()
        if self.state == "on":
            try:
                baselines, flows = learned.load(self.service)
            except (HTTPError, OSError, AttributeError, ValueError) as error:
                # AttributeError: no session was passed (service is None).
                self.logger.warning("learned state unavailable: %s", error)
                self.write_warning("{}", f"apisecscore: scoring without learned flows and baselines: {error}")
        return Scorer(default_model(), baselines, flows)
