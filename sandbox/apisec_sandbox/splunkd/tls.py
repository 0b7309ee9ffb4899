"""A certificate authority and a server certificate in HOME, made once: clients verify against the CA's file."""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509

from apisec_sandbox.certificates import Authority, names_of
from apisec_sandbox.splunkd.home import write_atomic

LIFETIME = datetime.timedelta(days=365)


@dataclass(frozen=True)
class Certificates:
    ca: Path
    certificate: Path
    key: Path


def ensure(folder: Path, host: str) -> Certificates:
    """Return the certificates kept in ``folder`` for ``host``; make them when missing, foreign or near their end."""
    paths = Certificates(folder / "cacert.pem", folder / "server.pem", folder / "server.key")
    if not _usable(paths, host):
        _make(paths, host)
    return paths


def _usable(paths: Certificates, host: str) -> bool:
    if not all(path.exists() for path in (paths.ca, paths.certificate, paths.key)):
        return False
    certificate = x509.load_pem_x509_certificate(paths.certificate.read_bytes())
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    week = datetime.timedelta(days=7)
    fresh = certificate.not_valid_after_utc > datetime.datetime.now(datetime.UTC) + week
    return fresh and all(name in names for name in names_of(host))


def _make(paths: Certificates, host: str) -> None:
    Authority(paths.ca, LIFETIME).issue(host, paths.certificate, paths.key)
    # The chain goes up to the authority, as splunkd's server.pem does: clients tell an unknown authority from a
    # certificate that lacks its issuer.
    write_atomic(paths.certificate, paths.certificate.read_bytes() + paths.ca.read_bytes())
