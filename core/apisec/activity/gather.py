"""From events to activity rows."""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from functools import lru_cache
from typing import Any, Dict, List, Optional, Tuple

from apisec.activity.answers import meant
from apisec.activity.asked import values_of
from apisec.activity.bodies import NOTHING, read_body
from apisec.activity.client import ClientKey, client_of
from apisec.activity.hashing import value_hash32
from apisec.activity.logins import count_accounts
from apisec.activity.operation import MAX_OBJECTS, OperationActivity
from apisec.activity.parts import MAX_CREDENTIAL_CLIENTS, ClientUse, lesser
from apisec.activity.plans import Asked, answered, asked
from apisec.activity.row import MAX_CLIENTS, MAX_OPERATIONS, SLOT_SECONDS, Row
from apisec.activity.steps import GAVE, Step
from apisec.baselines.values import event_time, mappings, number, text, texts, whole
from apisec.endpoints.inventory.reading import read

MAX_ROWS = 200_000  # of one Activity: what is beyond counts as dropped
MAX_TIME = 4_102_444_800.0  # the year 2100; later times were not made by a clock
MAX_OBJECT_IDS = 32  # of one request
MAX_STEP_IDS = 8  # that an answer gave
MAX_OPERATION = 400  # characters
MAX_NAME = 64  # of an id
MAX_STATUS = 999
MAX_BODY_OPERATION = 80  # characters of what GraphQL, JSON-RPC or SOAP asks for
MAX_SIGNALS = 64  # of one request
LARGE_BYTES = 10_000  # smaller responses are no example of a large one
MAX_BYTES = 1 << 40
MAX_MILLISECONDS = 86_400_000.0
# Kinds of examples.
ANY, FAILURE, OBJECT, REFUSED, LARGE, SIGNAL = "any", "failure", "object", "refused", "large", "signal:"
_MANY = 64  # names in a small count before it is cut to its bound
_READING = frozenset(("GET", "HEAD", "OPTIONS"))
_REFUSED, _MISSED = frozenset((401, 403)), frozenset((401, 403, 404))
_ANSWER = "response"  # begins the ``where`` of signals of responses

Key = Tuple[str, str, int]
ClientFields = Tuple[Any, Any, Any]


class Activity:
    """Rows under way, by service, principal and slot; ``dropped`` counts what is no transaction, or too much."""

    def __init__(self, max_rows: int = MAX_ROWS) -> None:
        self._rows: Dict[Key, Row] = {}
        self._clients: Dict[ClientFields, ClientKey] = {}
        self._max_rows = max_rows
        self.dropped = 0

    def __len__(self) -> int:
        return len(self._rows)

    def add_raw(self, raw: str, time: Any = None) -> None:
        """Count the event of a JSON text; ``time`` counts where the event has none."""
        event = read(raw, time)
        if event is None:
            self.dropped += 1
        else:
            self.add(event)

    def add(self, event: Mapping[str, Any]) -> None:
        """Count an event, which may have travelled through Splunk."""
        operation, principal = text(event.get("operation"), MAX_OPERATION), text(event.get("principal"), 128)
        body_operation = event.get("body_operation")
        if body_operation:
            operation = f"{operation}#{text(body_operation, MAX_BODY_OPERATION)}"
        time = event_time(event)
        if not operation or not principal or not 0.0 < time < MAX_TIME:
            self.dropped += 1
            return
        milliseconds = int(time * 1000.0 + 0.5)
        slot = milliseconds // (SLOT_SECONDS * 1000)
        row = self._row((text(event.get("service")), principal, slot))
        if row is None:
            self.dropped += 1
            return
        _count(row, event, operation, milliseconds, self._client(event))

    def add_row(self, row: Row) -> None:
        """Count a row that was made elsewhere; the row belongs to this object then."""
        known = self._rows.get(row.key)
        if known is not None:
            known.merge(row)
        elif len(self._rows) < self._max_rows:
            self._rows[row.key] = row
        else:
            self.dropped += row.requests + row.blocked

    def merge(self, other: Activity) -> None:
        self.dropped += other.dropped
        for row in other._rows.values():
            self.add_row(row)

    def rows(self) -> List[Row]:
        """Return the rows by slot, service and principal, each within its bounds."""
        ordered = sorted(self._rows.values(), key=lambda row: (row.slot, row.service, row.principal))
        for row in ordered:
            row.close()
        return ordered

    def _row(self, key: Key) -> Optional[Row]:
        row = self._rows.get(key)
        if row is None and len(self._rows) < self._max_rows:
            row = self._rows[key] = Row(*key)
        return row

    def _client(self, event: Mapping[str, Any]) -> ClientKey:
        fields = (event.get("src"), event.get("http_user_agent"), event.get("ja4"))
        try:
            found = self._clients.get(fields)
        except TypeError:  # lists: no client of a forwarder's
            return client_of(*fields)
        if found is None:
            found = client_of(*fields)
            if len(self._clients) < MAX_ROWS:
                self._clients[fields] = found
        return found


