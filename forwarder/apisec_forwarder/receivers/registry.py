"""Which receivers there are: the sources of a worker, and the sockets that the supervisor holds for them."""

from __future__ import annotations

import functools
import hashlib
import importlib
import os
import socket
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from apisec.errors import ConfigError
from apisec_forwarder.config import Config, EnvoyReceiver, FileReceiver, HaproxyReceiver, NginxReceiver
from apisec_forwarder.receivers.base import Place, Source
from apisec_forwarder.receivers.claimed import Claimed
from apisec_forwarder.receivers.envoy import RefusalOf, no_refusal


@dataclass(frozen=True)
class Held:
    """A listening socket, and the address in words by which the next configuration finds it again."""

    address: str
    socket: socket.socket


def open_sources(config: Config, place: Place) -> list[Source]:
    """Return the sources of one worker; ConfigError when one cannot be opened."""
    sources: list[Source] = []
    try:
        for source in _sources(config, place):
            sources.append(source)  # noqa: PERF402 (what was opened is closed when a later one fails)
    except BaseException:
        for source in sources:
            source.close()
        raise
    return sources


def open_sockets(config: Config, held: Mapping[str, Held] | None = None) -> dict[str, Held]:
    """Return the listening sockets by section; those of ``held`` that keep their address are taken over."""
    sockets: dict[str, Held] = {}
    before = held or {}
    try:
        for name, address, bind in _listening(config):
            if name in before and before[name].address == address:
                sockets[name] = before[name]
            else:
                sockets[name] = Held(address, bind())
    except BaseException:
        close_sockets(sockets, keep=before)
        raise
    return sockets


def close_sockets(sockets: Mapping[str, Held], keep: Mapping[str, Held]) -> None:
    """Close those that ``keep`` does not hold too."""
    kept = {id(one.socket) for one in keep.values()}
    for one in sockets.values():
        if id(one.socket) not in kept:
            one.socket.close()


def _sources(config: Config, place: Place) -> Iterator[Source]:
    receiver = config.receiver
    if receiver.envoy is not None:
        yield from _envoy(receiver.envoy, place, _refusal(config))
    if receiver.nginx is not None and place.index == 0:
        yield _nginx(receiver.nginx, place)
    for number, file in enumerate(receiver.files):
        if number % place.count == place.index:
            yield _file(file, place, f"files-{number}")
    if receiver.http is not None:
        from apisec_forwarder.receivers.http import HttpSource

        yield HttpSource(receiver.http, place)
    if receiver.haproxy is not None:
        yield _haproxy(receiver.haproxy, place)
    if receiver.ext_proc is not None:
        yield _ext_proc().open_source(receiver.ext_proc, place, _refusal(config))


def _envoy(settings: EnvoyReceiver, place: Place, refusal: RefusalOf) -> Iterator[Source]:
    from apisec_forwarder.receivers.envoy_log import EnvoySource, shards

    def opener(shard: int) -> Callable[[], Source]:
        return lambda: EnvoySource(settings, place, shard, refusal)

    for shard in shards(settings, place):
        name = "envoy" if shard == 0 else f"envoy-{shard}"
        yield _claimed(place, name, settings.shard(shard), opener(shard))


def _haproxy(settings: HaproxyReceiver, place: Place) -> Source:
    """One after another has a ring, so that its messages are counted once."""
    from apisec_forwarder.receivers import rings

    name = rings.section(place.index)
    path = Path(str(rings.ring_address(settings, place.index)))
    return _claimed(place, name, path, lambda: rings.HaproxySource(settings, place, name))


def _nginx(settings: NginxReceiver, place: Place) -> Source:
    from apisec_forwarder.receivers.files import nginx_source

    return _claimed(place, "nginx", settings.log, lambda: nginx_source(settings, place))


def _file(settings: FileReceiver, place: Place, name: str) -> Source:
    from apisec_forwarder.receivers.files import file_source

    return _claimed(place, name, settings.path, lambda: file_source(settings, place, name))


def _claimed(place: Place, name: str, path: Path, opener: Callable[[], Source]) -> Source:
    identity = hashlib.blake2b(os.fsencode(path), digest_size=8).hexdigest()
    return Claimed(name, place.state / f"source-{identity}.lock", opener)


def _listening(config: Config) -> Iterator[tuple[str, str, Callable[[], socket.socket]]]:
    """Yield section, address in words, and what binds it."""
    http, haproxy, ext_proc = config.receiver.http, config.receiver.haproxy, config.receiver.ext_proc
    if http is not None:
        from apisec_forwarder.receivers.http import listen as listen_http

        yield "http", str(http.socket or http.listen), lambda: listen_http(http)
    if haproxy is not None:
        yield from _rings(haproxy, config.workers.count)
    if ext_proc is not None:
        module = _ext_proc()
        yield "ext_proc", str(ext_proc.socket or ext_proc.listen), lambda: module.listen(ext_proc)


def _rings(settings: HaproxyReceiver, count: int) -> Iterator[tuple[str, str, Callable[[], socket.socket]]]:
    from apisec_forwarder.receivers import rings

    for index in range(count):
        address = str(rings.ring_address(settings, index))
        yield rings.section(index), address, functools.partial(rings.listen, settings, index)


def _ext_proc() -> Any:
    try:
        return importlib.import_module("apisec_forwarder.receivers.ext_proc")
    except ModuleNotFoundError as error:
        missing = f"needs the Python package {error.name!r}, which is not installed"
        raise ConfigError(missing, where="receiver.ext_proc") from error


def _refusal(config: Config) -> RefusalOf:
    if config.decisions is None:
        return no_refusal
    from apisec_forwarder.enforcement.envoy import refusal

    return refusal
