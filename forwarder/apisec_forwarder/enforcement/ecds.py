"""The file by which Envoy learns its rules: an ECDS resource, replaced by rename in a watched folder."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from apisec_forwarder.files import private_directory, write_private

Node = dict[str, Any]

FILTER = "apisec.rbac"  # the filter's name, and so the resource's
RBAC = "type.googleapis.com/envoy.extensions.filters.http.rbac.v3.RBAC"
_EXTENSION = "type.googleapis.com/envoy.config.core.v3.TypedExtensionConfig"
OPEN: Node = {"action": "DENY", "policies": {}}  # nothing is denied; empty `resources` would keep the old rules
MAX_BYTES = 8 * 2**20


def rules_file(directory: Path) -> Path:
    return directory / "apisec-rbac.json"


def prepare(directory: Path) -> None:
    """Make the folder and, when there is none, an open rules file: Envoy wants it at its start."""
    private_directory(directory)
    if not rules_file(directory).exists():
        write(directory, OPEN, OPEN)


def write(directory: Path, rules: Node, shadow_rules: Node) -> None:
    """Check and put into force; raises ValueError and changes nothing when Envoy would refuse it.

    Envoy keeps the last good rules when a file is bad, so that a bad file would silently keep a lifted pattern.
    """
    check(rules)
    check(shadow_rules)
    typed = {"@type": RBAC, "rules": rules, "shadow_rules": shadow_rules}
    version = hashlib.sha256(json.dumps(typed, sort_keys=True).encode()).hexdigest()[:16]
    resource = {"@type": _EXTENSION, "name": FILTER, "typed_config": typed}
    document = {"version_info": version, "resources": [resource]}
    data = json.dumps(document, ensure_ascii=True).encode()
    if len(data) > MAX_BYTES:
        raise ValueError(f"rules of {len(data)} bytes; at most {MAX_BYTES} are written")
    write_private(rules_file(directory), data, durable=False)


_PERMISSIONS = {"and_rules", "or_rules", "not_rule", "url_path", "header", "any"}
_NOT_RE2 = re.compile(r"\(\?(?:[=!<>]|P=)|\\[1-9]|[*+?}]\+")  # look-around, back-references, possessive


def check(rules: Node) -> None:
    """Raise ValueError for what Envoy would not take, of the forms that ``compile`` makes."""
    if rules.get("action") != "DENY" or set(rules) != {"action", "policies"}:
        raise ValueError("rules must be a DENY of policies")
    for name, policy in rules["policies"].items():
        if not name or set(policy) != {"permissions", "principals"} or policy["principals"] != [{"any": True}]:
            raise ValueError(f"policy {name!r} is not of our form")
        if not policy["permissions"]:
            raise ValueError(f"policy {name!r} has no permission")
        for permission in policy["permissions"]:
            _check_permission(permission)


def _check_permission(permission: Node) -> None:
    if len(permission) != 1 or not set(permission) <= _PERMISSIONS:
        raise ValueError(f"unknown permission {sorted(permission)}")
    (kind, value) = next(iter(permission.items()))
    if kind in ("and_rules", "or_rules"):
        if not value["rules"]:
            raise ValueError(f"{kind} without rules")
        for rule in value["rules"]:
            _check_permission(rule)
    elif kind == "not_rule":
        _check_permission(value)
    for pattern in _regexes(value) if kind in ("url_path", "header") else ():
        if _NOT_RE2.search(pattern):
            raise ValueError("a regular expression that RE2 does not know")
        re.compile(pattern)


def _regexes(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for key, item in value.items():
            if key == "regex":
                yield item
            else:
                yield from _regexes(item)
