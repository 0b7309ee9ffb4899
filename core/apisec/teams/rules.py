"""Rules of ownership: how specific each is, what it holds for, and which of them tie."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import Dict, List, NamedTuple, Optional, Tuple

from apisec.classification.globs import fits, intersect, literal_length
from apisec.teams.document import MAX_RULES, SELECTORS, Rule, Team

MAX_GLOBS = 2_000  # rules with a star: each pair of them is compared for ties


class Key(NamedTuple):
    """How specific a rule is; the first difference decides, and the greater one wins."""

    service: Tuple[bool, int]
    path: Tuple[bool, int]
    host: Tuple[bool, int]
    spec: Tuple[bool, int]
    gateway: Tuple[bool, int]


def _weight(glob: str) -> Tuple[bool, int]:
    """Whether a selector names one thing, and how many of its characters stand for themselves."""
    return bool(glob) and "*" not in glob, literal_length(glob)


@lru_cache(maxsize=MAX_RULES)
def key(rule: Rule) -> Key:
    return Key(*(_weight(getattr(rule, name)) for name in SELECTORS))


def path_of(operation: str) -> str:
    return operation.partition(" ")[2] or operation


class Asked(NamedTuple):
    """Where something was seen, with one host: a rule has to hold for each of them."""

    path: Tuple[str, ...]
    host: Tuple[str, ...]
    spec: Tuple[str, ...]
    gateway: Tuple[str, ...]


def asked_of(path: str, hosts: Iterable[str], gateways: Iterable[str], specs: Iterable[str]) -> List[Asked]:
    paths, documents, seen_by = (path,) if path else (), tuple(specs), tuple(gateways)
    names = sorted({host.lower() for host in hosts})
    each: List[Tuple[str, ...]] = [(name,) for name in names] or [()]
    return [Asked(paths, host, documents, seen_by) for host in each]


def holds(rule: Rule, asked: Asked) -> bool:
    for name, values in zip(asked._fields, asked):
        glob = getattr(rule, name)
        if glob and not any(fits(glob, value) for value in values):
            return False
    return True


def first(listed: Iterable[Rule], asked: Asked) -> Optional[str]:
    """Return the team of the most specific rule that holds; None without one, or when teams share that place."""
    best: Optional[Rule] = None
    for rule in listed:
        if best is not None and key(rule) != key(best):
            break
        if holds(rule, asked):
            if best is not None and best.team != rule.team:
                return None
            best = best or rule
    return best.team if best else None


def ties_of(teams: Iterable[Team]) -> List[str]:
    """Name rules of different teams that are equally specific and can hold for the same operation."""
    exact: Dict[Tuple[str, ...], Rule] = {}
    globs: Dict[Key, List[Rule]] = {}
    problems: List[str] = []
    for rule in (rule for team in teams for rule in team.owns):
        if any("*" in glob for glob in rule.selectors().values()):
            globs.setdefault(key(rule), []).append(rule)
            continue
        other = exact.setdefault(tuple(getattr(rule, name) for name in SELECTORS), rule)
        if other.team != rule.team:
            problems.append(_tie(rule, other))
    if sum(map(len, globs.values())) > MAX_GLOBS:
        return [*problems, f"more than {MAX_GLOBS} rules have wildcards; name the services"]
    return problems + [problem for group in globs.values() for problem in _disagreeing(group)]


def _disagreeing(group: List[Rule]) -> Iterator[str]:
    for position, rule in enumerate(group):
        for earlier in group[:position]:
            if rule.team != earlier.team and _overlap(rule, earlier):
                yield _tie(rule, earlier)
                break


def _overlap(one: Rule, other: Rule) -> bool:
    return all(intersect(getattr(one, name) or "*", getattr(other, name) or "*") for name in SELECTORS)


def _tie(rule: Rule, other: Rule) -> str:
    return (
        f"{rule.team}: owns[{rule.position}]: is as specific as owns[{other.position}] of team {other.team} "
        f"({other.line()}) and can hold for the same operation; make one of the two more specific"
    )
