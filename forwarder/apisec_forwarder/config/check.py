"""Looks at what the configuration names on this machine: files, their modes, certificates, folders."""

from __future__ import annotations

import datetime
import functools
import json
import os
import ssl
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC
from pathlib import Path

from apisec.classification.overrides import Overrides
from apisec.errors import ApisecError, ConfigError
from apisec_forwarder import keys
from apisec_forwarder.config.load import pipeline_settings
from apisec_forwarder.config.overrides import load_overrides
from apisec_forwarder.config.receivers import Receiver, TlsSettings
from apisec_forwarder.config.schema import Config, Keys
from apisec_forwarder.exporters.hec import hec_tests
from apisec_forwarder.pipeline import missing


@dataclass(frozen=True)
class Finding:
    """``problem`` is None when all is well."""

    key: str
    value: str
    problem: str | None = None


def check(config: Config) -> list[Finding]:
    """Return one finding for everything the configuration names, in the order of the file. Creates nothing."""
    return [Finding(key, value, _attempt(test)) for key, value, test in _tests(config)]


Test = tuple[str, str, Callable[[], object]]


def _tests(config: Config) -> Iterator[Test]:
    for service in config.services:
        if service.openapi is not None:
            yield f"services.{service.name}.openapi", str(service.openapi), lambda: None
    if config.redaction.overrides is not None:
        overrides = config.redaction.overrides
        yield (
            "redaction.overrides",
            str(overrides),
            lambda: load_overrides(overrides, datetime.datetime.now(UTC).date()),
        )
    if config.bundles is not None:
        bundles = config.bundles
        yield _folder("bundles.store", bundles.store, private=True)
        yield "bundles.trust", str(bundles.trust), lambda: _trust(bundles.trust)
    yield "services", str(len(config.services)), lambda: pipeline_settings(config, overrides=Overrides())
    yield "workers.engine", _engine(config), lambda: _native(config)
    yield from _receiver_tests(config.receiver)
    yield from _key_tests(config.keys)
    yield _folder("spool.directory", config.spool.directory, private=True)
    yield from hec_tests(config.hec)
    yield from _control_tests(config)


def _engine(config: Config) -> str:
    """Say which engine it will be, and what keeps ``auto`` from the native one."""
    absent = missing()
    if config.workers.engine != "auto":
        return config.workers.engine
    return f"auto: pure, for {' and '.join(absent)} cannot be imported" if absent else "auto: native"


def _native(config: Config) -> None:
    if config.workers.engine == "native" and missing():
        raise ConfigError(f"needs {' and '.join(missing())}; run: pip install 'apisec[forwarder]', or say auto")


def _receiver_tests(receiver: Receiver) -> Iterator[Test]:
    if receiver.envoy is not None:
        yield _folder("receiver.envoy.log", receiver.envoy.log.parent)
        if receiver.envoy.admin_socket is not None:
            yield _folder("receiver.envoy.admin_socket", receiver.envoy.admin_socket.parent)
    for number, one in enumerate(receiver.files):
        yield f"receiver.files[{number}].path", str(one.path), functools.partial(_readable, one.path)
    if receiver.nginx is not None:
        yield _folder("receiver.nginx.log", receiver.nginx.log.parent)
    for name in ("ext_proc", "http", "haproxy"):
        listening = getattr(receiver, name)
        socket = getattr(listening, "socket", None)
        if socket is not None:
            yield _folder(f"receiver.{name}.socket", socket.parent)
        if listening is not None:
            yield from _tls_tests(f"receiver.{name}", listening)
    if receiver.http is not None and receiver.http.tokens_file is not None:
        tokens = receiver.http.tokens_file
        yield "receiver.http.tokens_file", str(tokens), lambda: _tokens(tokens)


