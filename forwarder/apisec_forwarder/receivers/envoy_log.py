"""The source that follows one of Envoy's access logs (``gateway.envoy`` configures Envoy to write them)."""

from __future__ import annotations

import contextlib
import re
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from apisec.errors import DecodeError
from apisec.model.transaction import Transaction
from apisec_forwarder.config import EnvoyReceiver
from apisec_forwarder.gateway.admin import EnvoyAdmin
from apisec_forwarder.receivers.base import SKIPPED, Place
from apisec_forwarder.receivers.envoy import RefusalOf, no_refusal, parse, split_torn
from apisec_forwarder.receivers.growing import Growing
from apisec_forwarder.receivers.lines import LineSource, LogLines
from apisec_forwarder.receivers.tail import LogTail

FRAME_SLACK_BYTES = 256 * 2**10  # headers (Envoy allows 60 KiB each way) and the rest of a line, in base64
FAILURES_SECONDS = 5.0  # how often Envoy is asked what it could not write
CHECKPOINT = "envoy-log.json"


class EnvoySource(LineSource):
    """One shard of Envoy's log; the log is the buffer, so nothing is lost while nobody reads it."""

    def __init__(
        self,
        settings: EnvoyReceiver,
        place: Place,
        shard: int = 0,
        refusal: RefusalOf = no_refusal,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        admin = EnvoyAdmin(settings.admin_socket) if settings.admin_socket is not None else None
        tail = LogTail(
            settings.shard(shard),
            place.state / (CHECKPOINT if shard == 0 else f"envoy-log-{shard}.json"),
            (settings.request_bytes + settings.response_bytes) * 4 // 3 + FRAME_SLACK_BYTES,
            rotate_bytes=settings.rotate_bytes,
            reopen=admin.reopen_logs if admin is not None else None,
        )
        name = "envoy" if shard == 0 else f"envoy-{shard}"
        super().__init__(name, LogLines(tail), lambda line: parse(line, place.gateway, refusal))
        self._admin = admin if shard == 0 else None  # Envoy counts for all its logs together
        self._failures = Growing()
        self._clock = clock
        self._ask_at = 0.0
        self._handed_over = False

    def read(self) -> Sequence[Transaction]:
        return () if self._handed_over else super().read()

    def _transaction(self, line: bytes) -> Transaction | None:
        record, torn = split_torn(line)
        if torn:
            self._counts[SKIPPED, "torn"] += torn
        try:
            return self._parse(record)
        except DecodeError as error:  # its text is ours and holds no byte of the line
            self._counts[SKIPPED, str(error).replace(" ", "_")] += 1
            return None

    def drain(self, *, handover: bool) -> None:
        super().drain(handover=handover)
        self._handed_over = handover

    def counters(self) -> Mapping[tuple[str, str], int]:
        if self._admin is None:
            return super().counters()
        now = self._clock()
        if now >= self._ask_at:
            self._ask_at = now + FAILURES_SECONDS
            with contextlib.suppress(OSError):  # Envoy is away: it writes nothing then either
                self._failures.saw(self._admin.write_failures())
        return {**super().counters(), ("gateway_write_failures", ""): self._failures.total}


def shards(settings: EnvoyReceiver, place: Place) -> list[int]:
    """Return the shards of this worker: its own, and those that a larger number of workers once had."""
    name = re.compile(re.escape(settings.log.stem) + r"\.shard([0-9]{1,2})" + re.escape(settings.log.suffix))
    found = {int(match[1]) for path in _siblings(settings.log) if (match := name.fullmatch(path.name))}
    return sorted(number for number in found | set(range(place.count)) if number % place.count == place.index)


def _siblings(log: Path) -> list[Path]:
    try:
        return list(log.parent.iterdir())
    except OSError:
        return []
