"""A server of published documents, and a source that reads it; for test modules that name these fixtures."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from typing import Any

import pytest
from apisec_app.specs import remote
from apisec_app.specs.fetch import Fetcher, FetchError, Source, Validators
from apisec_app.specs.urls import checked
from apisec_app.specs.wire import Route, strict

from tests.support.published import Publisher, publisher

TEXT = "openapi: 3.0.3\ninfo: {title: Shop, version: '7'}\npaths: {}\n"
SECRET = "s3cr3t-that-nobody-sees"


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Publisher, Source]]:
    with publisher(tmp_path_factory.mktemp("tls")) as (server, ca):
        context = strict(ssl.create_default_context(cadata=ca))
        yield server, Source(checked(f"{server.url}/spec.yaml"), Route(context, private=True))


@pytest.fixture
def server(served: tuple[Publisher, Source]) -> Publisher:
    served[0].reset()
    return served[0]


@pytest.fixture
def source(served: tuple[Publisher, Source]) -> Source:
    return served[1]


def fetched(source: Source, known: Validators = Validators()) -> Any:  # noqa: B008 - a constant
    return Fetcher(source).get(source.url, known)


def refused(source: Source) -> str:
    with pytest.raises(FetchError) as caught:
        remote.read(source, ())
    assert SECRET not in str(caught.value)
    return str(caught.value)
