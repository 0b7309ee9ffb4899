"""Kinds of text that several sections of the configuration share, and units of size."""

from __future__ import annotations

from apisec_forwarder.config.reader import text

NAME = text(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", "a name: letters, digits, dot, dash, underscore; at most 64")
# Splunk: an index's name holds lower-case letters, digits, underscore and dash, and begins with neither of those two
INDEX = text(r"[a-z0-9][a-z0-9_-]{0,79}", "the name of a Splunk index: lower-case letters, digits, _ and -")
HOST = text(r"\*|(\*\.)?[A-Za-z0-9.:\[\]-]{1,253}", "a host name, *.domain or *")
PATH_PREFIX = text(r"/[^\x00-\x20\x7f?#]*", "a path prefix that begins with /")
MODE = text(r"balanced|strict", "balanced or strict")
PROXY = text(
    r"http://([A-Za-z0-9._-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\]):[0-9]{1,5}",
    "a proxy such as http://proxy.example:3128 (credentials stand in proxy_credentials_file)",
)
TEAM = text(r"\*|[A-Za-z0-9][A-Za-z0-9._-]{0,63}", "a team's name, or *")
CLASS = text(r"[a-z_]+(\.[a-z0-9_]+)*", "a data class such as pci.pan (docs/reference/classes.md)")
KIB, MIB, GIB = 2**10, 2**20, 2**30
