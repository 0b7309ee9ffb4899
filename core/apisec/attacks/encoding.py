"""Encodings that no client needs: doubled, overlong, with null bytes; values that are too large for what they are."""

from __future__ import annotations

from apisec.attacks.base import attack

ATTACKS = (
    attack(
        "protocol.encoding",
        "protocol",
        (0.7, r"%25(?:2e|2f|5c|00|3c|3e|27|22|0d|0a)", "%25"),
        (
            0.8,
            r"%(?:25)?c0%(?:25)?(?:ae|af|80|9v|2e|2f|5c)|%(?:25)?e0%(?:25)?80%(?:25)?(?:ae|af)|%f0%80%80"
            r"|%(?:25)?c1%(?:25)?(?:9c|1c|pc)|%u00(?:2e|2f|5c|3c|27)|%uff(?:0e|0f|1c)|%u(?:efc8|f025|221[56])"
            r"|(?:0x2e){2}0x(?:2f|5c)|\.\.0x(?:2f|5c)",
            "%",
            "0x2f",
            "0x5c",
        ),
        (0.6, r"^/[^?\s]{0,400}%0[ad]", "%0"),
        (0.7, r"%00(?:\.|$|%|/)|\x00\.(?:\w{1,5})$", "%00", "\x00"),
        (0.6, r"[\x00][^\x00]{0,200}['\"<>;|]|['\"<>;|][^\x00]{0,200}\x00", "\x00"),
    ),
)
