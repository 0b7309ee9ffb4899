"""Parse a block pattern: Sigma's names (rules 2.0.0, correlation rules 2.0.0) and the extension ``apisec``.

Takes a mapping as YAML or JSON gives it, returns a Pattern, or raises PatternError with the path of the fault.
"""

from __future__ import annotations

import hashlib
import json
import uuid
from typing import Any, Dict, FrozenSet, List, Mapping, Optional, Tuple

from apisec.errors import PatternError, did_you_mean
from apisec.model.pattern import (
    CANARY,
    MODES,
    SHADOW,
    AllOf,
    AnyOf,
    Correlation,
    Expression,
    Pattern,
    Predicate,
    Requirement,
)
from apisec.patterns import condition, fields, modifiers, spans
from apisec.patterns import expression as expressions

MAX_LIFE = 30 * 86400.0  # seconds until a pattern must have expired
MAX_TIMESPAN = 86400.0  # seconds; what the matcher's history is kept for
MAX_SELECTIONS = 50
MAX_VALUES = 1000
MAX_THRESHOLD = 10_000
MAX_DOCUMENT = 262_144  # characters of canonical JSON
DEFAULT_CANARY = 10.0  # percent of the principals
MAX_CANARY = 50.0  # a larger share would be enforcement without its proof
DEFAULT_WARMUP = 10.0  # seconds

_SIGMA = (
    "title", "id", "name", "related", "taxonomy", "status", "description", "license", "author", "references", "date",
    "modified", "logsource", "detection", "correlation", "fields", "falsepositives", "level", "tags", "scope",
)  # fmt: skip
_TOP = (*_SIGMA, "apisec")
_STATUS = ("stable", "test", "experimental", "deprecated", "unsupported")
_EXTENSION = ("mode", "canary_percent", "expires", "requires", "reason", "source", "evidence", "created_by")
_REQUIRES = ("selection", "group-by", "timespan", "warmup")
_CORRELATION = ("type", "rules", "group-by", "timespan", "condition")
_TYPES = ("event_count", "value_count", "temporal", "temporal_ordered")
# An actor; a group by an address alone would block everyone behind it.
_ACTORS = ("principal", "user", "auth_token", "session")
# What the matcher's history keeps of a past step.
_STEP_FIELDS = frozenset(("operation", "endpoint", "http_method", "service", "object_ids", "status"))


def parse(document: Any, now: Optional[float] = None) -> Pattern:
    """Return the pattern. ``now`` (seconds) bounds the expiry; without it an expired document is accepted."""
    top = _mapping(document, "pattern")
    _known(top, _TOP, "")
    canonical = _canonical(top)
    service = _logsource(top)
    extension = _mapping(top.get("apisec"), "apisec")
    _known(extension, _EXTENSION, "apisec")
    mode, percent = _mode(extension)
    requires = extension.get("requires")
    hidden = _required_name(requires)
    selections, whole = _detection(top, hidden)
    correlation = _correlation(top, selections)
    requirement = _requirement(requires, selections)
    if correlation is not None and requirement is not None:
        raise PatternError("a correlation cannot have a required step; use temporal_ordered", where="apisec.requires")
    _check_narrow(whole, correlation)
    step_scopes = [expressions.scope(rule) for _, rule in correlation.rules] if correlation else []
    if requirement is not None:
        step_scopes.append(expressions.scope(requirement.step))
    steps = expressions.simplify(frozenset().union(*step_scopes)) if step_scopes else frozenset()
    return Pattern(
        id=_id(top),
        title=_title(top),
        service=service,
        mode=mode,
        canary_percent=percent,
        expires=_expires(extension, now),
        document=canonical,
        digest=digest(canonical),
        scope=expressions.scope(whole) if whole is not None else steps,
        steps_scope=steps,
        expression=whole,
        requirement=requirement,
        correlation=correlation,
    )


