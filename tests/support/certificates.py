"""Self-signed certificates for servers of tests."""

from __future__ import annotations

import subprocess
from pathlib import Path


def self_signed(folder: Path, name: str = "localhost", address: str | None = "127.0.0.1") -> tuple[Path, Path]:
    """Make ``c.pem`` and ``k.pem`` for ``name`` and ``address``; the certificate is its own CA."""
    certificate, key = folder / "c.pem", folder / "k.pem"
    made = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2"
    names = ["-subj", f"/CN={name}", "-addext", f"subjectAltName=DNS:{name}" + (f",IP:{address}" if address else "")]
    files = ["-keyout", str(key), "-out", str(certificate)]
    subprocess.run(["openssl", *made.split(), *names, *files], check=True, capture_output=True)
    key.chmod(0o600)
    return certificate, key
