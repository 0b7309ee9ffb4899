"""Compile patterns for Envoy's RBAC: what it can hold alone, and what it must ask about.

Held alone: a pattern in ``enforce`` that reads nothing but method, path template and user agent, without state,
of a service whose OpenAPI document says which templates there are, so that ``/orders/{id}`` never takes
``/orders/search`` with it. Everything else in ``canary`` or ``enforce`` is asked about, by method and path: a
superset, because the decision service looks again. Shadow patterns cost the gateway nothing: the copy counts them.

Requests whose path could be read in more than one way are asked about as soon as anything is: percent-encoding,
path parameters (``;``), repeated slashes, backslashes. Letter case and trailing slashes are part of what is
selected. So no spelling of a path evades both.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from apisec.model.pattern import CANARY, ENFORCE, AllOf, AnyOf, Expression, Not, Pattern, Predicate, Scope
from apisec.patterns import modifiers
from apisec_forwarder.enforcement.ecds import OPEN

Node = dict[str, Any]

ODD_PATHS = "apisec-odd-path"  # name of the policy that selects ambiguous paths
# After Envoy's own normalisation; a letter means the same in both cases to some upstreams.
_ODD = r"(?s).*(?:[%;\\]|//|/\.{1,2}(?:/|$)).*"
_PARAMETER = re.compile(r"\{[^{}/]+\}")


class Service(Protocol):
    """What is needed of ``pipeline.Service``."""

    @property
    def name(self) -> str: ...
    @property
    def hosts(self) -> Sequence[str]: ...
    @property
    def paths(self) -> Sequence[str]: ...
    @property
    def templates(self) -> Sequence[str]: ...


@dataclass(frozen=True)
class Compiled:
    """RBAC's two rule sets, and the ids of the patterns that the gateway holds alone."""

    rules: Node
    shadow_rules: Node
    held: frozenset[str]


def compile_patterns(patterns: Iterable[Pattern], services: Sequence[Service], now: float) -> Compiled:
    """Return what Envoy is told for the patterns in force at ``now`` (seconds)."""
    by_name = {service.name: service for service in services}
    policies: Node = {}
    selected: Node = {}
    for pattern in patterns:
        if pattern.mode_at(now) not in (CANARY, ENFORCE):
            continue
        selected[pattern.id] = _policy(_selection(pattern.scope | pattern.steps_scope))
        held = _held(pattern, by_name, services) if pattern.mode_at(now) == ENFORCE else None
        if held is not None:
            policies[pattern.id] = _policy(held)
    if selected:
        selected[ODD_PATHS] = _policy(_path(_ODD))
    return Compiled(
        rules={"action": "DENY", "policies": policies} if policies else OPEN,
        shadow_rules={"action": "DENY", "policies": selected} if selected else OPEN,
        held=frozenset(policies),
    )


def _policy(permission: Node) -> Node:
    return {"permissions": [permission], "principals": [{"any": True}]}


def _all(rules: Sequence[Node]) -> Node:
    return rules[0] if len(rules) == 1 else {"and_rules": {"rules": list(rules)}}


def _any(rules: Sequence[Node]) -> Node:
    return rules[0] if len(rules) == 1 else {"or_rules": {"rules": list(rules)}}


def _path(regex: str) -> Node:
    return {"url_path": {"path": {"safe_regex": {"regex": regex}}}}


def _header(name: str, match: Node) -> Node:
    return {"header": {"name": name, "string_match": match}}


# --- selection: a superset --------------------------------------------------------------------------------


def _selection(scope: Scope) -> Node:
    """Return what selects every request the scope can mean, in any letter case, with or without a last slash."""
    rules: list[Node] = []
    for method, template in sorted(scope, key=lambda pair: (pair[0] or "", pair[1] or "")):
        parts: list[Node] = []
        if method is not None:
            parts.append(_header(":method", {"exact": method, "ignore_case": True}))
        if template is not None:
            parts.append(_path(loose_regex(template)))
        rules.append(_all(parts) if parts else {"any": True})
    return _any(rules)


def loose_regex(template: str) -> str:
    """Return the RE2 expression of a template in any case, for the whole path."""
    return f"(?i){_regex(template.rstrip('/'), '[^/]*')}/*"


def exact_regex(template: str) -> str:
    return _regex(template, "[^/]+")


def _regex(template: str, parameter: str) -> str:
    pieces = _PARAMETER.split(template)
    return parameter.join(re.escape(piece) for piece in pieces)


# --- held alone: exact ------------------------------------------------------------------------------------