def digest(document: Mapping[str, Any]) -> str:
    """Return the SHA-256 (hex) of what decides: evidence belongs to one digest, whatever mode and expiry say."""
    extension = document.get("apisec") or {}
    decisive = {key: document.get(key) for key in ("logsource", "detection", "correlation")}
    decisive["requires"] = extension.get("requires")
    return hashlib.sha256(json.dumps(decisive, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


# --- head -------------------------------------------------------------------------------------------------


def _mapping(value: Any, where: str) -> Dict[str, Any]:
    if not isinstance(value, Mapping):
        raise PatternError("a mapping is needed" if value is None else f"{value!r:.60} is not a mapping", where=where)
    for key in value:
        if not isinstance(key, str):
            raise PatternError(f"the key {key!r} is not a text; quote it", where=where)
    return dict(value)


def _known(value: Mapping[str, Any], known: Tuple[str, ...], where: str) -> None:
    for key in value:
        if key not in known:
            path = f"{where}.{key}" if where else key
            raise PatternError(f"unknown key {key!r}{did_you_mean(key, known)}", where=path)


def _canonical(top: Mapping[str, Any]) -> Dict[str, Any]:
    try:
        text = json.dumps(top, allow_nan=False)
    except (TypeError, ValueError, RecursionError) as error:
        raise PatternError(f"not a JSON-like document: {error}", where="pattern") from None
    if len(text) > MAX_DOCUMENT:
        raise PatternError(f"a document of more than {MAX_DOCUMENT} characters", where="pattern")
    copy: Dict[str, Any] = json.loads(text)
    return copy


def _title(top: Mapping[str, Any]) -> str:
    title = top.get("title")
    if not isinstance(title, str) or not title.strip() or len(title) > 256:
        raise PatternError("a title of 1 to 256 characters is needed", where="title")
    status = top.get("status")
    if status is not None and status not in _STATUS:
        hint = " (shadow, canary and enforce belong to apisec.mode)" if status in MODES else ""
        raise PatternError(f"{status!r} is not one of {', '.join(_STATUS)}{hint}", where="status")
    return title


def _id(top: Mapping[str, Any]) -> str:
    try:
        return str(uuid.UUID(top["id"]))
    except (KeyError, ValueError, TypeError, AttributeError):
        raise PatternError("a UUID is needed, such as 929a690e-bef0-4204-a928-ef5e620d6fcc", where="id") from None


def _logsource(top: Mapping[str, Any]) -> str:
    source = _mapping(top.get("logsource"), "logsource")
    _known(source, ("category", "product", "service", "definition"), "logsource")
    for key, wanted in (("category", "api"), ("product", "apisec")):
        if source.get(key) != wanted:
            raise PatternError(f"must be {wanted!r}, not {source.get(key)!r}", where=f"logsource.{key}")
    service = source.get("service")
    if not isinstance(service, str) or not service or any(char in service for char in "*?"):
        raise PatternError("the name of one service is needed", where="logsource.service")
    return service


def _mode(extension: Mapping[str, Any]) -> Tuple[str, float]:
    mode = extension.get("mode", SHADOW)
    if mode not in MODES:
        raise PatternError(f"{mode!r} is not one of {', '.join(MODES)}", where="apisec.mode")
    percent = extension.get("canary_percent", DEFAULT_CANARY)
    if isinstance(percent, bool) or not isinstance(percent, (int, float)) or not 0 < percent <= MAX_CANARY:
        raise PatternError(
            f"{percent!r} is not a percentage above 0 and up to {MAX_CANARY:g}", where="apisec.canary_percent"
        )
    for key in ("reason", "created_by"):
        if not isinstance(extension.get(key, ""), str):
            raise PatternError("must be a text", where=f"apisec.{key}")
    if not isinstance(extension.get("evidence", {}), Mapping):
        raise PatternError("must be a mapping", where="apisec.evidence")
    return mode, float(percent) if mode == CANARY else (0.0 if mode == SHADOW else 100.0)


def _expires(extension: Mapping[str, Any], now: Optional[float]) -> float:
    if "expires" not in extension:
        raise PatternError("every pattern expires: give an RFC 3339 time at most 30 days ahead", where="apisec.expires")
    expires = spans.instant(extension["expires"], "apisec.expires")
    if now is not None and expires <= now:
        raise PatternError(f"{extension['expires']} has passed", where="apisec.expires")
    if now is not None and expires > now + MAX_LIFE:
        raise PatternError(f"{extension['expires']} is more than 30 days ahead", where="apisec.expires")
    return expires


# --- detection --------------------------------------------------------------------------------------------


def _detection(top: Mapping[str, Any], hidden: FrozenSet[str]) -> Tuple[Dict[str, Expression], Optional[Expression]]:
    detection = _mapping(top.get("detection"), "detection")
    if len(detection) > MAX_SELECTIONS + 1:
        raise PatternError(f"more than {MAX_SELECTIONS} selections", where="detection")
    selections = {
        name: _selection(body, f"detection.{name}") for name, body in detection.items() if name != "condition"
    }
    if not selections:
        raise PatternError("at least one selection is needed", where="detection")
    if "correlation" in top:
        if "condition" in detection:
            raise PatternError("a correlation's selections are its rules: remove the condition", where="detection")
        return selections, None
    whole = condition.parse(detection.get("condition"), selections, "detection.condition", hidden)
    late = sorted(name for name in expressions.names(whole) if fields.base(name) in fields.AFTERWARDS)
    if late:
        message = f"{late[0]!r} is known only after the response, so that no request can be refused by it"
        raise PatternError(f"{message}; use a correlation that counts earlier responses", where="detection")
    return selections, whole


def _selection(body: Any, where: str) -> Expression:
    if isinstance(body, list):
        if not body or len(body) > MAX_VALUES:
            raise PatternError(f"1 to {MAX_VALUES} maps are needed", where=where)
        if not all(isinstance(item, Mapping) for item in body):
            raise PatternError("keywords without a field are not supported: write 'field|contains: text'", where=where)
        parts = tuple(_selection(item, f"{where}[{index}]") for index, item in enumerate(body))
        return parts[0] if len(parts) == 1 else AnyOf(parts)
    content = _mapping(body, where)
    if not content:
        raise PatternError("an empty selection would match everything", where=where)
    found = tuple(_predicate(key, value, f"{where}.{key}") for key, value in content.items())
    return found[0] if len(found) == 1 else AllOf(found)


def _predicate(key: str, value: Any, where: str) -> Predicate:
    name, *rest = key.split("|")
    fields.check(name, where)
    wanted = value if isinstance(value, list) else [value]
    if not wanted or len(wanted) > MAX_VALUES:
        raise PatternError(f"1 to {MAX_VALUES} values are needed", where=where)
    mods = tuple(rest)
    kind = modifiers.check(name, mods, len(wanted), where)
    if kind == "exists":
        if len(wanted) != 1 or not isinstance(wanted[0], bool):
            raise PatternError("'exists' takes true or false", where=where)
        return Predicate(name, mods, tuple(wanted), exists=wanted[0])
    if None in wanted and (kind != "equals" or "all" in mods):
        raise PatternError("null stands for an absent field and takes no modifier", where=where)
    tests = tuple(modifiers.compile_test(kind, item, mods, where) for item in wanted if item is not None)
    return Predicate(name, mods, tuple(wanted), tests, every="all" in mods)


# --- correlation and required step ------------------------------------------------------------------------


def _group_by(value: Any, where: str) -> Tuple[str, ...]:
    names = [value] if isinstance(value, str) else value
    if not isinstance(names, list) or not names or len(names) > 4 or not all(isinstance(n, str) for n in names):
        raise PatternError("1 to 4 fields are needed, such as [principal]", where=where)
    for name in names:
        fields.check(name, where)
        if fields.base(name) in fields.AFTERWARDS:
            raise PatternError(f"{name!r} is known only after the response", where=where)
    if not set(names) & set(_ACTORS):
        message = f"group by who acts ({', '.join(_ACTORS)}); others may share everything else with an attacker"
        raise PatternError(message, where=where)
    return tuple(names)


def _correlation(top: Mapping[str, Any], selections: Mapping[str, Expression]) -> Optional[Correlation]:
    if "correlation" not in top:
        return None
    body = _mapping(top["correlation"], "correlation")
    _known(body, _CORRELATION, "correlation")
    kind = body.get("type")
    if kind not in _TYPES:
        raise PatternError(f"{kind!r} is not one of {', '.join(_TYPES)}", where="correlation.type")
    rules = _rules(body.get("rules"), selections, kind)
    threshold, counted = _threshold(body.get("condition"), kind, len(rules))
    return Correlation(
        kind=kind,
        rules=rules,
        group_by=_group_by(body.get("group-by"), "correlation.group-by"),
        timespan=spans.timespan(body.get("timespan"), "correlation.timespan", MAX_TIMESPAN),
        threshold=threshold,
        field=counted,
    )


def _rules(value: Any, selections: Mapping[str, Expression], kind: str) -> Tuple[Tuple[str, Expression], ...]:
    where = "correlation.rules"
    names: List[Any] = [value] if isinstance(value, str) else value
    if not isinstance(names, list) or not names or len(names) > 16 or len(set(map(str, names))) != len(names):
        raise PatternError("1 to 16 different names of selections are needed", where=where)
    for name in names:
        if name not in selections:
            raise PatternError(f"no selection is named {name!r}{did_you_mean(str(name), selections)}", where=where)
    if kind.startswith("temporal") and len(names) < 2:
        raise PatternError(f"{kind} needs two rules or more", where=where)
    return tuple((name, selections[name]) for name in names)


def _threshold(value: Any, kind: str, rules: int) -> Tuple[int, Optional[str]]:
    where = "correlation.condition"
    if kind.startswith("temporal"):
        if value is not None:
            raise PatternError(f"{kind} needs all of its rules; remove the condition", where=where)
        return rules, None
    body = _mapping(value, where)
    _known(body, ("gt", "gte", "field") if kind == "value_count" else ("gt", "gte"), where)
    counted = body.pop("field", None)
    if kind == "value_count":
        if not isinstance(counted, str):
            raise PatternError("value_count needs the field whose values are counted", where=where)
        fields.check(counted, f"{where}.field")
    if len(body) != 1:
        raise PatternError("exactly one of gt and gte is needed: a block begins above a bound", where=where)
    operator, number = next(iter(body.items()))
    if isinstance(number, bool) or not isinstance(number, int) or not 1 <= number <= MAX_THRESHOLD:
        raise PatternError(f"{number!r} is not a whole number from 1 to {MAX_THRESHOLD}", where=f"{where}.{operator}")
    return number + (operator == "gt"), counted


def _required_name(requires: Any) -> FrozenSet[str]:
    name = requires.get("selection") if isinstance(requires, Mapping) else None
    return frozenset([name]) if isinstance(name, str) else frozenset()


def _requirement(requires: Any, selections: Mapping[str, Expression]) -> Optional[Requirement]:
    if requires is None:
        return None
    body = _mapping(requires, "apisec.requires")
    _known(body, _REQUIRES, "apisec.requires")
    name = body.get("selection")
    if not isinstance(name, str) or name not in selections:
        hint = did_you_mean(str(name), selections)
        raise PatternError(f"no selection is named {name!r}{hint}", where="apisec.requires.selection")
    step = selections[name]
    for field in sorted(expressions.names(step)):
        if fields.base(field) not in _STEP_FIELDS:
            known = ", ".join(sorted(_STEP_FIELDS))
            raise PatternError(f"a required step is told by {known}, not {field!r}", where=f"detection.{name}")
    if expressions.narrowness(step) != expressions.NARROW:
        raise PatternError("nearly every request would count as the required step", where=f"detection.{name}")
    group_by = _group_by(body.get("group-by", ["principal"]), "apisec.requires.group-by")
    if "principal" not in group_by or any(fields.base(g) not in ("principal", "object_ids") for g in group_by):
        raise PatternError("takes principal and object_ids.<name>", where="apisec.requires.group-by")
    timespan = spans.timespan(body.get("timespan"), "apisec.requires.timespan", MAX_TIMESPAN)
    warmup = min(timespan, DEFAULT_WARMUP)
    if "warmup" in body:
        warmup = spans.timespan(body["warmup"], "apisec.requires.warmup", timespan)
    return Requirement(name, step, group_by, timespan, warmup)


def _check_narrow(whole: Optional[Expression], correlation: Optional[Correlation]) -> None:
    checked = [("detection", whole)] if whole is not None else []
    for name, rule in correlation.rules if correlation else ():
        checked.append((f"detection.{name}", rule))
    for where, expression in checked:
        kind = expressions.narrowness(expression)
        if kind == expressions.BY_ADDRESS:
            message = "selects by address or TLS fingerprint alone, which would lock out everyone who shares it"
            raise PatternError(f"{message}; add an operation, a signal or a principal", where=where)
        if kind == expressions.EVERYTHING:
            raise PatternError("would match (nearly) everything; name an operation, signal or principal", where=where)
