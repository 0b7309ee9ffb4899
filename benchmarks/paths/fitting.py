"""Where the learner's weights and vocabulary come from: the development part of the directory, never the other."""

from __future__ import annotations

import hashlib
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from sklearn.linear_model import LogisticRegression

from apisec.endpoints.learning.answers import fingerprint
from apisec.endpoints.learning.decision import SURE, second_look
from apisec.endpoints.learning.evidence import FEATURES, Commonness, Place, features, typical
from apisec.endpoints.learning.known import KnownIds
from apisec.endpoints.learning.tree import children_of, place_of
from apisec.endpoints.learning.trie import Node, Trie
from benchmarks.paths.specs import Api
from benchmarks.paths.traffic import Request, Traffic

LEVELS = ((1, 10, 400), (5, 50, 200), (20, 200, 60), (100, 1000, 20))  # requests an operation, operations at most
SEED = 7  # the benchmark's own traffic has another
FOLDS = 3
GROUP = 6.0  # what the values of one place weigh together, fixed words weighing one each
MAX_KNOWN_ID = 3.0  # weight of a word's being an id elsewhere
MIN_PROVIDERS = 4  # that a word of the vocabulary stands in

_PARTS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")

Truth = dict[str, "Truth"]


def vocabulary(apis: Iterable[Api]) -> list[str]:
    """Return the words of fixed segments that several providers use."""
    providers: dict[str, set[str]] = defaultdict(set)
    for api in apis:
        for operation in api.operations:
            for segment in operation.segments:
                if "{" not in segment:
                    for part in _PARTS.findall(segment):
                        providers[part.lower()].add(api.provider)
    return sorted(word for word, who in providers.items() if len(who) >= MIN_PROVIDERS and 2 <= len(word) <= 16)


def learn(requests: Iterable[Request], plain: bool) -> tuple[Trie, KnownIds]:
    """Count requests; ``plain`` without fields of answers and ids in queries."""
    trie, known = Trie(), KnownIds()
    for request in requests:
        trie.add(request.method, request.segments, "" if plain else fingerprint(request.fields))
        for value in () if plain else request.ids:
            known.add(value)
    return trie, known


@dataclass
class Sample:
    """One API's traffic, with what a judge of its words has to answer."""

    api: Api
    trie: Trie
    known: KnownIds
    first: list[tuple[list[float], int, float]] = field(default_factory=list)  # features, answer, weight
    second: list[tuple[list[float], int, float]] = field(default_factory=list)

    def gather(self, weights: np.ndarray | None) -> None:
        """Collect the questions of the first look, or with its weights those of the second."""
        truth: Truth = {}
        for operation in self.api.operations:
            node = truth
            for segment in operation.skeleton:
                node = node.setdefault(segment, {})
        common, usual = Commonness(self.trie.root), typical(self.trie.root)
        self._walk(
            [self.trie.root], truth, 0, "", lambda place: features(place, common, self._is_known, usual), weights
        )

    def _is_known(self, word: str) -> bool:
        return word in self.known

    def _walk(self, nodes: Sequence[Node], truth: Truth, depth: int, parent: str, ask, weights) -> None:  # type: ignore[no-untyped-def]
        children = children_of(nodes)
        if not children:
            return
        self._ask(place_of(children, depth, parent), truth, ask, weights)
        values = [node for key, found in children.items() if key not in truth for node in found]
        for key, found in children.items():
            if key in truth:
                self._walk(found, truth[key], depth + 1, key, ask, weights)
        parameter = next((key for key in truth if "{}" in key), None)
        if values and parameter is not None:
            self._walk(values, truth[parameter], depth + 1, "", ask, weights)

    def _ask(self, place: Place, truth: Truth, ask, weights) -> None:  # type: ignore[no-untyped-def]
        if not place.candidates:
            return
        numbers = ask(place)
        if weights is None:
            self.first += _questions(numbers, truth)
            return
        sure = {key for key, n in numbers.items() if _probability(n, weights) > SURE}
        if sure and len(sure) < len(numbers):
            self.second += _questions(ask(second_look(place, sure)), truth)


def _questions(numbers: Mapping[str, Mapping[str, float]], truth: Truth) -> list[tuple[list[float], int, float]]:
    values = sum(key not in truth for key in numbers)
    weight = min(1.0, GROUP / values) if values else 1.0
    return [
        ([n[name] for name in FEATURES], int(key not in truth), weight if key not in truth else 1.0)
        for key, n in numbers.items()
    ]


def _probability(numbers: Mapping[str, float], weights: np.ndarray) -> float:
    total = sum(numbers[name] * weight for name, weight in zip(FEATURES, weights, strict=True))
    return float(1 / (1 + np.exp(-total)))


def _fitted(questions: Sequence[tuple[list[float], int, float]]) -> np.ndarray:
    numbers, answers, weights = (np.array(column) for column in zip(*questions, strict=True))
    judge = LogisticRegression(max_iter=5000, fit_intercept=False).fit(numbers, answers, sample_weight=weights)
    return np.asarray(judge.coef_[0])


def fit(apis: Sequence[Api]) -> dict[str, tuple[float, float]]:
    """Return the weights of both looks. The second is fitted on what first looks say that did not see the provider."""
    samples = [Sample(api, *learn(requests, plain)) for api, requests in _traffic(apis) for plain in (False, True)]
    for sample in samples:
        sample.gather(None)
    first = _fitted([question for sample in samples for question in sample.first])
    for fold in range(FOLDS):
        others = _fitted([q for sample in samples if _fold(sample.api) != fold for q in sample.first])
        for sample in samples:
            if _fold(sample.api) == fold:
                sample.gather(others)
    second = _fitted([question for sample in samples for question in sample.second])
    pairs = zip(FEATURES, first, second, strict=True)
    return {name: (_bounded(name, float(a)), _bounded(name, float(b))) for name, a, b in pairs}


def _bounded(name: str, weight: float) -> float:
    """Round a weight. Here no fixed word is ever an id in a query; elsewhere some are, so it says less than here."""
    return round(min(weight, MAX_KNOWN_ID) if name == "known_id" else weight, 3)


def _fold(api: Api) -> int:
    return hashlib.sha256(api.provider.encode()).digest()[1] % FOLDS


def _traffic(apis: Sequence[Api]) -> Iterable[tuple[Api, list[Request]]]:
    for api in apis:
        for level in LEVELS:
            if len(api.operations) <= level[2]:
                yield api, list(Traffic(api, False, SEED).requests(level[0], level[1]))
