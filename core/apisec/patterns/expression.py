"""What can be asked of a parsed expression: does it hold, which requests can it touch, how narrow is it."""

from __future__ import annotations

from typing import Any, FrozenSet, Iterable, List, Mapping, Optional, Set, Tuple

from apisec.model.pattern import AllOf, AnyOf, Expression, Not, Predicate, Scope
from apisec.patterns import fields, modifiers

ANYWHERE: Scope = frozenset([(None, None)])
MAX_SCOPE = 64  # pairs; beyond, a scope is ANYWHERE


def holds(expression: Expression, event: Mapping[str, Any], *, half: bool = False) -> Optional[bool]:
    """Return whether the expression holds for the event.

    With ``half`` the event is a request alone: what depends on the response is None (Kleene's logic).
    """
    if isinstance(expression, Predicate):
        if half and fields.base(expression.field) in fields.AFTERWARDS:
            return None
        return _predicate(expression, event)
    if isinstance(expression, Not):
        inner = holds(expression.part, event, half=half)
        return None if inner is None else not inner
    decisive = isinstance(expression, AnyOf)  # one True decides an AnyOf, one False an AllOf
    unknown = False
    for part in expression.parts:
        value = holds(part, event, half=half)
        if value is decisive:
            return decisive
        unknown = unknown or value is None
    return None if unknown else not decisive


def _predicate(predicate: Predicate, event: Mapping[str, Any]) -> bool:
    found = fields.values(event, predicate.field)
    if predicate.exists is not None:
        return bool(found) is predicate.exists
    if predicate.every:
        return all(any(test(value) for value in found) for test in predicate.tests)
    if not found:
        return None in predicate.values
    return any(test(value) for test in predicate.tests for value in found)


def predicates(expression: Expression) -> Iterable[Predicate]:
    """Yield every predicate, from left to right."""
    if isinstance(expression, Predicate):
        yield expression
    elif isinstance(expression, Not):
        yield from predicates(expression.part)
    else:
        for part in expression.parts:
            yield from predicates(part)


def names(expression: Expression) -> Set[str]:
    """Return the names of all fields the expression reads."""
    return {predicate.field for predicate in predicates(expression)}


# --- scope ------------------------------------------------------------------------------------------------


def scope(expression: Expression) -> Scope:
    """Return the (method, template) pairs outside which the expression cannot hold; None stands for any."""
    if isinstance(expression, Predicate):
        return _predicate_scope(expression)
    if isinstance(expression, Not):
        return ANYWHERE
    scopes = [scope(part) for part in expression.parts]
    if isinstance(expression, AnyOf):
        return simplify(frozenset().union(*scopes))
    met = ANYWHERE
    for other in scopes:
        met = _meet(met, other)
    return met


def _predicate_scope(predicate: Predicate) -> Scope:
    if predicate.field not in ("operation", "endpoint", "http_method") or predicate.exists is not None:
        return ANYWHERE
    if set(predicate.modifiers) - {"cased", "all"}:
        return ANYWHERE
    pairs: Set[Tuple[Optional[str], Optional[str]]] = set()
    for value in predicate.values:
        text = modifiers.literal(value) if isinstance(value, str) else None
        if text is None:
            return ANYWHERE
        if predicate.field == "http_method":
            pairs.add((text.upper(), None))
        elif predicate.field == "endpoint":
            pairs.add((None, text))
        else:
            method, _, template = text.partition(" ")
            pairs.add((method.upper(), template))
    return simplify(frozenset(pairs))


def _meet(one: Scope, other: Scope) -> Scope:
    pairs: Set[Tuple[Optional[str], Optional[str]]] = set()
    for method, template in one:
        for other_method, other_template in other:
            if _differ(method, other_method) or _differ(template, other_template):
                continue
            pairs.add((method or other_method, template or other_template))
    return simplify(frozenset(pairs))


def _differ(one: Optional[str], other: Optional[str]) -> bool:
    return one is not None and other is not None and one.casefold() != other.casefold()


def simplify(pairs: FrozenSet[Tuple[Optional[str], Optional[str]]]) -> Scope:
    """Drop pairs that a wider one covers; give up to ANYWHERE beyond MAX_SCOPE."""
    if (None, None) in pairs or len(pairs) > MAX_SCOPE:
        return ANYWHERE
    kept = {p for p in pairs if not ((p[0] and (None, p[1]) in pairs) or (p[1] and (p[0], None) in pairs))}
    return frozenset(kept) or pairs


# --- narrowness -------------------------------------------------------------------------------------------

# Who is connected, not who acts: shared behind NAT and by everyone with the same browser.
ADDRESS = frozenset(("src", "src_port", "ja4", "tls_version"))
# The same for (nearly) all traffic of a service, so that they select nothing by themselves.
BROAD = frozenset(
    (
        "schema", "id", "time", "gateway", "env", "service", "team", "app", "dest", "dest_port", "http_method", "auth",
        "principal_kind", "key_id", "coverage", "action", "status",
    )
)  # fmt: skip
# Two values that share nothing a real selector could hang on: who passes both passes (nearly) everything.
_PROBES = {
    "operation": ("GET /q7x-probe", "PATCH /zk2/{zk2_id}/w9"),
    "endpoint": ("/q7x-probe", "/zk2/{zk2_id}/w9"),
    "uri_path": ("/q7x-probe", "/zk2/31/w9"),
    "url": ("https://q7x.example/u", "http://zk2.test:81/w9?m=3"),
    "principal": ("~principal~0123456789abcdef~", "~principal~fedcba9876543210~"),
    "auth_token": ("~secret.bearer~0123456789abcdef~", "~secret.session~fedcba9876543210~"),
    "session": ("~secret.session~0123456789abcdef~", "~secret.session~fedcba9876543210~"),
}
_PROBE_TEXTS: Tuple[Any, Any] = ("q7x-probe/1.0", "Zk2 (w9; m=3)")
_PROBE_NUMBERS: Tuple[Any, Any] = (0, 987654321)

NARROW, BY_ADDRESS, EVERYTHING = "narrow", "address", "everything"


def narrowness(expression: Expression) -> str:
    """Return NARROW, BY_ADDRESS or EVERYTHING: the widest way in which the expression can hold."""
    return _narrowness(expression, negated=False)


def _narrowness(expression: Expression, *, negated: bool) -> str:
    if isinstance(expression, Not):
        return _narrowness(expression.part, negated=not negated)
    if isinstance(expression, Predicate):
        return EVERYTHING if negated else _predicate_narrowness(expression)
    parts = [_narrowness(part, negated=negated) for part in expression.parts]
    order: List[str] = [NARROW, BY_ADDRESS, EVERYTHING]
    conjunction = isinstance(expression, AllOf) is not negated  # De Morgan
    return (min if conjunction else max)(parts, key=order.index)


def _predicate_narrowness(predicate: Predicate) -> str:
    name = predicate.field
    if fields.base(name) in ADDRESS:
        return BY_ADDRESS
    if fields.base(name) in BROAD or predicate.exists is False or None in predicate.values:
        return EVERYTHING
    if predicate.exists:
        return NARROW if fields.base(name) == "signals" else EVERYTHING
    probes = _PROBES.get(name) or (_PROBE_NUMBERS if fields.is_number(name) else _PROBE_TEXTS)
    if all(any(test(probe) for test in predicate.tests) for probe in probes):
        return EVERYTHING
    return NARROW
