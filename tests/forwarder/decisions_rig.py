"""A whole gateway for tests: an upstream, Envoy with TLS, and the forwarder's processes, on ports of their own."""

from __future__ import annotations

import datetime
import http.client
import ipaddress
import json
import ssl
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, Self

import requests
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.support.processes import Process, forwarder, start_envoy
from tests.support.upstream import Upstream
from tests.support.waiting import free_port, listening, until

SPEC = {
    "openapi": "3.0.3",
    "info": {"title": "shop", "version": "1"},
    "paths": {
        "/orders/{order_id}": {"get": {}},
        "/orders/search": {"get": {}},
        "/admin/export": {"get": {}},
        "/checkout/{checkout_id}/payment": {"post": {}},
        "/checkout/{checkout_id}/confirm": {"post": {}},
        "/notes": {"post": {}},
    },
}


def certificate(folder: Path) -> tuple[Path, Path]:
    """Write a self-signed certificate of 127.0.0.1 and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "shop.example")])
    now = datetime.datetime.now(datetime.UTC)
    alternatives = [x509.DNSName("shop.example"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(days=2))
        .add_extension(x509.SubjectAlternativeName(alternatives), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    certificate_file, key_file = folder / "cert.pem", folder / "key.pem"
    certificate_file.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    form = serialization.PrivateFormat.PKCS8
    key_file.write_bytes(key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption()))
    key_file.chmod(0o600)
    return certificate_file, key_file


class Rig:
    """Use as a context. ``whole`` starts the pipeline beside the control process, ``gateway`` Envoy."""

    TOKENS: tuple[tuple[str, str, str], ...] = (
        ("all", "patterns:read,patterns:write", "*"),
        ("reader", "patterns:read", "*"),
        ("commerce", "patterns:read,patterns:write", "commerce"),
        ("finance", "patterns:read,patterns:write", "finance"),
    )

    def __init__(self, *, whole: bool = False, gateway: bool = True) -> None:
        self._whole, self._gateway = whole, gateway
        self._folder = tempfile.TemporaryDirectory(prefix="apisec-")  # short: unix sockets' paths are bounded
        self.folder = Path(self._folder.name)
        self.port, self.admin_port = free_port(), free_port()
        self.upstream = Upstream()
        self.certificate, key = certificate(self.folder)
        (self.folder / "spec.json").write_text(json.dumps(SPEC))
        (self.folder / "hec.token").write_text("00000000-0000-0000-0000-000000000000\n")
        (self.folder / "hec.token").chmod(0o600)
        self.config = self.folder / "f.yaml"
        self.config.write_text(self._config(key))
        self._run(*forwarder("keys", "generate", "--output", str(self.folder / "keys.json")))
        self.tokens = {name: self._token(name, scopes, teams) for name, scopes, teams in self.TOKENS}
        self.processes: dict[str, Process] = {}

    def _config(self, key: Path) -> str:
        f = self.folder
        return f"""
gateway: {{name: edge-1, env: DEV}}
services:
  - {{name: shop, team: commerce, hosts: [shop.example, 127.0.0.1], openapi: spec.json}}
  - {{name: bank, team: finance, hosts: [bank.example]}}
receiver: {{envoy: {{log: {f}/access.json, admin_socket: {f}/admin.sock}}}}
keys: {{file: keys.json}}
spool: {{directory: {f}/spool}}
workers: {{engine: pure}}
hec: {{url: "https://127.0.0.1:9", token_file: hec.token, index: apisec}}
admin:
  listen: 127.0.0.1:{self.admin_port}
  tls_certificate: {self.certificate}
  tls_key: {key}
  tokens_file: tokens.json
decisions:
  socket: {f}/authz.sock
  feed_socket: {f}/feed.sock
  ecds_directory: {f}/ecds
  store: {f}/store
  timeout_ms: 1000
