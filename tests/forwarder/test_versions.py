"""Which version of an API a request's headers ask for, and that nothing else is taken for one."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apisec.model.transaction import Headers
from apisec_forwarder.pipeline.messages import stated_type
from apisec_forwarder.pipeline.versions import api_version


@pytest.mark.parametrize(
    ("headers", "version"),
    [
        ((("api-version", "2"),), "2"),
        ((("X-API-Version", " 2024-01-01 "),), "2024-01-01"),
        ((("X-GitHub-Api-Version", "2022-11-28"),), "2022-11-28"),
        ((("x-ms-version", "2021-08-06"),), "2021-08-06"),
        ((("accept-version", "1.2.3"),), "1.2.3"),
        ((("api-version", "2024-10-01-preview"),), "2024-10-01-preview"),
        ((("api-version", "V3"),), "v3"),
        ((("accept", "application/json; version=2"),), "2"),
        ((("Accept", 'application/json;v="1.1", */*'),), "1.1"),
        ((("accept", "application/vnd.github.v3+json"),), "v3"),
        ((("accept", "application/vnd.shop.v2.1+json;q=0.9, text/html"),), "v2.1"),
        ((("accept", "application/json;v=1"), ("api-version", "2")), "2"),  # what holds nothing else counts first
        ((("api-version", "latest"), ("accept", "application/json;v=1")), "1"),
        # Chrome's, of which v is a parameter, but no version of an API
        ((("accept", "text/html,application/signed-exchange;v=b3;q=0.9"),), ""),
        ((("accept", "*/*"),), ""),
        ((("accept", "application/vnd.ms-excel;level=1"),), ""),
        ((("x-app-version", "1.2.3"),), ""),  # the client's own
        ((("api-version", "4111111111111111"),), ""),
        ((("api-version", "4111-1111-1111-1111"),), ""),
        ((("api-version", "123-45-6789"),), ""),
        ((("accept", "a/b;v=4111111111111111"),), ""),
        ((("api-version", "2" * 600),), ""),
        ((), ""),
    ],
)
def test_versions(headers: Headers, version: str) -> None:
    assert api_version(headers) == version


@given(st.text(max_size=60), st.sampled_from(["api-version", "accept", "x-api-version", "stripe-version"]))
def test_a_version_is_short_and_plain(value: str, name: str) -> None:
    found = api_version(((name, value),))
    assert re.fullmatch(r"[a-z0-9.-]{0,20}", found)
    assert sum(map(str.isdigit, found)) <= 10


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("application/json", "application/json"),
        ("Application/JSON; charset=utf-8", "application/json"),
        ("application/vnd.shop.2024-01-01+json", "application/vnd.shop.2024-01-01+json"),
        ("multipart/form-data; boundary=4111111111111111", "multipart/form-data"),
        ("application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",) * 2,
        ("application/4111111111111111", ""),
        ("application/4111-1111-1111-1111", ""),
        ("application/" + "ab" * 20, ""),
        ("somebody/name", ""),
        ("json", ""),
        ("", ""),
    ],
)
def test_a_media_type_that_a_client_made_up_is_not_shown(written: str, shown: str) -> None:
    assert stated_type((("content-type", written),)) == shown
