"""Names under which requests carry a signature over themselves."""

from __future__ import annotations

# Headers of requests: such schemes (HMAC, mostly) have no name in Authorization. Lower case.
SIGNATURES = frozenset(
    (
        "signature", "signature-input", "x-signature", "x-hmac", "x-hmac-signature", "x-hub-signature",
        "x-hub-signature-256", "x-amz-content-sha256", "x-amz-date", "x-request-signature", "x-api-signature",
        "stripe-signature", "x-shopify-hmac-sha256", "x-twilio-signature", "x-slack-signature",
    )
)  # fmt: skip