"""

    def _run(self, *command: str) -> str:
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout

    def _token(self, name: str, scopes: str, teams: str) -> str:
        arguments = ("patterns", "token", "--name", name, "--scopes", scopes, "--teams", teams)
        made = self._run(*forwarder(*arguments, "--tokens-file", str(self.folder / "tokens.json")))
        return made.strip()

    def __enter__(self) -> Self:
        self.upstream.__enter__()
        try:
            self.start_control()
            if self._whole:
                self.start_pipeline()
            if self._gateway:
                self._start_envoy()
        except BaseException:
            self.__exit__()
            raise
        return self

    def start_control(self) -> None:
        command = [sys.executable, "-m", "apisec_forwarder.control", "--config", str(self.config)]
        self.processes["control"] = Process(command, self.folder / "control.log")
        until(lambda: listening(self.admin_port), 20, (self.folder / "control.log").read_text())

    def start_pipeline(self) -> None:
        command = [sys.executable, "-m", "apisec_forwarder.worker", "--config", str(self.config)]
        self.processes["pipeline"] = Process(command, self.folder / "pipeline.log")

    def _start_envoy(self) -> None:
        tls = ("--tls-certificate", str(self.certificate), "--tls-key", str(self.folder / "key.pem"))
        addresses = ("--listen", f"127.0.0.1:{self.port}", "--upstream", f"127.0.0.1:{self.upstream.port}")
        made = self._run(*forwarder("gateway", "--config", str(self.config), *addresses, *tls))
        (self.folder / "envoy.yaml").write_text(made)
        self.processes["envoy"] = start_envoy(self.folder / "envoy.yaml", self.port, self.folder / "envoy.log")

    def __exit__(self, *_: object) -> None:
        for process in self.processes.values():
            process.kill()
        self.upstream.__exit__()
        self._folder.cleanup()

    # --- use ----------------------------------------------------------------------------------------------

    def connection(self) -> http.client.HTTPSConnection:
        context = ssl.create_default_context(cafile=str(self.certificate))
        return http.client.HTTPSConnection("127.0.0.1", self.port, context=context, timeout=10)

    def ask(
        self,
        method: str,
        path: str,
        headers: dict[str, str] | None = None,
        body: bytes | None = None,
        link: http.client.HTTPSConnection | None = None,
    ) -> tuple[int, dict[str, str], bytes]:
        """Send one request through Envoy as it is written; return status, headers in lower case, body."""
        own = link or self.connection()
        own.putrequest(method, path, skip_host=False, skip_accept_encoding=True)
        for name, value in (headers or {}).items():
            own.putheader(name, value)
        if body is not None:
            own.putheader("content-length", str(len(body)))
        own.endheaders(body)
        answer = own.getresponse()
        content = answer.read()
        if link is None:
            own.close()
        return answer.status, {name.lower(): value for name, value in answer.getheaders()}, content

    def admin(self, method: str, path: str, token: str | None = "all", **arguments: Any) -> requests.Response:
        headers = {"authorization": f"Bearer {self.tokens.get(token, token)}"} if token is not None else {}
        headers.update(arguments.pop("headers", {}))
        url = f"https://127.0.0.1:{self.admin_port}{path}"
        with requests.Session() as session:
            session.trust_env = False
            return session.request(method, url, headers=headers, verify=str(self.certificate), timeout=10, **arguments)

    def put(self, document: dict[str, Any]) -> requests.Response:
        query = {"override": "true", "reason": "a test"}
        return self.admin("PUT", f"/v1/patterns/{document['id']}", json=document, params=query)

    def decisions(self) -> dict[str, Any]:
        found: dict[str, Any] = self.admin("GET", "/v1/status").json()["decisions"]
        return found

    def spooled(self) -> list[dict[str, Any]]:
        """Return the HEC envelopes in the spool, in the order they were written."""
        from apisec_forwarder.spool.segments import list_segments

        found = []
        for segment in list_segments(self.folder / "spool"):
            for line in segment.path.read_bytes().splitlines():
                start = line.find(b"{")
                if start >= 0:
                    found.append(json.loads(line[start:]))
        return found


def pattern(identity: str, detection: dict[str, Any], mode: str = "enforce", **extension: Any) -> dict[str, Any]:
    """Return a pattern document on the service shop that lives for an hour."""
    expires = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 3600))
    return {
        "title": f"test {identity[:8]}",
        "id": identity,
        "logsource": {"category": "api", "product": "apisec", "service": "shop"},
        "detection": detection,
        "apisec": {"mode": mode, "expires": expires, **extension},
    }
