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
            # A default of one letter behind a lookup, one after the other: a shell's ${name:-default} is none.
            r"\$\{(?:[\w${}:.]{0,60}:-\w?\}[\w:]{0,8}\$?\{?){2}|\$\{(?:::-|\w{1,20}:[\w.]{0,40}:-|lower:|upper:|k8s:|bundle:"
            r"|docker:|base64:)[^}]{0,60}\}?|\$\{[^}]{0,20}\$\{(?:env|sys|date|main|ctx|web|lower|upper):",
            "${",
        ),
        (0.6, r"\$\{(?:env|sys|date|main|ctx|web):[^}]{0,60}\}", "${"),
        (0.8, r"\$\{(?:script|dns|url|java|const|file|xml|properties|resourcebundle|urldecoder):(?!-)", "${"),
    ),
)
