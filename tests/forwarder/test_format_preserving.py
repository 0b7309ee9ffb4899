"""FF1: NIST's own examples, and what tokens made with it promise."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apisec.redaction.keys import KeyRing, Tokenizer
from apisec_forwarder import keys
from apisec_forwarder.format_preserving import ALPHANUMERIC, DIGITS, FF1, preserve

KEY = "2B7E151628AED2A6ABF7158809CF4F3CEF4359D8D580AA4F7F036D6F04FC6A94"
TEN, TEXT = "0123456789", "0123456789abcdefghi"
TWEAK_10, TWEAK_36 = "39383736353433323130", "3737373770717273373737"

# NIST, "FF1 samples" to SP 800-38G: bytes of the key, radix, plain text, tweak, cipher text
SAMPLES = [
    (16, 10, TEN, "", "2433477484"),
    (16, 10, TEN, TWEAK_10, "6124200773"),
    (16, 36, TEXT, TWEAK_36, "a9tv40mll9kdu509eum"),
    (24, 10, TEN, "", "2830668132"),
    (24, 10, TEN, TWEAK_10, "2496655549"),
    (24, 36, TEXT, TWEAK_36, "xbj3kv35jrawxv32ysr"),
    (32, 10, TEN, "", "6657667009"),
    (32, 10, TEN, TWEAK_10, "1001623463"),
    (32, 36, TEXT, TWEAK_36, "xs8a0azh2avyalyzuwd"),
]


@pytest.mark.parametrize(("size", "radix", "plain", "tweak", "cipher"), SAMPLES)
def test_the_samples_of_nist(size: int, radix: int, plain: str, tweak: str, cipher: str) -> None:
    ff1 = FF1(bytes.fromhex(KEY)[:size], radix)
    assert ff1.encrypt(plain, bytes.fromhex(tweak)) == cipher
    assert ff1.decrypt(cipher, bytes.fromhex(tweak)) == plain


@given(st.integers(2, 36), st.binary(max_size=40), st.data())
def test_it_is_a_permutation_of_its_alphabet(radix: int, tweak: bytes, data: st.DataObject) -> None:
    ff1 = FF1(b"k" * 32, radix)
    text = data.draw(st.text(ALPHANUMERIC[:radix], min_size=20, max_size=64))
    made = ff1.encrypt(text, tweak)
    assert len(made) == len(text)
    assert set(made) <= set(ALPHANUMERIC[:radix])
    assert ff1.decrypt(made, tweak) == text


@pytest.mark.parametrize("text", ["", "12345", "1" * 65])
def test_outside_its_domain_it_refuses(text: str) -> None:
    with pytest.raises(ValueError, match="outside FF1's domain"):
        FF1(b"k" * 32, 10).encrypt(text)


RING = KeyRing.parse(keys.generate())
TOKENIZER = Tokenizer(RING, preserve(["pci.pan", "fin.iban", "pci.cvv"]))


@given(st.text(DIGITS, min_size=6, max_size=40))
def test_a_number_keeps_its_length(value: str) -> None:
    kept = TOKENIZER.token("pci.pan", value).split("~")[2]
    assert kept[0] == "n"
    assert len(kept) == len(value) + 1
    assert kept[1:].isdigit()


@pytest.mark.parametrize(
    ("cls", "value", "first"),
    [
        ("fin.iban", "DE89370400440532013000", "a"),
        ("pci.cvv", "123", None),  # a domain of a thousand can be searched through: a hash
        ("pci.pan", "4111-1111", None),
        ("pci.pan", "aBcDeF", None),
        ("pii.ssn", "078051120", None),  # not among the classes asked for
    ],
)
def test_what_has_no_format_to_keep_is_hashed(cls: str, value: str, first: str | None) -> None:
    token = TOKENIZER.token(cls, value)
    if first is None:
        assert token == Tokenizer(RING).token(cls, value)
    else:
        assert token.split("~")[2][0] == first


def test_equal_digits_of_two_classes_do_not_correlate() -> None:
    one = Tokenizer(RING, preserve(["pci.pan", "fin.account"]))
    kept = {one.token(cls, "4111111111111111").split("~")[2] for cls in ("pci.pan", "fin.account")}
    assert len(kept) == 2
