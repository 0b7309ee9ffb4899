"""A forwarder's admin API on the wire, over TLS with a certificate of its own authority. Imports no product."""

from __future__ import annotations

import datetime
import ipaddress
import json
import ssl
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

TOKEN = "test-token-0123456789"


def certificate(folder: Path, address: str) -> tuple[Path, Path]:
    """A self-signed certificate for an address that is its own authority, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "forwarder")])
    now = datetime.datetime.now(datetime.UTC)
    built = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(minutes=5))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(address))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem, secret = folder / "admin.pem", folder / "admin.key"
    pem.write_bytes(built.public_bytes(serialization.Encoding.PEM))
    private = serialization.PrivateFormat.PKCS8
    secret.write_bytes(key.private_bytes(serialization.Encoding.PEM, private, serialization.NoEncryption()))
    return pem, secret


class FakeAdmin:
    """Holds patterns by id; remembers each call. ``refuse`` makes promotions fail as the real one does."""

    def __init__(self, folder: Path, address: str = "127.0.0.1") -> None:
        self.address = address
        self.ca, key = certificate(folder, address)
        self.patterns: dict[str, dict[str, Any]] = {}
        self.calls: list[tuple[str, str, Any]] = []
        self.refuse = False
        fake = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self._handle()

            do_PUT = do_POST = do_GET

            def _handle(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                document = json.loads(body) if body else None
                status, answer = fake.answer(self.command, self.path, document, self.headers["Authorization"])
                kind = "application/problem+json" if status >= 400 else "application/json"
                content = json.dumps(answer).encode()
                self.send_response(status)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *args: Any) -> None:
                pass

        self._server = ThreadingHTTPServer((address, 0), Handler)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.ca, key)
        self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    @property
    def url(self) -> str:
        return f"https://{self.address}:{self._server.server_address[1]}"

    def answer(self, method: str, path: str, body: Any, authorization: str) -> tuple[int, dict[str, Any]]:
        self.calls.append((method, path, body))
        if authorization != f"Bearer {TOKEN}":
            return 401, {"title": "Not authenticated", "detail": "the token is not known"}
        identity, _, verb = path.removeprefix("/v1/patterns/").partition(":")
        held = self.patterns.get(identity)
        if method == "GET" and held is None:
            return 404, {"title": "No such pattern"}
        if method == "PUT":
            self.patterns[identity] = {"id": identity, "mode": body["apisec"]["mode"], "document": body}
        elif verb == "promote":
            if self.refuse:
                return 409, {"title": "Evidence", "detail": "bounds the rate by 40 % only", "remedy": "replay more"}
            assert held is not None
            held["mode"] = body["to"]
        return 200, self.patterns[identity]

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
