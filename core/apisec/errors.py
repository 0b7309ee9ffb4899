"""Errors that a caller can act on; every other exception is a bug.

ApisecError                 anything apisec says about input it was given
├── DocumentError           a document (pattern, configuration, key file, model) is not acceptable
│   ├── ConfigError         … the forwarder's or the app's configuration
│   ├── KeyFileError        … a key file: missing, unreadable to others' eyes, unknown version
│   ├── PatternError        … a block pattern
│   └── ModelError          … a model artefact
├── DecodeError             a body is not what its headers say; the event goes out without it
└── LimitExceeded           a bound on size, depth, ratio or count was reached
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from typing import Optional


class ApisecError(Exception):
    """Base of all errors that name bad input and its remedy."""


class DocumentError(ApisecError):
    """A document is not acceptable.

    ``where`` is a path inside the document (``services[0].team``) or ``file:line``; it leads the message.
    """

    def __init__(self, message: str, *, where: Optional[str] = None) -> None:
        self.where = where
        super().__init__(f"{where}: {message}" if where else message)


class ConfigError(DocumentError):
    """The configuration cannot be used."""


class KeyFileError(DocumentError):
    """The key file cannot be used."""


class PatternError(DocumentError):
    """The block pattern cannot be used."""


class ModelError(DocumentError):
    """The model artefact cannot be used."""


class DecodeError(ApisecError):
    """A body could not be decoded; the message never repeats a byte of it."""


class LimitExceeded(ApisecError):  # noqa: N818 - named for what happened
    """A bound was reached; the message names the bound and its unit."""


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Return `` (did you mean 'x'?)`` for the nearest known name, or an empty string."""
    near = difflib.get_close_matches(name, list(known), n=1, cutoff=0.6)
    return f" (did you mean {near[0]!r}?)" if near else ""
