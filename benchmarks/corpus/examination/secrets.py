"""Formats of the examination that open doors: passwords, tokens, keys of vendors."""

from __future__ import annotations

import base64
import string

from benchmarks.corpus.checks import Rng, digits, letters
from benchmarks.corpus.examination.persons import NOUNS, kind
from benchmarks.corpus.former.numbers import jose
from benchmarks.corpus.split import Format, Make
from benchmarks.corpus.values import ALNUM, BASE36, HEX, formats, identifier, joined, pattern, pem, random_text, whole

KEY = ("secret.api_key", "secret.token")  # another vendor's, or by its name: right too, not exact
URL = ALNUM + "-_"
CAPITALS = string.ascii_uppercase + string.digits


def _vendor(name: str, *listed: tuple[str, Make]) -> tuple[Format, ...]:
    """Keys that show whose they are: by their prefix, as the vendor documents it."""
    return formats(f"secret.api_key.{name}", *listed, bare=True, accept=KEY)


def _urlsafe(size: int) -> Make:
    return lambda rng: base64.urlsafe_b64encode(rng.randbytes(size)).decode().rstrip("=")


def _signed(rng: Rng) -> str:
    """A session's cookie of Express: s:, the id, a dot, its signature."""
    return f"s:{random_text('', 32, URL)(rng)}.{base64.b64encode(rng.randbytes(32)).decode().rstrip('=')}"


def _discord(rng: Rng) -> str:
    user = base64.b64encode(digits(rng, 18, "123456789").encode()).decode()
    return f"{user}.G{random_text('', 5)(rng)}.{random_text('', 38, URL)(rng)}"


def _slack_hook(rng: Rng) -> str:
    place = f"T{letters(rng, 8, CAPITALS)}/B{letters(rng, 10, CAPITALS)}"
    return f"https://hooks.slack.com/services/{place}/{random_text('', 24)(rng)}"


PASSWORDS = (
    *formats(
        "secret.password",
        ("words with blanks", lambda rng: " ".join(rng.sample(NOUNS, 4))),
        ("words with hyphens", lambda rng: "-".join(word.title() for word in rng.sample(NOUNS, 3)) + digits(rng, 2)),
        ("signs", lambda rng: f'{random_text("", 5)(rng)}&<{random_text("", 4)(rng)}"%7{rng.choice("!?#")}'),
        ("beyond ascii", lambda rng: f"{rng.choice(('Grüße', 'Señor', 'Çağrı'))}#{digits(rng, 4)}"),
        ("small letters", lambda rng: rng.choice(NOUNS) + digits(rng, 3)),
        ("of a manager", random_text("", 18, ALNUM + "!@#%*()_-")),
    ),
    *kind("pin", formats("secret.password", ("pin of 4", pattern("9999")), ("pin of 5", pattern("99999")))),
)

SECRETS: dict[str, tuple[Format, ...]] = {
    "secret.password": PASSWORDS,
    "secret.otp": formats(
        "secret.otp",
        ("number of 6", whole(100_000, 999_999)),
        ("google's", lambda rng: f"G-{digits(rng, 6)}"),
        ("8 letters and digits", random_text("", 8, CAPITALS)),
        ("4 digits", pattern("9999")),
        accept=("secret.token", "secret.password"),
    ),
    "secret.session": formats(
        "secret.session",
        ("capital hex 32", random_text("", 32, HEX[:10] + "ABCDEF")),
        ("signed", _signed),
        ("base64url 32", _urlsafe(32)),
        ("php", random_text("", 26, BASE36)),
        accept=("secret.token",),
    ),
    "secret.token": formats(
        "secret.token",
        ("hex 64", random_text("", 64, HEX)),
        ("base64url 43", _urlsafe(32)),
        ("uuid", identifier),
        ("alnum 120", random_text("", 120)),
        ("prefix", joined("at-", random_text("", 30, URL))),
        accept=("secret.bearer", "secret.session", "secret.api_key"),
    ),
    "secret.api_key": (
        *formats(
            "secret.api_key",
            ("hex 32", random_text("", 32, HEX)),
            ("base64url 48", _urlsafe(36)),
            ("alnum 40", random_text("", 40)),
            ("uuid", identifier),
            accept=KEY,
        ),
        *_vendor("anthropic", ("api", joined("sk-ant-api03-", random_text("", 93, URL), "AA"))),
        *_vendor("aws", ("temporary", random_text("ASIA", 16, string.ascii_uppercase + "234567"))),
        *_vendor("buildkite", ("agent", random_text("bkua_", 40, HEX))),
        *_vendor("digitalocean", ("personal", random_text("dop_v1_", 64, HEX))),
        *_vendor("discord", ("bot", _discord)),
        *_vendor("figma", ("personal", random_text("figd_", 40, URL))),
        *_vendor("flutterwave", ("secret", random_text("FLWSECK-", 32, HEX, "-X"))),
        *_vendor("github", ("fine grained", joined("github_pat_", random_text("", 22), "_", random_text("", 59)))),
        *_vendor("gitlab", ("personal", random_text("glpat-", 20, URL))),
        *_vendor("hashicorp", ("service", random_text("hvs.", 95, URL))),
        *_vendor("huggingface", ("user", random_text("hf_", 34, string.ascii_letters))),
        *_vendor("linear", ("personal", random_text("lin_api_", 40))),
        *_vendor("mailchimp", ("api", joined(random_text("", 32, HEX), "-us", pattern("9")))),
        *_vendor("newrelic", ("user", random_text("NRAK-", 27, CAPITALS))),
        *_vendor("npm", ("access", random_text("npm_", 36))),
        *_vendor("perplexity", ("api", random_text("pplx-", 48))),
        *_vendor("postman", ("api", joined("PMAK-", random_text("", 24, HEX), "-", random_text("", 34, HEX)))),
        *_vendor("replicate", ("api", random_text("r8_", 37))),
        *_vendor("sendgrid", ("api", joined("SG.", random_text("", 22, URL), ".", random_text("", 43, URL)))),
        *_vendor("shopify", ("admin", random_text("shpat_", 32, HEX))),
        *_vendor(
            "slack",
            ("webhook", _slack_hook),
        ),
        *_vendor("stripe", ("test", random_text("sk_test_", 99))),
        *_vendor("xai", ("api", random_text("xai-", 80))),
    ),
    "secret.jwt": formats(
        "secret.jwt",
        ("RS512", jose({"alg": "RS512"}, (256,), True)),
        ("ES384", jose({"alg": "ES384", "typ": "JWT"}, (96,), True)),
        ("HS512", jose({"typ": "JWT", "alg": "HS512", "cty": "JWT"}, (64,), True)),
        bare=True,
        accept=("secret.session", "secret.token"),
    ),
    "secret.private_key": formats(
        "secret.private_key",
        ("ec", pem("EC PRIVATE KEY", 121)),
        ("pkcs8", pem("PRIVATE KEY", 1218)),
        ("pgp", pem("PGP PRIVATE KEY BLOCK", 700)),
        bare=True,
    ),
}
