"""The source that follows one of Envoy's access logs (``gateway.envoy`` configures Envoy to write them)."""

from __future__ import annotations

import contextlib
import re
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from apisec.errors import DecodeError
from apisec.model.transaction import Transaction
from apisec_forwarder.config import EnvoyReceiver
from apisec_forwarder.gateway.admin import EnvoyAdmin
from apisec_forwarder.receivers.base import RECEIVED, SKIPPED, Place
from apisec_forwarder.receivers.envoy import RefusalOf, no_refusal, parse, split_torn
from apisec_forwarder.receivers.tail import LogTail

FRAME_SLACK_BYTES = 256 * 2**10  # headers (Envoy allows 60 KiB each way) and the rest of a line, in base64
FAILURES_SECONDS = 5.0  # how often Envoy is asked what it could not write
CHECKPOINT = "envoy-log.json"


class EnvoySource:
    """One shard of Envoy's log; the log is the buffer, so nothing is lost while nobody reads it."""

    prompt = False

    def __init__(
        self,
        settings: EnvoyReceiver,
        place: Place,
        shard: int = 0,
        refusal: RefusalOf = no_refusal,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.name = "envoy" if shard == 0 else f"envoy-{shard}"
        self._gateway = place.gateway
        self._refusal = refusal
        self._clock = clock
        self._admin = EnvoyAdmin(settings.admin_socket) if settings.admin_socket is not None else None
        self._tail = LogTail(
            settings.shard(shard),
            place.state / (CHECKPOINT if shard == 0 else f"envoy-log-{shard}.json"),
            (settings.request_bytes + settings.response_bytes) * 4 // 3 + FRAME_SLACK_BYTES,
            rotate_bytes=settings.rotate_bytes,
            reopen=self._admin.reopen_logs if self._admin is not None else None,
        )
        self._failures = _Growing() if shard == 0 else None  # Envoy counts for all its logs together
        self._ask_at = 0.0
        self._counts: Counter[tuple[str, str]] = Counter()
        self._handover = False
        self._ended = False

    def read(self) -> Sequence[Transaction]:
        if self._handover:
            return ()
        lines = self._tail.read()
        self._ended = not lines
        found = [transaction for line in lines if (transaction := self._parse(line)) is not None]
        self._counts[RECEIVED, ""] += len(found)
        return found

    def _parse(self, line: bytes) -> Transaction | None:
        record, torn = split_torn(line)
        if torn:
            self._counts[SKIPPED, "torn"] += torn
        try:
            return parse(record, self._gateway, self._refusal)
        except DecodeError as error:  # its text is ours and holds no byte of the line
            self._counts[SKIPPED, str(error).replace(" ", "_")] += 1
            return None

    def commit(self) -> None:
        self._tail.commit(self._tail.mark())

    def drain(self, *, handover: bool) -> None:
        self._handover = handover
        self._ended = handover

    def pending(self) -> bool:
        return not self._ended

    def counters(self) -> Mapping[tuple[str, str], int]:
        counts = self._tail.counts
        self._ask()
        return {
            **self._counts,
            (SKIPPED, "unended"): counts.torn,
            (SKIPPED, "oversized"): counts.oversized,
            ("log_rotations", ""): counts.rotations,
            ("log_truncations", ""): counts.truncated,
            ("log_reopen_failures", ""): counts.reopen_failures,
            **({("gateway_write_failures", ""): self._failures.total} if self._failures is not None else {}),
        }

    def _ask(self) -> None:
        """Bring the count of what Envoy could not write up to date, now and then."""
        now = self._clock()
        if self._admin is None or self._failures is None or now < self._ask_at:
            return
        self._ask_at = now + FAILURES_SECONDS
        with contextlib.suppress(OSError):  # Envoy is away: it writes nothing then either
            self._failures.saw(self._admin.write_failures())

    def gauges(self) -> Mapping[str, float]:
        return {"unread_bytes": self._tail.unread_bytes()}

    def close(self) -> None:
        self._tail.close()


class _Growing:
    """A counter that somebody else keeps, and that begins at zero when they are started anew."""

    def __init__(self) -> None:
        self.total = 0
        self._last: int | None = None

    def saw(self, value: int) -> None:
        if self._last is None:
            self._last = value  # what was before us an earlier process has counted
        self.total += value - self._last if value >= self._last else value
        self._last = value


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
