"""Data models as apps bring them: well-formed or refused, and what a dataset stands for."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from apisec_sandbox.spl import datamodels
from apisec_sandbox.spl.errors import SplError
from apisec_sandbox.splunkd.home import Home
from apisec_sandbox.splunkd.server import Options, Splunkd


def thing(name: str, parent: str = "BaseEvent", **more: Any) -> dict[str, Any]:
    return {"objectName": name, "parentName": parent, **more}


def calculation(kind: str, *outputs: str, **more: Any) -> dict[str, Any]:
    return {"calculationType": kind, "outputFields": [{"fieldName": name} for name in outputs], **more}


@pytest.mark.parametrize(
    ("objects", "message"),
    [
        ([], "no list of 1 to 1000 objects"),
        ("text", "no list of 1 to 1000 objects"),
        ([thing("a", "b")], "has no parent 'b'"),
        ([thing("a", "b"), thing("b", "a")], "is its own ancestor"),
        ([thing("a"), thing("a")], "malformed or repeated name 'a'"),
        ([thing("a b")], "malformed or repeated name 'a b'"),
        ([thing("a", calculations=[calculation("Magic", "x")])], "unknown type 'Magic'"),
    ],
)
def test_a_malformed_model_is_refused(objects: Any, message: str) -> None:
    with pytest.raises(SplError, match=message):
        datamodels.load({"modelName": "M", "objects": objects})


def test_names_follow_the_lineage_and_inherited_fields_come_once() -> None:
    child = thing("C", "R", fields=[{"fieldName": "own"}, {"fieldName": "user", "owner": "R"}])
    model = datamodels.load({"modelName": "M", "objects": [thing("R", fields=[{"fieldName": "user"}]), child]})
    full = dict(model.columns("C"))
    assert full == {
        **{name: name for name in datamodels.FROM_BASE_EVENT},
        "user": "R.user",
        "own": "R.C.own",
    }
    found = model.find("R.C")
    assert found is not None
    assert [one.name for one in model.chain("C")] == ["R", "C"]
    assert model.roots() == [model.datasets["R"]]
    assert model.find("nothing") is None


def test_the_search_that_a_dataset_stands_for() -> None:
    root = thing(
        "R",
        constraints=[{"search": "index=web"}, {"search": "tag=web"}],
        calculations=[
            calculation("Eval", "e", expression="a+1"),
            calculation("Rex", "r", inputField="path", expression='"(?<r>x)'),
            calculation("GeoIP", "lat", inputField="src"),
            calculation("Lookup", "team", lookupName="t", lookupInputs=[{"inputField": "user", "lookupField": "name"}]),
        ],
    )
    child = thing("C", "R", constraints=[{"search": "status>=500"}])
    model = datamodels.load({"modelName": "M", "objects": [root, child]})
    assert datamodels.flat_search(model, "C") == " | ".join(
        [
            "search (index=web) (tag=web)",
            'eval "e"=a+1',
            'rex field="path" "\\"(?<r>x)"',
            'iplocation "src"',
            'lookup "t" "name" AS "user" OUTPUT "team" AS "team"',
            "search (status>=500)",
        ]
    )


def test_a_root_transaction_is_refused_by_name() -> None:
    model = datamodels.load({"modelName": "M", "objects": [thing("T", "BaseTransaction")]})
    with pytest.raises(SplError, match="'T' of data model 'M' is a transaction"):
        datamodels.source_search(model, model.datasets["T"])


def read(splunkd: Splunkd) -> datamodels.DataModel:
    found = splunkd.models.find("Broken", "search")
    assert found is not None
    return datamodels.load(found[0], "Broken")


@pytest.mark.parametrize(
    ("content", "message"), [("{", "is no JSON"), ("[]", "is no JSON object"), ('{"objects": 1}', "no list")]
)
def test_a_broken_file_is_named(tmp_path: Path, content: str, message: str) -> None:
    splunkd = Splunkd(Home(tmp_path), Options(with_tls=False, schedule=False))
    try:
        folder = splunkd.home.apps / "search" / "local" / "data" / "models"
        folder.mkdir(parents=True)
        (folder / "Broken.json").write_text(content)
        assert splunkd.models.names("search") == ["Broken"]
        assert splunkd.models.find("../Broken", "search") is None
        with pytest.raises(SplError, match=message):
            read(splunkd)
    finally:
        splunkd.close()
