"""Loads the configuration, and makes from it what other parts are set up with."""

from __future__ import annotations

import dataclasses
import datetime
import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import yaml

from apisec.classification.classes import BY_NAME
from apisec.classification.overrides import Overrides
from apisec.errors import ApisecError, ConfigError, did_you_mean
from apisec_forwarder.config.overrides import load_overrides
from apisec_forwarder.config.reader import Problems, read_section
from apisec_forwarder.config.schema import Config

if TYPE_CHECKING:
    from apisec_forwarder.pipeline import PipelineSettings

MAX_CONFIG_BYTES = 4 * 2**20  # thousands of services fit; a log file given by mistake does not
MAX_OPENAPI_BYTES = 32 * 2**20


def parse(document: str, path: Path) -> tuple[Config | None, list[ConfigError]]:
    """Read a configuration's text without any I/O; every error is returned, in the order of the file.

    ``path`` leads the messages, and its folder is the base of relative paths.
    """
    problems = Problems(name=str(path), base=path.parent)
    try:
        node = yaml.compose(document, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = f"{path}:{mark.line + 1}" if mark else str(path)
        return None, [ConfigError(f"not YAML: {error.problem or error.context}", where=where)]
    except (yaml.YAMLError, RecursionError) as error:
        return None, [ConfigError(f"not YAML: {type(error).__name__}", where=str(path))]
    if node is None:
        return None, [ConfigError("the file is empty; docs/forwarder.md shows one", where=str(path))]
    config = read_section(Config, node, "", problems)
    if config is not None:
        config = dataclasses.replace(config, path=path)
        for message in _contradictions(config):
            problems.errors.append(ConfigError(message, where=str(path)))
    return (None if problems.errors else config), problems.errors


def _contradictions(config: Config) -> Iterator[str]:
    """Yield what is wrong between keys that are each fine."""
    names = [service.name for service in config.services]
    for name in sorted({name for name in names if names.count(name) > 1}):
        yield f"services: {name!r} stands twice; give one entry all its hosts and paths"
    routes = [(host, path) for service in config.services for host in service.hosts for path in service.paths]
    for host, path in sorted({route for route in routes if routes.count(route) > 1}):
        yield f"services: host {host!r} with path {path!r} belongs to two services"
    sources = [name for name in ("file", "environment", "command") if getattr(config.keys, name)]
    if len(sources) != 1:
        yield f"keys: give exactly one of file, environment and command, not {' and '.join(sources) or 'none'}"
    for name in config.keys.format_preserving:
        if name not in BY_NAME:
            yield f"keys.format_preserving: no data class {name!r}{did_you_mean(name, BY_NAME)}"
    yield from config.receiver.contradictions()
    yield from config.hec.contradictions(config.services)
    if (config.decisions is None) != (config.admin is None):
        yield "decisions and admin belong together: patterns come in through the admin API; give both or neither"
    ldap = config.admin.ldap if config.admin is not None else None
    if ldap is not None:
        if ldap.url.startswith("ldap://") != ldap.start_tls:
            yield "admin.ldap: take ldaps://, or ldap:// with start_tls: true; passwords never travel in clear"
        if "{user}" not in ldap.user_filter or not ("{dn}" in ldap.group_filter or "{user}" in ldap.group_filter):
            yield "admin.ldap: user_filter needs {user}, and group_filter {dn} or {user}"
    if config.bundles is not None and config.admin is None:
        yield "bundles come in through the admin API; give the sections admin and decisions, too"
    if config.hec.batch_bytes < config.limits.body_bytes:
        yield "hec.batch_bytes is smaller than limits.body_bytes: one event would not fit a batch"


def read_text(path: Path) -> bytes:
    """Return the file's bytes, or raise ConfigError; a file that cannot be a configuration is not read to its end."""
    try:
        with path.open("rb") as file:
            raw = file.read(MAX_CONFIG_BYTES + 1)
    except OSError as error:
        raise ConfigError(f"cannot be read: {error.strerror}", where=str(path)) from error
    if len(raw) > MAX_CONFIG_BYTES:
        raise ConfigError(f"is larger than {MAX_CONFIG_BYTES} bytes: not a configuration", where=str(path))
    return raw


def read(path: Path) -> tuple[Config | None, list[ConfigError]]:
    """Read the file at ``path``; like ``parse``, and says when the file cannot be read."""
    try:
        return _parse_bytes(read_text(path), path)
    except ConfigError as error:
        return None, [error]


def _parse_bytes(raw: bytes, path: Path) -> tuple[Config | None, list[ConfigError]]:
    try:
        return parse(raw.decode("utf-8"), path)
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        return None, [ConfigError("is not UTF-8", where=f"{path}:{line}")]


def load(path: Path, accepted: int | None = None) -> Config:
    """Return the configuration; ConfigError with one line for each thing that is wrong.

    ``accepted`` is a descriptor from which to read the text instead: that of the configuration which the supervisor
    has accepted, however the file was edited since. ``path`` still leads messages and relative paths.
    """
    path = Path(path).absolute()
    if accepted is None:
        config, errors = read(path)
    else:
        config, errors = _parse_bytes(os.pread(accepted, MAX_CONFIG_BYTES, 0), path)
    if config is None:
        raise ConfigError("\n".join(map(str, errors)))
    return config


def status_file(config: Config) -> Path:
    """Where the pipeline writes what it is doing (JSON, mode 600, replaced atomically)."""
    return config.spool.directory / "status.json"


def pipeline_settings(config: Config, *, overrides: Overrides | None = None) -> PipelineSettings:
    """Build the pipeline's settings; reads the files that it names. ConfigError when one is bad.

    Without ``overrides``, those of ``redaction.overrides`` that count today (UTC).
    """
    from apisec_forwarder.pipeline import PipelineSettings, Service

    if overrides is None:
        path, today = config.redaction.overrides, datetime.datetime.now(datetime.UTC).date()
        overrides = load_overrides(path, today) if path is not None else Overrides()

    services = tuple(
        Service(
            name=service.name,
            team=service.team,
            hosts=service.hosts,
            paths=service.paths,
            index=service.index or config.hec.team_index(service.team) or config.hec.index,
            templates=_templates(service.openapi, service.name),
            mode=service.redaction or config.redaction.mode,
        )
        for service in config.services
    )
    if config.bundles is not None:
        from apisec_forwarder.bundles import effect

        bundles = effect.applied(config)
        services = effect.services(config, services, bundles, config.gateway.env)
        overrides = effect.overrides(overrides, bundles)
    return PipelineSettings(
        gateway=config.gateway.name,
        env=config.gateway.env,
        services=services,
        body_cap=config.limits.body_bytes,
        index=config.hec.index,
        mode=config.redaction.mode,
        overrides=overrides,
    )


def _templates(path: Path | None, service: str) -> tuple[str, ...]:
    from apisec.openapi.paths import templates

    if path is None:
        return ()
    where = f"services.{service}.openapi: {path}"
    try:
        if path.stat().st_size > MAX_OPENAPI_BYTES:
            raise ConfigError(f"is larger than {MAX_OPENAPI_BYTES} bytes", where=where)
        document = yaml.load(path.read_bytes(), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506
        return tuple(templates(document, where=str(path)))
    except OSError as error:
        raise ConfigError(f"cannot be read: {error.strerror}", where=where) from error
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        raise ConfigError("is neither JSON nor YAML", where=where) from error
    except ApisecError as error:
        raise ConfigError(str(error), where=where) from error
