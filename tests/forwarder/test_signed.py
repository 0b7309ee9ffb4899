"""Requests that are signed: whose key it was, and that the same key is the same principal in each request."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from apisec.decoders import Leaf
from apisec.model.transaction import Client, Headers
from apisec.redaction.keys import KeyRing, Tokenizer
from apisec.redaction.redactor import Redactor
from apisec_forwarder import keys
from apisec_forwarder.pipeline import signed
from apisec_forwarder.pipeline.principal import Identity, identify
from apisec_forwarder.pipeline.signed import Signer

AWS = "AKIAIOSFODNN7EXAMPLE"
CASES = yaml.safe_load((Path(__file__).parents[1] / "cases/credentials/signed.yml").read_text(encoding="utf-8"))
KEYS = KeyRing.parse(keys.generate())


def who(headers: Headers, query: list[Leaf] | None = None, address: str = "192.0.2.1") -> Identity:
    return identify(Client(address), headers, query or [], Redactor(Tokenizer(KEYS)))


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["value"].split()[0])
def test_whose_key_a_credential_names(case: dict[str, str]) -> None:
    scheme, _, rest = case["value"].partition(" ")
    assert signed.of_authorization(scheme, rest) == Signer(case["auth"], case["key"])


@pytest.mark.parametrize(
    "credential", ["Bearer abc", "OAuth ya29.token", "Basic YTpi", "Negotiate YII=", "Token t", "DPoP x.y.z"]
)
def test_what_sends_the_secret_itself_is_no_signature(credential: str) -> None:
    scheme, _, rest = credential.partition(" ")
    assert signed.of_authorization(scheme, rest) is None


def test_the_same_key_is_the_same_principal_however_the_signature_changes() -> None:
    def one(number: int) -> Identity:
        value = f"AWS4-HMAC-SHA256 Credential={AWS}/2026010{number}/eu/s3/aws4_request,Signature={number:064x}"
        return who((("Authorization", value),), address=f"192.0.2.{number}")

    first, second = one(1), one(2)
    assert first == second
    assert (first.kind, first.auth, first.user) == ("api_key", "hmac", None)
    assert first.principal != who((("authorization", "AWS AKIDOTHER:x"),)).principal
    assert AWS not in repr(first)
    by_url = who(
        (), [Leaf("X-Amz-Credential", "X-Amz-Credential", "", "string", f"{AWS}/20260101/eu/s3/aws4_request", 0, 0)]
    )
    assert by_url == first


def test_a_signature_without_a_key_says_how_but_not_who() -> None:
    anonymous = who(())
    found = who((("x-hub-signature-256", "sha256=" + "a" * 64),))
    assert (found.auth, found.kind, found.principal) == ("hmac", "anonymous", anonymous.principal)
    assert who((("authorization", "HMAC " + "b" * 43),)).auth == "hmac"


def test_message_signatures_name_their_key() -> None:
    headers = (
        ("Signature-Input", 'sig1=("@method" "@authority");created=1618884473;keyid="shop-key"'),
        ("Signature", "sig1=:K2qGT5srn2OGbOIDzQ6kYT+ruaycnDAAUpKv+ePFfD0RAxn/1BUe:"),
    )
    assert who(headers).kind == "api_key"
    assert who(headers) == who((headers[0], ("signature", "sig1=:AAAA:")))


def test_digest_is_its_user() -> None:
    first = who((("authorization", 'Digest username="ada", nc=00000001, response="aa"'),))
    assert first == who((("authorization", 'Digest username="ada", nc=00000002, response="bb"'),))
    assert (first.kind, first.auth) == ("basic", "digest")
    assert first.user == who((("authorization", "Basic YWRhOng="),)).user


@given(st.text(max_size=200), st.text(max_size=200))
def test_any_credential_is_read(scheme: str, credential: str) -> None:
    found = signed.of_authorization(scheme, credential)
    assert found is None or found.key in credential