def _count(row: Row, event: Mapping[str, Any], operation: str, milliseconds: int, client: ClientKey) -> None:
    time = milliseconds / 1000.0
    team, kind = text(event.get("team"), 128), text(event.get("principal_kind"), 32)
    if team != row.team:
        row.team = lesser(row.team, team)
    if kind != row.kind:
        row.kind = lesser(row.kind, kind)
    if not row.first or time < row.first:
        row.first = time
    if time > row.last:
        row.last = time
    activity = _operation(row, operation)
    activity.seen(time)
    if event.get("action") == "blocked":
        activity.blocked += 1
        return
    row.requests += 1
    status = _status(event)
    identifier = text(event.get("id"), 128)
    fields = asked(event.get("request_fields"))
    _count_client(row, event, client, time, status)
    _count_request(activity, event, fields, status)
    seconds = milliseconds // 1000 - row.slot * SLOT_SECONDS
    ids = _objects(activity, event, fields, status, seconds)
    given = _count_response(row, activity, event, status, ids, seconds)
    count_accounts(row, activity, event, fields, status)
    signals = event.get("signals")
    if signals:
        families = _count_signals(row, signals, operation, status)
        for family in families:
            row.add_example(SIGNAL + family, milliseconds, identifier)
    _examples(row, identifier, milliseconds, status, bool(ids), _bytes(event.get("bytes_out")))
    if given and text(event.get("http_method"), 16) not in _READING:
        ids = (*ids, GAVE, *sorted(given)[:MAX_STEP_IDS])
    row.add_step(Step(time, operation, status, ids, _session(event)))


def _status(event: Mapping[str, Any]) -> int:
    """Return the status that the answer means, whatever it came under."""
    status = whole(event.get("status"))
    if 200 <= status < 300:
        return meant(status, answered(event.get("response_fields")).errs, event.get("response_body"))
    return status if 0 <= status <= MAX_STATUS else 0


def _operation(row: Row, operation: str) -> OperationActivity:
    activity = row.operations.get(operation)
    if activity is None:
        row.operation_hashes.add(value_hash32(operation))
        if len(row.operations) > 2 * MAX_OPERATIONS:
            row.trim_operations()
        activity = row.operations[operation] = OperationActivity()
    return activity


def _count_client(row: Row, event: Mapping[str, Any], client: ClientKey, time: float, status: int) -> None:
    failed = status >= 400
    use = row.clients.get(client)
    if use is None:
        use = row.clients[client] = ClientUse()
        if len(row.clients) > 2 * MAX_CLIENTS:
            row.trim_uses()
    use.add(time, failed)
    source = text(event.get("src"), 64)
    if source and source not in row.sources:
        row.add_source(source)
    credential = text(event.get("auth_token"), 128) or text(event.get("session"), 128)
    if credential:
        held = row.credentials.get(credential)
        if held is None:
            held = row.add_credential(credential)
        by_client = held.clients.get(client)
        if by_client is None:
            by_client = held.clients[client] = ClientUse()
            if len(held.clients) > 2 * MAX_CREDENTIAL_CLIENTS:
                held.trim()
        by_client.add(time, failed)
    user = event.get("user")
    if user and user not in row.users:
        row.add_user(text(user, 128))


def _count_request(activity: OperationActivity, event: Mapping[str, Any], fields: Asked, status: int) -> None:
    activity.requests += 1
    statuses = activity.statuses
    statuses[status] = statuses.get(status, 0) + 1
    if len(statuses) > _MANY:
        activity.trim()
    activity.bytes_in += _bytes(event.get("bytes_in"))
    took = event.get("response_time")
    if took:
        activity.microseconds += _microseconds(took)
    activity.count_fields(fields.fields)


