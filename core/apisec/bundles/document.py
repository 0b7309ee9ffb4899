"""A bundle: what one service's team says of it, as one document that is the same in every environment.

apisec_bundle: 1
service: shop
version: 7
base: sha256:…                     # of the bundle that it was made from; absent in the first
ancestors: [sha256:…]              # what base itself was made from, newest first
environments: [DEV, QA, PROD]      # the way that it takes
made: {author: ada@example.org, reason: article codes are no cards, at: 2026-11-21T09:00:00Z}
ownership:
  team: commerce
  hosts: {DEV: [shop.dev.example], PROD: [shop.example]}   # or one list for all; absent: as configured
  paths: [/v1]
  gateways: ["edge-*"]             # absent: every gateway
specs: [{url: "https://specs.example/shop.json", sha256: "sha256:…"}]
overrides: [{operation: "GET /items/*", in: body, path: "items[].code", class: none, author: …, reason: …}]
patterns: [{title: …, id: …, logsource: …, detection: …, apisec: …}]
thresholds: {false_positive_limit: 0.005, redaction: strict}
exceptions: [{family: scraping, operation: "GET /items/*", author: …, reason: …, expires: 2027-01-31}]
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any, Dict, List, Mapping, Optional, Tuple

from apisec.bundles import canonical
from apisec.bundles.reading import DIGEST, NAME, Reading
from apisec.classification.globs import fits
from apisec.classification.overrides import Override, Overrides, place, read
from apisec.dispositions import exceptions as dispositions
from apisec.dispositions.exceptions import Exemption
from apisec.errors import DocumentError, PatternError
from apisec.model.pattern import Pattern
from apisec.patterns import document as pattern_documents

FORMAT = 1
MAX_VERSION = 10**9
MAX_ANCESTORS = 200
MAX_ENVIRONMENTS = 10
MAX_PATTERNS = 200
MAX_SPECS = 50
MAX_EXCEPTIONS = 1_000
MODES = ("balanced", "strict")

_KEYS = (
    "apisec_bundle", "service", "version", "base", "ancestors", "environments", "made", "ownership", "specs",
    "overrides", "patterns", "thresholds", "exceptions",
)  # fmt: skip
_REQUIRED = ("apisec_bundle", "service", "version", "environments", "made", "ownership")
_HOST = re.compile(r"\*|(\*\.)?[A-Za-z0-9.:\[\]-]{1,253}")
_PATH = re.compile(r"/[^\x00-\x20\x7f?#]*")
_GLOB = re.compile(r"[A-Za-z0-9._*-]{1,64}")
_URL = re.compile(r"https?://[^\s/?#]+[^\s#]*|file:[^\s]+")


@dataclass(frozen=True)
class Made:
    """Provenance: who made this version, why, and when (seconds since the epoch)."""

    author: str
    reason: str
    at: float


@dataclass(frozen=True)
class Spec:
    """Where the service's OpenAPI document stands, and its SHA-256."""

    url: str
    sha256: str


@dataclass(frozen=True)
class Ownership:
    """Which traffic is the service's. ``hosts`` by environment, or under ``*`` for all; empty: as configured."""

    team: str
    hosts: Mapping[str, Tuple[str, ...]]
    paths: Tuple[str, ...]
    gateways: Tuple[str, ...]

    def hosts_in(self, environment: str) -> Tuple[str, ...]:
        return self.hosts.get(environment, self.hosts.get("*", ()))

    def covers(self, gateway: str) -> bool:
        return not self.gateways or any(fits(glob, gateway) for glob in self.gateways)


@dataclass(frozen=True)
class Bundle:
    """A bundle, read. ``digest`` is that of the whole document; ``limit`` and ``mode`` are its thresholds."""

    service: str
    version: int
    base: Optional[str]
    ancestors: Tuple[str, ...]
    environments: Tuple[str, ...]
    made: Made
    ownership: Ownership
    specs: Tuple[Spec, ...]
    overrides: Overrides
    patterns: Tuple[Pattern, ...]
    limit: Optional[float]
    mode: Optional[str]
    exceptions: Tuple[Exemption, ...]
    digest: str
    document: Mapping[str, Any] = field(compare=False, repr=False)

    def descends(self, digest: str) -> bool:
        """Whether this one was made from the bundle of that digest, at once or by steps between."""
        return digest == self.base or digest in self.ancestors

    def before(self, environment: str) -> Optional[str]:
        """Return the environment that a bundle must come from, None for the first of the chain."""
        place_in_chain = self.environments.index(environment)
        return self.environments[place_in_chain - 1] if place_in_chain else None


