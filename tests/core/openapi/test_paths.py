"""The path templates of OpenAPI documents."""

from __future__ import annotations

import pytest

from apisec.errors import DocumentError
from apisec.openapi.paths import templates


def test_swagger_2_has_a_base_path() -> None:
    assert templates({"swagger": "2.0", "basePath": "/v1/", "paths": {"/a/{id}": {}}}) == ("/v1/a/{id}",)


def test_servers_give_base_paths() -> None:
    document = {
        "openapi": "3.0.3",
        "servers": [
            {"url": "https://{host}.example/{version}/api", "variables": {"version": {"default": "v2"}}},
            {"url": "/beta/"},
            {"url": "https://other.example/v2/api"},
        ],
        "paths": {"/a": {}, "/b": {"servers": [{"url": "https://x.example/own"}]}},
    }
    assert templates(document) == ("/v2/api/a", "/beta/a", "/own/b")


def test_without_servers_paths_stand_at_the_root() -> None:
    assert templates({"openapi": "3.1.0", "paths": {"/a": {}, "x-note": 1}}) == ("/a",)
    assert templates({"openapi": "3.1.0"}) == ()


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ([], "is not an object"),
        ({"info": {}}, "neither 'openapi' nor 'swagger'"),
        ({"openapi": "3.0.0", "paths": []}, "paths"),
        ({"openapi": "3.0.0", "paths": {"a": {}}}, "paths.a: does not begin with a slash"),
    ],
)
def test_what_is_no_document_is_refused(document: object, message: str) -> None:
    with pytest.raises(DocumentError, match=message):
        templates(document)  # type: ignore[arg-type]
