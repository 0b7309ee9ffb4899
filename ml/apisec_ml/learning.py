"""What a deployment would have learned before it scores: baselines and flows of a stretch of history."""

from __future__ import annotations

from collections.abc import Iterator

from apisec.baselines.learned import Baselines, learn_baselines
from apisec.scoring import Model, Score, Scorer
from apisec.sequences.flows import FlowModel, learn_flows
from apisec_ml.data import Dataset, Event


def learned(history: Dataset) -> tuple[Baselines, FlowModel]:
    """Learn without looking at the labels."""
    return learn_baselines(history.events), learn_flows(history.events)


def scorers(
    model: Model, baselines: Baselines, flows: FlowModel, events: list[Event], restart: float
) -> Iterator[tuple[Scorer, Event]]:
    """Yield each event with the scorer that is to take it; a new one every ``restart`` seconds (0: never).

    A saved search that scores the last hour starts with an empty state each time.
    """
    scorer = Scorer(model, baselines, flows)
    started = float(events[0]["time"]) if events else 0.0
    for event in events:
        if restart and float(event["time"]) - started >= restart:
            started = float(event["time"])
            scorer = Scorer(model, baselines, flows)
        yield scorer, event


def score_all(
    model: Model, baselines: Baselines, flows: FlowModel, events: list[Event], restart: float = 0.0
) -> list[Score]:
    return [scorer.score(event) for scorer, event in scorers(model, baselines, flows, events, restart)]
