"""A certificate authority of the sandbox's own, so that every connection verifies TLS as in production."""

from __future__ import annotations

import datetime as dt
import ipaddress
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from apisec_sandbox.splunkd.home import write_atomic

BACKDATED = dt.timedelta(minutes=5)  # for clocks that are a little behind


def names_of(host: str) -> list[x509.GeneralName]:
    """Return the names of a server on this machine: localhost in all forms, and the host that it is known by."""
    loopback = [x509.IPAddress(ipaddress.ip_address(address)) for address in ("127.0.0.1", "::1")]
    names: list[x509.GeneralName] = [x509.DNSName("localhost"), *loopback]
    try:
        extra: x509.GeneralName = x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        extra = x509.DNSName(host)
    return names if extra in names else [*names, extra]


def _pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


class Authority:
    """Issues server certificates; its own key stays in memory, so that each authority is used by one process."""

    def __init__(self, certificate: Path, lifetime: dt.timedelta) -> None:
        """Write the authority's certificate, PEM, to ``certificate``."""
        self.certificate = certificate
        self._lifetime = lifetime
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "apisec sandbox CA")])
        self._now = dt.datetime.now(dt.UTC)
        own = (
            self._builder(self._name, self._key.public_key())
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(_usage(certificate_sign=True), critical=True)
            .sign(self._key, hashes.SHA256())
        )
        write_atomic(certificate, own.public_bytes(serialization.Encoding.PEM))

    def _builder(self, subject: x509.Name, key: ec.EllipticCurvePublicKey) -> x509.CertificateBuilder:
        authority_key = x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key())
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self._name)
            .public_key(key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(self._now - BACKDATED)
            .not_valid_after(self._now + self._lifetime)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
            .add_extension(authority_key, critical=False)
        )

    def issue(self, host: str, certificate: Path, key_file: Path) -> None:
        """Write a certificate for ``host`` and this machine's loopback names, and its key (mode 600), as PEM."""
        key = ec.generate_private_key(ec.SECP256R1())
        names = names_of(host)
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, host)])
        issued = (
            self._builder(subject, key.public_key())
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(x509.SubjectAlternativeName(names), critical=False)
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
            .add_extension(_usage(certificate_sign=False), critical=True)
            .sign(self._key, hashes.SHA256())
        )
        write_atomic(certificate, issued.public_bytes(serialization.Encoding.PEM))
        write_atomic(key_file, _pem(key), 0o600)


def _usage(*, certificate_sign: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not certificate_sign,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=certificate_sign,
        crl_sign=certificate_sign,
        encipher_only=False,
        decipher_only=False,
    )