def _tls_tests(where: str, settings: TlsSettings) -> Iterator[Test]:
    certificate, key, client_ca = settings.tls_certificate, settings.tls_key, settings.client_ca
    if certificate is not None and key is not None:
        yield f"{where}.tls_certificate", str(certificate), lambda: _certificate(certificate, key)
        yield f"{where}.tls_key", str(key), lambda: _private(key)
    if client_ca is not None:
        yield f"{where}.client_ca", str(client_ca), lambda: ssl.create_default_context(cafile=str(client_ca))


def _key_tests(settings: Keys) -> Iterator[Test]:
    source = next(name for name in ("file", "environment", "command") if getattr(settings, name))
    value = getattr(settings, source)
    yield f"keys.{source}", value[0] if source == "command" else str(value), lambda: keys.open_ring(settings)


def _control_tests(config: Config) -> Iterator[Test]:
    admin, decisions = config.admin, config.decisions
    if admin is not None:
        yield (
            "admin.tls_certificate",
            str(admin.tls_certificate),
            lambda: _certificate(admin.tls_certificate, admin.tls_key),
        )
        yield "admin.tls_key", str(admin.tls_key), lambda: _private(admin.tls_key)
        ldap = admin.ldap
        if ldap is not None:
            yield (
                "admin.ldap.bind_password_file",
                str(ldap.bind_password_file),
                lambda: _private(ldap.bind_password_file),
            )
            yield "admin.ldap.ca_file", str(ldap.ca_file), lambda: _authority(ldap.ca_file)
        yield "admin.tokens_file", str(admin.tokens_file), lambda: _tokens(admin.tokens_file)
    if decisions is not None:
        yield _folder("decisions.socket", decisions.socket.parent)
        yield _folder("decisions.feed_socket", decisions.feed_socket.parent)
        yield _folder("decisions.ecds_directory", decisions.ecds_directory)
        yield _folder("decisions.store", decisions.store)


def _attempt(test: Callable[[], object]) -> str | None:
    try:
        test()
    except ApisecError as error:
        return str(error)
    except ssl.SSLError as error:
        return f"is not usable: {error.reason or 'not PEM'}"
    except OSError as error:
        return f"cannot be used: {error.strerror}"
    return None


def _folder(key: str, folder: Path, *, private: bool = False) -> Test:
    return key, str(folder), lambda: _writable(folder, private)


def _writable(folder: Path, private: bool) -> None:
    """A folder that is missing is fine when it can be made."""
    existing = folder
    while not existing.exists() and existing != existing.parent:
        existing = existing.parent
    if not existing.is_dir():
        raise ConfigError(f"{existing} is not a folder")
    if not os.access(existing, os.W_OK | os.X_OK):
        raise ConfigError(f"{existing} cannot be written by this user")
    if private and existing == folder and folder.stat().st_mode & 0o077:
        raise ConfigError(f"others may enter it; run: chmod 700 {folder}")


def _readable(path: Path) -> None:
    """A file that is not there yet is fine when its folder is: it is followed once it is made."""
    if not path.parent.is_dir():
        raise ConfigError(f"the folder {path.parent} is not there")
    if path.exists() and not os.access(path, os.R_OK):
        raise ConfigError("cannot be read by this user")


def _authority(path: Path | None) -> None:
    ssl.create_default_context(cafile=path)


def _trust(path: Path) -> None:
    from apisec_forwarder.bundles.manage import load_trust

    load_trust(path)


def _certificate(certificate: Path, key: Path) -> None:
    ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(certificate, key)


def _private(path: Path) -> None:
    if path.stat().st_mode & 0o077:
        raise ConfigError(f"others may read it; run: chmod 600 {path}")


def _tokens(path: Path) -> None:
    _private(path)
    try:
        document = json.loads(path.read_bytes())
    except ValueError as error:
        raise ConfigError("is not JSON; make it with: apisec-forwarder patterns token") from error
    if not isinstance(document, dict) or not isinstance(document.get("tokens"), list):
        raise ConfigError("holds no list of tokens; make it with: apisec-forwarder patterns token")