def _objects(
    activity: OperationActivity, event: Mapping[str, Any], fields: Asked, status: int, seconds: int
) -> Tuple[int, ...]:
    """Count the ids asked for and return their hashes; ``seconds`` are those since the slot's start."""
    listed = texts(event.get("object_ids"), MAX_OBJECT_IDS)
    if not listed and fields.ids:  # of a body whose members the forwarder did not call ids
        listed = values_of(event, fields.ids)
    if not listed:
        return ()
    hashes: Dict[int, None] = {}
    objects = activity.objects
    for one in listed:
        name, _, value = one.partition("=")
        hashed = value_hash32(value)
        hashes[hashed] = None
        known = objects.get(hashed)
        if known is None or seconds < known:
            objects[hashed] = seconds
        name = name[:MAX_NAME]
        activity.object_names[name] = activity.object_names.get(name, 0) + 1
    if status in _MISSED:
        activity.refused.update(hashes.keys())
    if len(objects) > 2 * MAX_OBJECTS:
        activity.trim_objects()
    if len(activity.object_names) > _MANY:
        activity.trim()
    return tuple(hashes)


def _count_response(
    row: Row,
    activity: OperationActivity,
    event: Mapping[str, Any],
    status: int,
    asked_for: Tuple[int, ...],
    seconds: int,
) -> AbstractSet[int]:
    """Count what the response gave; return the ids in it that were not asked for."""
    size = _bytes(event.get("bytes_out"))
    activity.bytes_out += size
    if size > activity.largest_out:
        activity.largest_out = size
    body = event.get("response_body")
    shown = body if isinstance(body, str) else ""
    row.bodies_seen += shown != ""
    given = read_body(shown) if 200 <= status < 400 else NOTHING
    records = given.records
    ids = given.ids
    if ids:
        if not ids.isdisjoint(asked_for):
            ids = ids.difference(asked_for)
        row.add_issued(ids, seconds)
        for name, hashed in given.owners:
            row.add_owner(name, hashed)
    if records:
        activity.records += records
        activity.largest_records = max(activity.largest_records, records)
        activity.given.update(ids)
        activity.owners.update(given.listed)
    classed = 0
    for name, alone, listed in answered(event.get("response_fields")).classes:
        values = alone + listed * (records or 1)
        classed += values
        activity.classes[name] = activity.classes.get(name, 0) + values
    activity.sensitive += classed
    activity.largest_sensitive = max(activity.largest_sensitive, classed)
    return ids


def _count_signals(row: Row, signals: Any, operation: str, status: int) -> List[str]:
    """Count signals by family and return the families."""
    miss: Dict[str, float] = {}
    told: Dict[str, List[Mapping[str, Any]]] = {}
    answer = False
    for signal in mappings(signals, MAX_SIGNALS):
        family, where = text(signal.get("family"), 64), text(signal.get("where"), 200)
        if not family:
            continue
        answer = answer or where.startswith(_ANSWER)
        score = min(max(number(signal.get("score")) or 0.0, 0.0), 1.0)
        miss[family] = miss.get(family, 1.0) * (1.0 - score)
        told.setdefault(family, []).append(signal)
    for family, found in told.items():
        one = row.signal(family)
        one.requests += 1
        one.answered += answer
        one.strength = max(one.strength, round(1.0 - miss[family], 4))
        one.operations[operation] = one.operations.get(operation, 0) + 1
        one.statuses[status] = one.statuses.get(status, 0) + 1
        for signal in found:
            for counts, name in ((one.detectors, "detector"), (one.where, "where")):
                value = text(signal.get(name), 200)
                counts[value] = counts.get(value, 0) + 1
        if len(one.operations) + len(one.statuses) + len(one.where) + len(one.detectors) > 2 * _MANY:
            one.trim()
    return list(told)


def _examples(row: Row, identifier: str, rank: int, status: int, objects: bool, size: int) -> None:
    if not identifier:
        return
    row.add_example(ANY, rank, identifier)
    if status >= 400:
        row.add_example(FAILURE, rank, identifier)
        if status in _REFUSED:
            row.add_example(REFUSED, rank, identifier)
    if objects:
        row.add_example(OBJECT, rank, identifier)
    if size >= LARGE_BYTES:
        row.add_example(LARGE, -size, identifier)


def _session(event: Mapping[str, Any]) -> int:
    session = event.get("session")
    return _hash_of(text(session, 128)) if session else 0


@lru_cache(maxsize=16384)
def _hash_of(value: str) -> int:
    return value_hash32(value)


def _bytes(value: Any) -> int:
    return min(max(whole(value), 0), MAX_BYTES)


def _microseconds(value: Any) -> int:
    took = number(value) or 0.0
    return round(min(max(took, 0.0), MAX_MILLISECONDS) * 1000.0)
