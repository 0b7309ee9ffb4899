"""A certificate authority and a server certificate in HOME, made once: clients verify against the CA's file."""

from __future__ import annotations

import datetime
import ipaddress
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

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
    return fresh and all(name in names for name in _names(host))


def _names(host: str) -> list[x509.GeneralName]:
    """Return the names of the server: localhost in all forms, and the host it listens on."""
    loopback = [x509.IPAddress(ipaddress.ip_address(address)) for address in ("127.0.0.1", "::1")]
    names: list[x509.GeneralName] = [x509.DNSName("localhost"), *loopback]
    try:
        extra: x509.GeneralName = x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        extra = x509.DNSName(host)
    return names if extra in names else [*names, extra]


def _make(paths: Certificates, host: str) -> None:
    ca_key, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    ca = _certificate("apisec sandbox CA", ca_key, None, ca_key, None)
    server = _certificate("apisec sandbox", key, ca, ca_key, host)
    write_atomic(paths.ca, ca.public_bytes(serialization.Encoding.PEM))
    write_atomic(paths.certificate, server.public_bytes(serialization.Encoding.PEM))
    plain = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    write_atomic(paths.key, plain, 0o600)


def _certificate(
    name: str,
    key: ec.EllipticCurvePrivateKey,
    issuer: x509.Certificate | None,
    signer: ec.EllipticCurvePrivateKey,
    host: str | None,
) -> x509.Certificate:
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.datetime.now(datetime.UTC)
    authority = issuer is None
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer.subject if issuer else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(minutes=5))
        .not_valid_after(now + LIFETIME)
        .add_extension(x509.BasicConstraints(ca=authority, path_length=0 if authority else None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), critical=False)
        .add_extension(_usage(authority), critical=True)
    )
    if host is not None:
        builder = builder.add_extension(x509.SubjectAlternativeName(_names(host)), critical=False)
        builder = builder.add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
    return builder.sign(signer, hashes.SHA256())


def _usage(authority: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not authority,
        key_cert_sign=authority,
        crl_sign=authority,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )
