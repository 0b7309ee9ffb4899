"""``apisecsequence``: in which order principals do things, which steps come before which, and one principal's path.

Map gives activity rows that hold steps alone, so that it runs on the indexers; reduce merges those of one key and
learns from all of them. The class's name is the command's: the SDK builds the map phase's search from it.
"""

from __future__ import annotations

import gc
from collections.abc import Iterable, Iterator
from itertools import groupby
from operator import attrgetter
from typing import Any, Dict, List, Tuple

from splunklib.searchcommands import Configuration, Option, ReportingCommand, validators

from apisec.activity import Activity, Row
from apisec.activity.row import Step
from apisec.errors import DocumentError
from apisec.sequences.model import Explained, SequenceFinding, SequenceModel
from apisec.sequences.transitions import START, Transitions
from apisec.sequences.window import ANONYMOUS

from ..records import first, same_fields
from .activity import KEY_FIELDS, ROW_FIELD, YOUNGEST, Rows, row_record
from .chunks import ByLine
from .events import event_from

RULES, TRANSITIONS, UNUSUAL, PATH = "rules", "transitions", "unusual", "path"
START_TEXT = "(start of a session)"
LEAST_SHARE = 0.01  # of a transition that is shown
MAX_UNUSUAL = 200  # principals that are shown

Record = Dict[str, Any]
Path = Tuple[str, str, List[Step]]  # service, principal, steps in order of time


def slim(row: Row) -> Row:
    """A row with what order needs of it."""
    made = Row(row.service, row.principal, row.slot)
    made.kind, made.team, made.requests = row.kind, row.team, row.requests
    made.first, made.last, made.steps = row.first, row.last, row.steps
    made.close()
    return made


def paths(rows: Iterable[Row]) -> Iterator[Path]:
    """Put the rows of each principal together; those without a credential may be several people, and are left out."""
    known = (row for row in rows if row.kind != ANONYMOUS)
    for (service, principal), mine in groupby(known, key=attrgetter("service", "principal")):
        ordered = sorted(mine, key=attrgetter("slot"))
        yield service, principal, [step for row in ordered for step in row.steps]


def rule_records(model: SequenceModel) -> Iterator[Record]:
    for service in model.services():
        for rule in model.order(service).precedence.all_rules():
            yield {
                "service": service,
                "operation": rule.operation,
                "required": rule.requires,
                "same_object": "1" if rule.pair.linked else "0",
                "days": rule.days,
                "days_broken": rule.broken,
                "broken_at_most": f"{rule.bound:.6f}",
                "within_seconds": f"{rule.gap:.0f}",
            }


def transition_records(model: SequenceModel) -> Iterator[Record]:
    for service in model.services():
        transitions = model.order(service).transitions
        counts = transitions.pairs()
        totals: Dict[str, int] = {}
        for (before, _), count in counts.items():
            totals[before] = totals.get(before, 0) + count
        for (before, operation), count in sorted(counts.items(), key=lambda item: (item[0][0], -item[1], item[0][1])):
            share = count / totals[before]
            if share >= LEAST_SHARE:
                yield {
                    "service": service,
                    "after": _named(before),
                    "operation": operation,
                    "count": count,
                    "share": f"{share:.4f}",
                    "first_seen": _first_seen(transitions, operation),
                }


def _first_seen(transitions: Transitions, operation: str) -> str:
    slot = transitions.operations.get(operation)
    return "" if slot is None else str(slot * 300)


def _named(step: str) -> str:
    return START_TEXT if step == START else step


def unusual_record(path: Path, found: SequenceFinding) -> Record:
    service, principal, steps = path
    return {
        "_time": f"{steps[-1].time:.3f}",
        "service": service,
        "principal": principal,
        "p_value": f"{found.p_value:.3g}",
        "steps": len(steps),
        "operation": found.taken,
        "after": _named(found.after),
        "expected": found.expected,
        "expected_share": f"{found.share:.4f}",
        "required": found.rule.requires if found.rule else "",
        "times": found.times,
        "reasons": list(found.reasons),
    }


def path_record(path: Path, number: int, one: Explained) -> Record:
    service, principal, _ = path
    return {
        "_time": f"{one.step.time:.3f}",
        "service": service,
        "principal": principal,
        "number": number,
        "operation": one.step.operation,
        "status": one.step.status,
        "surprisal": f"{one.bits:.2f}",
        "expected": one.expected,
        "expected_share": f"{one.share:.4f}",
        "missing": [rule.requires for rule in one.broken],
        "broken_at_most": [f"{rule.bound:.6f}" for rule in one.broken],
    }


@Configuration(requires_preop=True)
class ApisecSequenceCommand(ByLine, ReportingCommand):  # type: ignore[misc]
    """
    ##Syntax
    apisecsequence (output=rules|transitions|unusual|path)? (principal=<string>)?

    ##Description
    Learns in which order principals do things, and explains where one of them did it differently.

    ##Example
    `apisec_transactions` service=shop | fields _raw, _time | apisecsequence
    """

    output = Option(
        doc="**Syntax:** output=rules|transitions|unusual|path **Description:** rules: which step comes before which; "
        "transitions: what follows what; unusual: principals whose order ordinary ones hardly have; path: the steps of "
        "one principal beside those expected. Default: rules, and path with principal=.",
        default=None,
        validate=validators.Set(RULES, TRANSITIONS, UNUSUAL, PATH),
    )
    principal = Option(
        doc="**Syntax:** principal=<string> **Description:** Whose path is explained, by what all others do.",
        default=None,
    )

    @Configuration()  # type: ignore[untyped-decorator]
    def map(self, records: Iterable[Record]) -> Iterator[Record]:
        """On the indexers: the steps of one chunk."""
        gc.set_threshold(YOUNGEST)
        activity, found = Activity(), []
        for record in records:
            if ROW_FIELD in record:
                found.append(record)
            else:
                activity.add(event_from(record))
        found += (row_record(slim(row)) for row in activity.rows())
        yield from same_fields(found)

    def reduce(self, records: Iterable[Record]) -> Iterator[Record]:
        """On the search head: what was asked for, once the last chunk is here."""
        if not hasattr(self, "_rows"):
            gc.set_threshold(YOUNGEST)
            self._rows, self._activity = Rows(), Activity()
        try:
            for record in records:
                text = first(record.get(ROW_FIELD))
                if text:
                    service, principal, slot = (first(record.get(name)) or "" for name in KEY_FIELDS)
                    self._rows.add((service, principal, slot), text)
                else:
                    self._activity.add(event_from(record))
            if self._finished:
                yield from same_fields(list(self._finish()))
        except DocumentError as error:
            self.error_exit(error, f"apisecsequence: {error}")

    def _finish(self) -> Iterator[Record]:
        for row in self._activity.rows():
            self._rows.add((row.service, row.principal, str(row.slot)), slim(row))
        if self._rows.dropped:
            self.write_warning("{}", f"apisecsequence: {self._rows.dropped} rows left out: search a shorter time")
        output = self.output or (PATH if self.principal else RULES)
        if output == PATH and not self.principal:
            self.write_error("{}", "apisecsequence: output=path needs principal=<string>, as the events have it")
            return
        kept: List[Path] = []
        model = SequenceModel()
        for path in paths(self._rows.rows()):
            if path[1] != self.principal:
                model.learn(*path)
            if output == UNUSUAL or path[1] == self.principal:
                kept.append(path)
        model.mine()
        yield from self._shown(output, model, kept)

    def _shown(self, output: str, model: SequenceModel, kept: List[Path]) -> Iterator[Record]:
        if output == RULES:
            yield from rule_records(model)
        elif output == TRANSITIONS:
            yield from transition_records(model)
        elif output == PATH:
            for path in kept:
                explained = model.explain(path[0], path[2])
                yield from (path_record(path, number, one) for number, one in enumerate(explained, 1))
            if not kept:
                self.write_warning("{}", f"apisecsequence: no steps of principal {self.principal} in this search")
        else:
            judged = ((path, model.judge(path[0], path[2])) for path in kept)
            found = sorted(
                ((path, one) for path, one in judged if one), key=lambda each: (each[1].p_value, each[0][:2])
            )
            yield from (unusual_record(path, one) for path, one in found[:MAX_UNUSUAL])
