"""Formats of the examination that open doors: passwords, tokens, keys of vendors."""

from __future__ import annotations

import base64
import string

from benchmarks.corpus.checks import Rng, digits
from benchmarks.corpus.former.numbers import jose
from benchmarks.corpus.former.persons import NOUNS
from benchmarks.corpus.split import Format, Make
from benchmarks.corpus.values import ALNUM, BASE36, HEX, formats, joined, pattern, pem, random_text, whole

KEY = ("secret.api_key", "secret.token")  # another vendor's, or by its name: right too, not exact


def _base64(size: int) -> Make:
    return lambda rng: base64.b64encode(rng.randbytes(size)).decode()


def _vendor(name: str, *listed: tuple[str, Make]) -> tuple[Format, ...]:
    """Keys that show whose they are: by their prefix, as the vendor documents it."""
    return formats(f"secret.api_key.{name}", *listed, bare=True, accept=KEY)


def _telegram(rng: Rng) -> str:
    return f"{digits(rng, 10, '567')}:AA{random_text('', 33, ALNUM + '-_')(rng)}"


SECRETS: dict[str, tuple[Format, ...]] = {
    "secret.password": formats(
        "secret.password",
        ("words with dots", lambda rng: ".".join(rng.choices(NOUNS, k=4))),
        ("leet", lambda rng: rng.choice(NOUNS).replace("a", "4").replace("e", "3").title() + "$" + digits(rng, 4)),
        ("mixed 20", lambda rng: "".join(rng.choices(ALNUM + "+=~^", k=20)) + "Z9"),
        ("season", lambda rng: f"{rng.choice(('Winter', 'Herbst', 'Verano'))}{rng.randint(2001, 2029)}!"),
    ),
    "secret.otp": formats(
        "secret.otp",
        ("7 digits", lambda rng: digits(rng, 7)),
        ("3 and 3", pattern("999-999")),
        ("number of 8", whole(10_000_000, 99_999_999)),
        accept=("secret.token", "secret.password"),
    ),
    "secret.session": formats(
        "secret.session",
        ("base36 24", random_text("", 24, BASE36)),
        ("hex 40", random_text("", 40, HEX)),
        ("base64 32", _base64(32)),
        accept=("secret.token",),
    ),
    "secret.token": formats(
        "secret.token",
        ("base64 48", _base64(48)),
        ("capitals and digits 32", random_text("", 32, string.ascii_uppercase + string.digits)),
        ("pieces", lambda rng: ":".join(random_text("", 22, ALNUM + "-_")(rng) for _ in range(3))),
        accept=("secret.bearer", "secret.session", "secret.api_key"),
    ),
    "secret.api_key": (
        *formats(
            "secret.api_key",
            ("base64 64", _base64(64)),
            ("alnum 32", random_text("", 32)),
            ("five groups", pattern("xxxxx-xxxxx-xxxxx-xxxxx-xxxxx")),
            accept=KEY,
        ),
        *_vendor("openai", ("project", joined("sk-proj-", random_text("", 20), "T3BlbkFJ", random_text("", 20)))),
        *_vendor("pypi", ("upload", random_text("pypi-AgEIcHlwaS5vcmc", 80, ALNUM + "-_"))),
        *_vendor("stripe", ("restricted", random_text("rk_live_", 32)), ("webhook", random_text("whsec_", 32))),
        *_vendor("telegram", ("bot", _telegram)),
        *_vendor("square", ("application", random_text("sq0atp-", 22, ALNUM + "-_"))),
        *_vendor("doppler", ("personal", random_text("dp.pt.", 43))),
        *_vendor("notion", ("integration", joined("ntn_", random_text("", 11, string.digits), random_text("", 35)))),
        *_vendor("grafana", ("service account", joined("glsa_", random_text("", 32), "_", random_text("", 8, HEX)))),
        *_vendor("databricks", ("personal", random_text("dapi", 32, HEX))),
        *_vendor("airtable", ("personal", joined("pat", random_text("", 14), ".", random_text("", 64, HEX)))),
        *_vendor("atlassian", ("api token", random_text("ATATT3xFfGF0", 180, ALNUM + "-_", "=1A2B3C4D"))),
        *_vendor("mailgun", ("private", random_text("key-", 32, HEX))),
        *_vendor("planetscale", ("token", random_text("pscale_tkn_", 43, ALNUM + "-_"))),
        *_vendor("supabase", ("personal", random_text("sbp_", 40, HEX))),
        *_vendor("rubygems", ("push", random_text("rubygems_", 48, HEX))),
        *_vendor("gitlab", ("deploy", random_text("gldt-", 20))),
        *_vendor("github", ("server", random_text("ghs_", 36)), ("oauth", random_text("gho_", 36))),
        *_vendor("google", ("oauth secret", random_text("GOCSPX-", 28))),
        *_vendor(
            "slack",
            (
                "user",
                joined("xoxp-", *(random_text("", 12, string.digits), "-") * 3, random_text("", 32, HEX)),
            ),
        ),
        *_vendor("brevo", ("v3", joined("xkeysib-", random_text("", 64, HEX), "-", random_text("", 16)))),
        *_vendor(
            "dynatrace",
            ("api", joined("dt0c01.", random_text("", 24, ALNUM[26:]), ".", random_text("", 64, ALNUM[26:]))),
        ),
        *_vendor("docker", ("personal", random_text("dckr_pat_", 27, ALNUM + "-_"))),
        *_vendor("pulumi", ("access", random_text("pul-", 40, HEX))),
        *_vendor("groq", ("api", random_text("gsk_", 52))),
        *_vendor("twilio", ("key", random_text("SK", 32, HEX))),
    ),
    "secret.jwt": formats(
        "secret.jwt",
        ("EdDSA", jose({"typ": "JWT", "alg": "EdDSA"}, (64,), True)),
        ("PS384", jose({"alg": "PS384", "typ": "at+jwt"}, (384,), True)),
        ("encrypted", jose({"alg": "RSA-OAEP-256", "enc": "A256GCM"}, (256, 12, 90, 16), False)),
        bare=True,
        accept=("secret.session",),
    ),
    "secret.private_key": formats(
        "secret.private_key",
        ("openssh", pem("OPENSSH PRIVATE KEY", 280)),
        ("encrypted", pem("ENCRYPTED PRIVATE KEY", 600)),
        ("dsa", pem("DSA PRIVATE KEY", 330)),
        bare=True,
    ),
}
