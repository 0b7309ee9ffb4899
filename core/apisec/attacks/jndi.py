"""Lookups of Log4j and of JNDI, however they are written."""

from __future__ import annotations

from apisec.attacks.base import attack

ATTACKS = (
    attack(
        "injection.jndi",
        "jndi",
        (0.97, r"[$#%](?:\{|%7b|&lcub;)[^}]{0,20}jndi|jndi:(?:ldaps?|rmi|dns|iiop|nis|nds|corba|https?)", "jndi"),
        (
            0.9,
            r"\$\{(?:[\w${}:.-]{0,60}:-\w{0,3}\}){2}|\$\{(?:::-|[\w:]{0,20}:-|lower:|upper:|env:|sys:|date:"
            r"|main:|ctx:|k8s:|bundle:|docker:|web:|base64:)[^}]{0,60}\}?",
            "${",
        ),
        (0.8, r"\$\{(?:script|dns|url|java|const|file|xml|properties|resourcebundle|urldecoder):", "${"),
    ),
)
