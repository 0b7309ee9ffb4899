"""What can go wrong in the sandbox. Each class is one branch that a caller takes.

SandboxError            the user's mistake or the environment's: message on stderr, exit code 2
├── AppError            what was to be installed is no app
└── splunkd.web.HttpError   a REST call answered with a status other than 2xx
spl.errors.SplError     a search that does not parse or run; carries the position (a SandboxError too)
"""

from __future__ import annotations


class SandboxError(Exception):
    """Bad input or a bad environment; the message names the thing and the remedy."""


class AppError(SandboxError):
    """The archive or folder is not a Splunk app, or would write outside its own folder."""
