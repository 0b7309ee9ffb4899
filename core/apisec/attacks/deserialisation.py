"""Serialised objects of languages that run code while they read them."""

from __future__ import annotations

from apisec.attacks.base import attack

ATTACKS = (
    attack(
        "injection.deserialisation",
        "deserialisation",
        (0.65, r"^bahv[or][a-z0-9+/]{6,}={0,2}(?:--[0-9a-f]{40,64})?$|^\x04\x08[oc]", "bahv", "\x04\x08"),
        (0.7, r"^(?:kztaau|cs7qaf)", "kztaau", "cs7qaf"),
        (
            0.9,
            r"^\W{0,4}ro0ab|\bro0ab[xq]|^\W{0,2}aced0005|\xac\xed\x00\x05|\ufffd\ufffd\x00\x05",
            "ro0ab",
            "aced0005",
            "\xac\xed",
            "\ufffd",
        ),
        (0.9, r"(?:^|[;{}\"'=])[oc]:\+?\d{1,4}:['\"][\w\\]{1,120}['\"]:\d{1,4}:\{?", "o:", "c:"),
        (0.6, r"^a:\d{1,4}:\{(?:[is]:\d|\})", "a:"),
        (0.8, r"^(?:tzo[0-9a-z]{3}|yto[x-z0-9])[a-z0-9+/]{12,}={0,2}$", "tzo", "yto"),
        (
            0.8,
            r"^\x80[\x02-\x05]|^gas[uv]|^gaj9|c__builtin__\n|cposix\n|cos\nsystem|csubprocess\n|__reduce__"
            r"|\(dp\d|\(lp\d",
            "gasv",
            "gasu",
            "gaj9",
            "c__",
            "cposix",
            "cos\n",
            "csub",
            "__reduce__",
            "\x80",
            "(dp",
            "(lp",
        ),
        (
            0.8,
            r"aaeaaad/{4,8}|objectdataprovider|system\.windows\.data|\$type\W{1,4}system\."
            r"|system\.diagnostics\.process",
            "aaeaaad",
            "object",
            "system.",
        ),
        (
            0.85,
            r"!!(?:javax?\.|python/|com\.sun|org\.)[\w./:]{2,60}|!ruby/(?:object|hash|struct)|!<tag:yaml",
            "!!",
            "!ruby",
            "!<tag",
        ),
        (0.85, r"_\$\$nd_func\$\$_|__js_function", "_$$nd", "__js_function"),
        (0.8, r"@type\W{1,4}(?:javax?\.|com\.sun\.|org\.apache|sun\.|ch\.qos|java\.net)", "@type"),
        (
            0.8,
            r"<java(?:\s[^>]{0,80})?>\s{0,5}<(?:object|void)|<(?:void|object) (?:method|class)=\"[\w.]{3,60}\""
            r"|<java\.beans",
            "<java",
            "<void",
            "<object",
        ),
        (
            0.7,
            r"ysoserial|commons-?collections\d|jdk7u21|groovy\.util\.expando|h4siaaaaaaaa",
            "ysoserial",
            "commons",
            "jdk7",
            "groovy",
            "h4sia",
        ),
    ),
)
