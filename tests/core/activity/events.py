"""Events of a shop, as the forwarder writes them."""

from __future__ import annotations

import json
import random
from typing import Any, Dict, List, Optional

from hypothesis import strategies as st

from apisec.activity import Activity, Row

START = 5_892_000 * 300.0  # of a slot


def event(at: float = 1.0, **changes: Any) -> Dict[str, Any]:
    """An event ``at`` seconds after START; ``body`` and ``given`` are the request's and the response's, as objects."""
    made: Dict[str, Any] = {
        "schema": 1, "id": f"e{at}", "time": START + at, "service": "shop", "team": "web", "action": "allowed",
        "http_method": "GET", "endpoint": "/orders/{order_id}", "operation": "GET /orders/{order_id}", "status": 200,
        "principal": "~principal~00000000000000aa~", "principal_kind": "jwt", "auth": "bearer",
        "auth_token": "~secret.jwt~0000000000000001~", "session": "~secret.session~0000000000000001~",
        "src": "192.0.2.1", "http_user_agent": "curl/8.1", "object_ids": [], "bytes_in": 10, "bytes_out": 100,
        "response_time": 12.5, "request_fields": [], "response_fields": [], "data_classes": [],
    }  # fmt: skip
    for name, member in (("body", "request_body"), ("given", "response_body")):
        if name in changes:
            made[member] = json.dumps(changes.pop(name))
    return {**made, **changes}


def field(path: str, place: str = "body", kind: str = "string", *classes: str) -> Dict[str, Any]:
    made: Dict[str, Any] = {"path": path, "in": place, "type": kind}
    return {**made, "classes": list(classes)} if classes else made


def rows_of(*events: Dict[str, Any]) -> List[Row]:
    activity = Activity()
    for one in events:
        activity.add(one)
    return activity.rows()


def row_of(*events: Dict[str, Any]) -> Row:
    (row,) = rows_of(*events)
    return row


def login(at: float, who: Optional[str], status: int, **changes: Any) -> Dict[str, Any]:
    asked = [field("user", "body", "string", "pii.email"), field("password", "body", "string", "secret.password")]
    body = {"body": {"user": who, "password": "~secret.password~0000000000000002~"}} if who is not None else {}
    about = {"operation": "POST /login", "http_method": "POST", "request_fields": asked, "status": status, **body}
    about.update(principal_kind="anonymous", auth="none", auth_token="", session="")
    return event(at, **{**about, **changes})


WRONG = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-5, 1 << 70),
    st.floats(allow_nan=True),
    st.text(max_size=8),
    st.lists(st.integers(0, 3), max_size=9),
    st.dictionaries(st.text(max_size=3), st.integers(0, 3), max_size=3),
    st.just("A" * 700),
    st.just([[0]] * 2000),
)


def damaged(document: Any, wrong: Any, chance: random.Random) -> Any:
    """Put something else in one place of a document, however deep."""
    if isinstance(document, dict) and document and chance.random() < 0.9:
        name = chance.choice(sorted(document))
        return {**document, name: damaged(document[name], wrong, chance)}
    if isinstance(document, list) and document and chance.random() < 0.9:
        place = chance.randrange(len(document))
        return [*document[:place], damaged(document[place], wrong, chance), *document[place + 1 :]]
    return wrong
