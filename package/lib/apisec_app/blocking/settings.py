"""The forwarders of the page Configuration, with their tokens from storage/passwords."""

from __future__ import annotations

from urllib.parse import urlsplit

from solnlib.conf_manager import ConfManager
from solnlib.soln_exceptions import ConfManagerException, ConfStanzaNotExistException

from apisec.errors import ConfigError

from ..connection import APP
from .admin import Forwarder

CONF = "apisec_forwarder"
# What UCC's pages use for the encrypted fields of this conf.
REALM = f"__REST_CREDENTIAL__#{APP}#configs/conf-{CONF}"


def forwarder_of(name: str, server_uri: str, session_key: str) -> Forwarder:
    """A configured forwarder with its token from storage/passwords; without a name the only one there is."""
    parts = urlsplit(server_uri)
    manager = ConfManager(
        session_key, APP, scheme=parts.scheme, host=parts.hostname, port=parts.port or 8089, realm=REALM
    )
    try:
        conf = manager.get_conf(CONF)
        stanzas = conf.get_all()
        known = sorted(key for key in stanzas if key != "default")
        if not name and len(known) == 1:
            name = known[0]
        if name not in known:
            names = ", ".join(known) or "none"
            raise ConfigError(f"no forwarder {name!r} is configured (there: {names})", where="param.forwarder")
        stanza = conf.get(name)
    except (ConfManagerException, ConfStanzaNotExistException) as error:
        remedy = "add one on the page Configuration"
        raise ConfigError(f"no forwarder is configured: {error}; {remedy}", where="param.forwarder") from None
    token = str(stanza.get("token") or "")
    if not token or set(token) == {"*"}:
        raise ConfigError(f"forwarder {name!r} has no token in storage/passwords", where="param.forwarder")
    return Forwarder(name, str(stanza.get("url") or ""), token, str(stanza.get("ca") or ""))
