"""What an environment has seen: the sensitive fields that traffic really carried, with the classes it showed.

    apisec_seen: 1
    service: shop
    environment: DEV
    since: 2026-11-14T00:00:00Z
    until: 2026-11-21T00:00:00Z
    transactions: 120344
    fields:
      - {operation: POST /pay, in: body, path: card.number, class: pci.pan, samples: 812}

Only names and classes stand in it, never a value. A bundle is promoted only when it classifies each of these fields.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any, Dict, Iterable, Iterator, List, Mapping, NamedTuple, Optional, Set, Tuple

from apisec.bundles import canonical
from apisec.bundles.reading import NAME, Reading
from apisec.classification.classes import BY_NAME, PERSONAL, sensitivity
from apisec.classification.overrides import LOCATIONS, Overrides
from apisec.errors import did_you_mean
from apisec.patterns import spans

FORMAT = 1
MAX_FIELDS = 20_000
_KEYS = ("apisec_seen", "service", "environment", "since", "until", "transactions", "fields")
_FIELD = ("operation", "in", "path", "class", "samples")


class Field(NamedTuple):
    """One field with a class that it showed (in a document the most sensitive one), and in how many values it did."""

    operation: str
    location: str
    path: str
    data_class: str
    samples: int


@dataclass(frozen=True)
class Seen:
    """A document of fields seen; times are seconds since the epoch."""

    service: str
    environment: str
    since: float
    until: float
    fields: Tuple[Field, ...]
    digest: str
    document: Mapping[str, Any] = field(compare=False, repr=False)

    def unclassified(self, overrides: Overrides) -> List[Field]:
        """Return the sensitive fields that no override names."""
        return [
            one
            for one in self.fields
            if sensitivity(one.data_class) >= PERSONAL
            and overrides.find(self.service, one.operation, one.location, one.path) is None
        ]


def parse(document: Any, where: str = "seen") -> Seen:
    """Return the document; DocumentError with one line for each thing that is wrong, led by ``where``."""
    reading = Reading()
    top = reading.mapping(document, "", _KEYS, _KEYS)
    reading.done(where)
    if top["apisec_seen"] != FORMAT or isinstance(top["apisec_seen"], bool):
        reading.add("apisec_seen", f"must be {FORMAT}: the only format that this apisec reads")
    reading.whole(top["transactions"], "transactions", 0, 2**53)
    listed = top["fields"]
    if not isinstance(listed, list) or len(listed) > MAX_FIELDS:
        reading.add("fields", f"must be a list of at most {MAX_FIELDS} fields")
        listed = []
    found = Seen(
        service=reading.text(top["service"], "service", NAME, "a service's name"),
        environment=reading.text(top["environment"], "environment", NAME, "an environment's name"),
        since=reading.instant(top["since"], "since"),
        until=reading.instant(top["until"], "until"),
        fields=tuple(_field(reading, entry, f"fields[{index}]") for index, entry in enumerate(listed)),
        digest=canonical.digest(dict(document)) if not reading.problems else "",
        document=dict(document),
    )
    if found.since > found.until:
        reading.add("until", "is before since")
    reading.done(where)
    return found


def _field(reading: Reading, entry: Any, at: str) -> Field:
    body = reading.mapping(entry, at, _FIELD, _FIELD)
    data_class = reading.text(body.get("class"), f"{at}.class")
    if data_class and data_class not in BY_NAME:
        reading.add(f"{at}.class", f"no data class {data_class!r}{did_you_mean(data_class, BY_NAME)}")
    location = reading.text(body.get("in"), f"{at}.in")
    if location and location not in LOCATIONS:
        reading.add(f"{at}.in", f"must be one of {', '.join(LOCATIONS)}")
    return Field(
        reading.text(body.get("operation"), f"{at}.operation"),
        location,
        reading.text(body.get("path"), f"{at}.path"),
        data_class,
        reading.whole(body.get("samples"), f"{at}.samples", 1, 2**53),
    )


def collect(events: Iterable[Mapping[str, Any]], service: str, environment: str) -> Dict[str, Any]:
    """Return the document for the events (apisec:transaction) of one service and environment, in any order."""
    shown: Counter[Tuple[str, str, str, str]] = Counter()
    places: Set[Tuple[str, str, str]] = set()
    times: List[float] = []
    count = 0
    for event in events:
        if event.get("service") != service or event.get("env") != environment:
            continue
        count += 1
        moment = event.get("time")
        if isinstance(moment, (int, float)):
            times = [min(*times, moment), max(*times, moment)] if times else [moment, moment]
        for key, data_class in _shown(event):
            if key in places or len(places) < MAX_FIELDS:
                places.add(key)
                shown[(*key, data_class)] += 1
    since, until = (times[0], times[1]) if times else (0.0, 0.0)
    found = (Field(*key, samples) for key, samples in shown.items())
    return of_fields(found, service, environment, since, until, count)


def of_fields(
    fields: Iterable[Field], service: str, environment: str, since: float, until: float, transactions: int
) -> Dict[str, Any]:
    """Return the document for what fields showed; of several classes of a field the most sensitive one stands.

    Times are seconds since the epoch. Classes that say nothing of a person are left out.
    """
    classes: Dict[Tuple[str, str, str], Counter[str]] = {}
    for row in fields:
        if row.location not in LOCATIONS or _sensitive([row.data_class]) is None:
            continue
        if row[:3] in classes or len(classes) < MAX_FIELDS:
            classes.setdefault(row[:3], Counter())[row.data_class] += row.samples
    rows = []
    for (operation, location, path), counted in sorted(classes.items()):
        name = max(counted, key=lambda one: (sensitivity(one), counted[one], one))
        samples = sum(counted.values())
        rows.append({"operation": operation, "in": location, "path": path, "class": name, "samples": samples})
    return {
        "apisec_seen": FORMAT,
        "service": service,
        "environment": environment,
        "since": spans.rfc3339(since),
        "until": spans.rfc3339(until),
        "transactions": transactions,
        "fields": rows,
    }


def _shown(event: Mapping[str, Any]) -> Iterator[Tuple[Tuple[str, str, str], str]]:
    operation = event.get("operation")
    for name in ("request_fields", "response_fields"):
        listed = event.get(name)
        for one in listed if isinstance(listed, list) else ():
            shown = _sensitive(one.get("classes")) if isinstance(one, Mapping) else None
            if shown is not None and isinstance(operation, str) and one.get("in") in LOCATIONS:
                yield (operation, one["in"], str(one.get("path"))), shown


def _sensitive(classes: Any) -> Optional[str]:
    """Return the most sensitive of a field's classes, None when none is a person's."""
    listed = classes if isinstance(classes, list) else [classes]
    known = [one for one in listed if one in BY_NAME and sensitivity(one) >= PERSONAL]
    return max(known, key=lambda one: (sensitivity(one), one)) if known else None
