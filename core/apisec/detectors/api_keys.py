"""API keys that vendors prefix, so that they can be found anywhere. Formats from the vendors' documentation."""

from __future__ import annotations

from typing import Tuple

from apisec.detectors.base import Detector, linear, whole

# vendor, literals, shape after a left guard
_SHAPES: Tuple[Tuple[str, Tuple[str, ...], str], ...] = (
    ("anthropic", ("sk-ant-",), r"sk-ant-[\w-]{20,200}"),
    ("aws", ("AKIA", "ASIA", "ABIA", "ACCA"), r"A(?:KIA|SIA|BIA|CCA)[A-Z2-7]{16}(?![A-Za-z0-9])"),
    ("digitalocean", ("doo_v1_", "dop_v1_", "dor_v1_"), r"do[opr]_v1_[0-9a-f]{64}"),
    (
        "github",
        ("ghp_", "gho_", "ghu_", "ghs_", "ghr_", "github_pat_"),
        r"gh[pousr]_[A-Za-z0-9]{36,255}|github_pat_\w{40,255}",
    ),
    (
        "gitlab",
        ("glpat-", "gldt-", "glrt-", "glptt-", "glcbt-", "glft-", "glsoat-"),
        r"gl(?:pat|dt|rt|ptt|cbt|ft|soat)-[\w-]{20,64}",
    ),
    ("google", ("AIza", "ya29.", "GOCSPX-"), r"AIza[\w-]{35}|ya29\.[\w-]{20,255}|GOCSPX-[\w-]{28}"),
    ("npm", ("npm_",), r"npm_[A-Za-z0-9]{36}"),
    ("openai", ("sk-",), r"sk-(?:proj-|svcacct-|admin-)?[A-Za-z0-9_-]{20,200}"),
    ("pypi", ("pypi-",), r"pypi-AgE[\w-]{50,255}"),
    ("sendgrid", ("SG.",), r"SG\.[\w-]{16,32}\.[\w-]{16,64}"),
    ("shopify", ("shpat_", "shpca_", "shppa_", "shpss_"), r"shp(?:at|ca|pa|ss)_[0-9a-fA-F]{32}"),
    ("slack", ("xox", "xapp-"), r"xox[abeoprs]-[\w-]{10,255}|xapp-\d-[\w-]{20,255}"),
    ("square", ("sq0", "EAAA"), r"sq0[a-z]{3}-[\w-]{22,64}|EAAA[\w-]{60}"),
    ("stripe", ("_live_", "_test_", "whsec_"), r"(?:[sr]k_(?:live|test)_|whsec_)[A-Za-z0-9]{16,247}"),
    ("telegram", (":AA",), r"\d{8,10}:AA[\w-]{33}"),
    (
        "twilio",
        tuple([head + digit for head in ("SK", "AC") for digit in "0123456789abcdef"]),
        r"(?:SK|AC)[0-9a-f]{32}(?![0-9a-zA-Z])",
    ),
)

DETECTORS = tuple(
    Detector(
        f"api_key.{vendor}",
        f"secret.api_key.{vendor}",
        linear(rf"(?<![A-Za-z0-9])(?:{shape})"),
        whole,
        literals=literals,
    )
    for vendor, literals, shape in _SHAPES
)