def parse(document: Any, where: str = "bundle") -> Bundle:
    """Return the bundle; DocumentError with one line for each thing that is wrong, led by ``where``."""
    reading = Reading()
    top = reading.mapping(document, "", _KEYS, _REQUIRED)
    reading.done(where)
    if top["apisec_bundle"] != FORMAT or isinstance(top["apisec_bundle"], bool):
        reading.add("apisec_bundle", f"must be {FORMAT}: the only format that this apisec reads")
    service = reading.text(top["service"], "service", NAME, "a service's name")
    limit, mode = _thresholds(reading, top.get("thresholds"))
    try:
        digest = canonical.digest(dict(document))
    except DocumentError as error:
        reading.add("", str(error))
        digest = ""
    bundle = Bundle(
        service=service,
        version=reading.whole(top["version"], "version", 1, MAX_VERSION),
        base=reading.text(top.get("base"), "base", DIGEST, "sha256: and 64 hexadecimal digits") or None,
        ancestors=reading.texts(top.get("ancestors"), "ancestors", MAX_ANCESTORS, DIGEST, "a digest"),
        environments=_environments(reading, top["environments"]),
        made=_made(reading, top["made"]),
        ownership=_ownership(reading, top["ownership"]),
        specs=_specs(reading, top.get("specs")),
        overrides=_overrides(reading, top.get("overrides"), service),
        patterns=_patterns(reading, top.get("patterns"), service),
        limit=limit,
        mode=mode,
        exceptions=_exceptions(reading, top.get("exceptions"), service),
        digest=digest,
        document=dict(document),
    )
    if bundle.ancestors and bundle.base is None:
        reading.add("ancestors", "need a base")
    reading.done(where)
    return bundle


def override_document(one: Override) -> Dict[str, Any]:
    """Return an override as a bundle writes it."""
    found: Dict[str, Any] = {"operation": one.operation, "in": one.location, "path": one.path, "class": one.data_class}
    found.update(author=one.author, reason=one.reason)
    found["expires"] = one.expires.isoformat() if one.expires is not None else None
    return {key: value for key, value in found.items() if value is not None}


def exception_document(one: Exemption) -> Dict[str, str]:
    """Return an exception as a bundle writes it."""
    return {name: value for name, value in one.to_document().items() if name != "service"}


def successor(former: Bundle, made: Mapping[str, Any]) -> Dict[str, Any]:
    """Return the document of the next version, with the same content, made from ``former``."""
    ancestors = ([former.base] if former.base else []) + list(former.ancestors)
    document = {**former.document, "version": former.version + 1, "base": former.digest, "made": dict(made)}
    document.pop("ancestors", None)
    if ancestors:
        document["ancestors"] = ancestors[:MAX_ANCESTORS]
    return document


def _environments(reading: Reading, value: Any) -> Tuple[str, ...]:
    found = reading.texts(value, "environments", MAX_ENVIRONMENTS, NAME, "an environment's name such as DEV")
    if not found:
        reading.add("environments", "must name the environments in the order of promotion, such as [DEV, QA, PROD]")
    return found


def _made(reading: Reading, value: Any) -> Made:
    body = reading.mapping(value, "made", ("author", "reason", "at"), ("author", "reason", "at"))
    return Made(
        reading.text(body.get("author"), "made.author"),
        reading.text(body.get("reason"), "made.reason"),
        reading.instant(body.get("at"), "made.at"),
    )


def _ownership(reading: Reading, value: Any) -> Ownership:
    body = reading.mapping(value, "ownership", ("team", "hosts", "paths", "gateways"), ("team",))
    hosts = body.get("hosts")
    by_environment = hosts if isinstance(hosts, Mapping) else {"*": hosts} if hosts is not None else {}
    found: Dict[str, Tuple[str, ...]] = {}
    for name, listed in by_environment.items():
        at = "ownership.hosts" if name == "*" else f"ownership.hosts.{name}"
        if name != "*":
            reading.text(name, at, NAME, "under an environment's name")
        found[str(name)] = reading.texts(listed, at, 1000, _HOST, "a host, *.domain or *")
    return Ownership(
        reading.text(body.get("team"), "ownership.team", NAME, "a team's name"),
        found,
        reading.texts(body.get("paths"), "ownership.paths", 1000, _PATH, "a path prefix that begins with /"),
        reading.texts(body.get("gateways"), "ownership.gateways", 100, _GLOB, "a gateway's name, * for any part"),
    )


