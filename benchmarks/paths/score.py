"""What requests were taken for, compared with the operations that they were made for."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field, fields

from benchmarks.paths.specs import Api
from benchmarks.paths.traffic import Request

Skeleton = tuple[str, ...]


@dataclass
class Score:
    """Counts. ``recalled``: the operation's template is listed; ``exact``: all its requests, and no others, go to it.

    ``lost``: operations without parameters of which a request was taken for one with parameters. ``listed``: templates
    in the list, true or not. ``right``: requests taken for their operation.
    """

    operations: int = 0
    recalled: int = 0
    exact: int = 0
    static: int = 0
    lost: int = 0
    listed: int = 0
    requests: int = 0
    right: int = 0
    failures: list[str] = field(default_factory=list)

    def __iadd__(self, other: Score) -> Score:
        for one in fields(self):
            setattr(self, one.name, getattr(self, one.name) + getattr(other, one.name))
        return self

    def rates(self) -> dict[str, float]:
        return {
            "recall": self.recalled / max(1, self.operations),
            "exact": self.exact / max(1, self.operations),
            "precision": self.recalled / max(1, self.listed),
            "requests": self.right / max(1, self.requests),
            "lost": self.lost / max(1, self.static),
        }

    def row(self) -> str:
        return "".join(f"{rate:10.4f}" for rate in self.rates().values())


HEADER = "".join(f"{name:>10}" for name in Score().rates())


def score(api: Api, requests: Sequence[Request], skeletons: Sequence[Skeleton]) -> Score:
    """Compare what each request was taken for with the operation that it was made for."""
    seen: dict[int, Counter[Skeleton]] = defaultdict(Counter)
    owners: dict[tuple[str, Skeleton], set[int]] = defaultdict(set)
    result = Score(requests=len(requests))
    for request, found in zip(requests, skeletons, strict=True):
        seen[request.truth][found] += 1
        owners[request.method, found].add(request.truth)
    result.listed = len(owners)
    for truth, taken in seen.items():
        operation = api.operations[truth]
        wanted = operation.skeleton
        recalled = (operation.method, wanted) in owners
        exact = set(taken) == {wanted} and owners[operation.method, wanted] == {truth}
        lost = operation.is_static and any("{}" in segment for skeleton in taken for segment in skeleton)
        result.operations += 1
        result.right += taken[wanted]
        result.recalled += recalled
        result.exact += exact
        result.static += operation.is_static
        result.lost += lost
        if not exact:
            kind = "lost" if lost else "partly" if recalled else "missed"
            path = "/".join(operation.segments)
            shown = ", ".join("/" + "/".join(skeleton) for skeleton, _ in taken.most_common(3))
            name = f"{api.provider} {api.name}: {operation.method} /{path}"
            result.failures.append(f"{kind:7}{name} in {taken.total()} requests became {len(taken)}: {shown}")
    return result
