"""What the forwarder shows of a body is enough for the inventory: values stand under the names that the event lists."""

from __future__ import annotations

import json

import pytest

from apisec.endpoints.inventory import Inventory
from apisec.model.transaction import Body, Client, Request, Response, Transaction
from apisec.redaction.keys import KeyRing, Tokenizer
from apisec_forwarder import keys
from apisec_forwarder.pipeline import PipelineSettings, Service
from apisec_forwarder.pipeline.pipeline import Pipeline

SHOP = Service("shop", "commerce", ("shop.example",))
LIST = json.dumps({"items": [{"state": "OPEN", "total": 7, "email": f"u{n}@example.org"} for n in range(60)]})
XML = "<order kind='GIFT'><email>ada@example.org</email><line><count>2</count></line></order>"


@pytest.mark.parametrize(
    ("kind", "body", "known"),
    [
        ("application/json", LIST, {"items[].state", "items[].total"}),  # shown cut
        ("application/x-www-form-urlencoded", "state=OPEN&user[age]=42&email=ada%40example.org", {"state", "user.age"}),
        ("text/xml", XML, {"order.@kind", "order.line.count"}),
        ("multipart/form-data; boundary=x", '--x\r\ncontent-disposition: form-data; name="a"\r\n\r\n1\r\n--x--', set()),
    ],
)
def test_values_stand_under_the_names_of_fields(kind: str, body: str, known: set[str]) -> None:
    pipeline = Pipeline(
        PipelineSettings("edge", "DEV", (SHOP,), body_cap=600), Tokenizer(KeyRing.parse(keys.generate()))
    )
    data = body.encode()
    request = Request("POST", "/orders", (("content-type", kind),), Body(data, len(data)), "https", "shop.example")
    inventory = Inventory()
    for number in range(3):
        inventory.add(pipeline.process(Transaction(f"i{number}", 1.0, Client("192.0.2.1"), request, Response(200))))
    ((_, stats),) = inventory.items()
    shaped = {path for where, path in stats.request.shapes if where == "body"}
    listed = {path for (where, path), _ in stats.request.fields.items() if where == "body"}
    assert shaped <= listed
    assert known <= shaped
    assert stats.request.partial == 0
    assert "example.org" not in inventory.to_state()