def _held(pattern: Pattern, by_name: Mapping[str, Service], services: Sequence[Service]) -> Node | None:
    """Return the permission that refuses exactly what the pattern means, None when RBAC cannot say it."""
    service = by_name.get(pattern.service)
    if service is None or not service.templates or pattern.expression is None or pattern.requirement is not None:
        return None
    if any(method is None or template is None for method, template in pattern.scope):
        return None
    place = _place(service, services)
    expression = _exactly(pattern.expression, service)
    return None if place is None or expression is None else _all([*place, expression])


def _place(service: Service, services: Sequence[Service]) -> list[Node] | None:
    """Return the conditions of belonging to the service; None where another service may own such a path."""
    prefixes = [path.rstrip("/") for path in service.paths]
    for other in services:
        if other.name == service.name or _disjoint(service.hosts, other.hosts):
            continue
        for path in (path.rstrip("/") for path in other.paths):
            if any(path.startswith(prefix) or prefix.startswith(path) for prefix in prefixes):
                return None
    hosts = [_host(host) for host in service.hosts if host != "*"]
    place = [] if len(hosts) < len(service.hosts) else [_any(hosts)]
    if any(prefixes) and "" not in prefixes:
        place.append(_any([_path(f"{re.escape(prefix)}(?:/.*)?") for prefix in prefixes]))
    return place


def _disjoint(hosts: Sequence[str], others: Sequence[str]) -> bool:
    exact = not any(host.startswith("*") for host in (*hosts, *others))
    return exact and not {host.lower() for host in hosts} & {host.lower() for host in others}


def _host(host: str) -> Node:
    name = r"[^.:/]+(?:\.[^.:/]+)*" + re.escape(host[1:]) if host.startswith("*.") else re.escape(host)
    return _header(":authority", {"safe_regex": {"regex": rf"(?i){name}(?::[0-9]+)?"}})


def _exactly(expression: Expression, service: Service) -> Node | None:
    if isinstance(expression, Predicate):
        return _predicate(expression, service)
    if isinstance(expression, Not):
        inner = _exactly(expression.part, service)
        return None if inner is None else {"not_rule": inner}
    assert isinstance(expression, (AllOf, AnyOf))
    parts = [_exactly(part, service) for part in expression.parts]
    known = [part for part in parts if part is not None]
    if len(known) < len(parts):
        return None
    return _all(known) if isinstance(expression, AllOf) else _any(known)


def _predicate(predicate: Predicate, service: Service) -> Node | None:
    texts = [modifiers.literal(v) if isinstance(v, str) else None for v in predicate.values]
    known = [text for text in texts if text]
    if len(known) < len(texts) or predicate.every or predicate.exists is not None:
        return None
    kinds = set(predicate.modifiers)
    if predicate.field == "http_method" and not kinds:
        return _any([_header(":method", {"exact": text.upper()}) for text in known])
    if predicate.field in ("operation", "endpoint") and not kinds:
        rules = [_template(text, service, predicate.field == "operation") for text in known]
        exact = [rule for rule in rules if rule is not None]
        return _any(exact) if len(exact) == len(rules) else None
    if predicate.field == "http_user_agent" and kinds <= set(modifiers.PLACES):
        return _user_agent(known, kinds.pop() if kinds else "equals")
    return None


def _template(text: str, service: Service, with_method: bool) -> Node | None:
    method, _, template = text.partition(" ") if with_method else ("", "", text)
    if template not in service.templates:
        return None
    parts = [_path(exact_regex(template))]
    parts += [{"not_rule": _path(exact_regex(other))} for other in sorted(service.templates) if _wins(other, template)]
    if with_method:
        parts.insert(0, _header(":method", {"exact": method.upper()}))
    return _all(parts)


def _wins(other: str, template: str) -> bool:
    """Return whether a path may fit both and the other, with fewer parameters, is its template (OpenAPI 3.1)."""
    ours, theirs = template.split("/"), other.split("/")
    if other == template or len(ours) != len(theirs):
        return False
    overlap = all(a == b or _PARAMETER.search(a) or _PARAMETER.search(b) for a, b in zip(ours, theirs, strict=True))
    return overlap and len(_PARAMETER.findall(other)) <= len(_PARAMETER.findall(template))


def _user_agent(texts: list[str], kind: str) -> Node | None:
    """User agents are compared raw here and redacted there: a text that holds a token stays with the call-out."""
    if any("~" in text for text in texts):
        return None
    names = {"equals": "exact", "startswith": "prefix", "endswith": "suffix", "contains": "contains"}
    return _any([_header("user-agent", {names[kind]: text, "ignore_case": True}) for text in texts])