def _specs(reading: Reading, value: Any) -> Tuple[Spec, ...]:
    if value is None:
        return ()
    if not isinstance(value, list) or len(value) > MAX_SPECS:
        reading.add("specs", f"must be a list of at most {MAX_SPECS} entries with url and sha256")
        return ()
    found: List[Spec] = []
    for index, entry in enumerate(value):
        at = f"specs[{index}]"
        body = reading.mapping(entry, at, ("url", "sha256"), ("url", "sha256"))
        url = reading.text(body.get("url"), f"{at}.url", _URL, "a URL: https://…, http://… or file:…")
        found.append(Spec(url, reading.text(body.get("sha256"), f"{at}.sha256", DIGEST, "sha256: and 64 digits")))
    return tuple(found)


def _overrides(reading: Reading, value: Any, service: str) -> Overrides:
    if value is None:
        return Overrides()
    if not isinstance(value, list):
        reading.add("overrides", "must be a list")
        return Overrides()
    entries: List[Any] = []
    for index, entry in enumerate(value):
        if isinstance(entry, Mapping) and "service" in entry:
            reading.add(f"overrides[{index}].service", "is the bundle's; leave it out")
        entries.append({"service": service, **entry} if isinstance(entry, Mapping) else entry)
    overrides, problems = read({"version": 1, "overrides": entries})
    for problem in problems:
        reading.add(place(problem.at), problem.message)
    return overrides


def _exceptions(reading: Reading, value: Any, service: str) -> Tuple[Exemption, ...]:
    if value is None:
        return ()
    if not isinstance(value, list) or len(value) > MAX_EXCEPTIONS:
        reading.add("exceptions", f"must be a list of at most {MAX_EXCEPTIONS} exceptions")
        return ()
    found: Dict[str, Exemption] = {}
    for index, entry in enumerate(value):
        at = f"exceptions[{index}]"
        for name, why in (("service", "is the bundle's"), ("principal", "is a token of one environment")):
            if isinstance(entry, Mapping) and name in entry:
                reading.add(f"{at}.{name}", f"{why}; leave it out")
        try:
            one = dispositions.parse({**entry, "service": service} if isinstance(entry, Mapping) else entry, at)
        except DocumentError as error:
            reading.problems += str(error).splitlines()
            continue
        if one.key in found:
            reading.add(at, "is for the same as one before; keep one")
        found[one.key] = one
    return tuple(found.values())


def _patterns(reading: Reading, value: Any, service: str) -> Tuple[Pattern, ...]:
    if value is None:
        return ()
    if not isinstance(value, list) or len(value) > MAX_PATTERNS:
        reading.add("patterns", f"must be a list of at most {MAX_PATTERNS} block patterns")
        return ()
    found: List[Pattern] = []
    for index, entry in enumerate(value):
        try:
            pattern = pattern_documents.parse(entry)
        except PatternError as error:
            reading.add(f"patterns[{index}]", str(error))
            continue
        if pattern.service != service:
            reading.add(f"patterns[{index}].logsource.service", f"must be the bundle's service {service!r}")
        if any(pattern.id == other.id for other in found):
            reading.add(f"patterns[{index}].id", "stands twice")
        found.append(pattern)
    return tuple(found)


def _thresholds(reading: Reading, value: Any) -> Tuple[Optional[float], Optional[str]]:
    if value is None:
        return None, None
    body = reading.mapping(value, "thresholds", ("false_positive_limit", "redaction"))
    limit, mode = body.get("false_positive_limit"), body.get("redaction")
    if limit is not None and (isinstance(limit, bool) or not isinstance(limit, (int, float)) or not 0 < limit <= 1):
        reading.add("thresholds.false_positive_limit", "must be a share above 0 and up to 1")
        limit = None
    if mode is not None and mode not in MODES:
        reading.add("thresholds.redaction", "must be balanced or strict")
        mode = None
    return (float(limit) if limit is not None else None), mode
