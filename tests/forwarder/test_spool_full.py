"""A spool that is full: at its cap, on a full disk, at a file's size limit. Nothing is dropped uncounted."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from apisec_forwarder.spool import Spool, SpoolFull, SpoolReader
from apisec_forwarder.spool.segments import list_segments
from tests.forwarder.test_spool import BIG, drain, envelope


def test_the_cap_drops_the_oldest_and_counts(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "s", "w", 16_000)
    reader = SpoolReader(tmp_path / "s")
    for number in range(500):
        spool.append(envelope(number, 100))
        used = sum(segment.size for segment in list_segments(tmp_path / "s"))
        assert used <= 16_000
    left = drain(reader)
    assert left == list(range(500 - len(left), 500))
    assert spool.dropped.records == 500 - len(left) > 0


def test_dropping_what_was_acknowledged_counts_nothing(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "s", "w", 16_000)
    reader = SpoolReader(tmp_path / "s")
    for number in range(300):
        spool.append(envelope(number, 100))
        if number % 20 == 0:
            drain(reader)
    assert spool.dropped.records == 0


def test_a_full_disk_makes_room_once_and_then_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    spool = Spool(tmp_path / "s", "w", BIG, segment_bytes=4096)
    for number in range(100):
        spool.append(envelope(number, 100))
    before = len(list_segments(tmp_path / "s"))
    real, failures = os.write, [28, 28]  # ENOSPC twice: after making room, and then for good

    def full(descriptor: int, data: bytes) -> int:
        if failures:
            real(descriptor, bytes(data)[:7])  # a part got through
            raise OSError(failures.pop(), "No space left on device")
        return real(descriptor, data)

    monkeypatch.setattr(os, "write", full)
    with pytest.raises(OSError, match="No space"):
        spool.append(envelope(1000))
    assert len(list_segments(tmp_path / "s")) < before
    spool.append(envelope(1001))
    reader = SpoolReader(tmp_path / "s")
    assert drain(reader)[-2:] == [99, 1001]
    assert reader.damaged == 0


def test_paused_at_the_cap_nothing_is_dropped(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "s", "w", 64_000, overflow="pause")
    reader = SpoolReader(tmp_path / "s")
    number = 0
    with contextlib.suppress(SpoolFull):
        while number < 5000:
            spool.append(envelope(number, 100))
            number += 1
    assert 200 < number < 600
    assert spool.state == "full"
    assert sum(segment.size for segment in list_segments(tmp_path / "s")) <= 64_000
    with pytest.raises(SpoolFull):  # and again: the caller tries until there is room
        spool.append(envelope(number, 100))
    assert drain(reader) == list(range(number))
    spool.append(envelope(number, 100))
    assert spool.state == "ok"
    assert drain(reader) == [number]
    assert spool.dropped.records == 0


def test_many_open_segments_do_not_pause_the_one_that_works(tmp_path: Path) -> None:
    """Those of other workers are acknowledged and cannot be deleted while they are open."""
    with contextlib.ExitStack() as stack:
        reader = SpoolReader(tmp_path / "s")
        for number in range(40):
            other = stack.enter_context(Spool(tmp_path / "s", f"w{number}", 64_000, overflow="pause"))
            other.extend(envelope(number, 100) for number in range(25))
            drain(reader)
        assert sum(segment.size for segment in list_segments(tmp_path / "s")) > 64_000
        spool = stack.enter_context(Spool(tmp_path / "s", "w", 64_000, overflow="pause"))
        for number in range(1000):
            spool.append(envelope(number, 100))
            if number % 50 == 0:
                drain(reader)
        assert spool.dropped.records == 0


def test_extend_is_one_write_of_many_records(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "s", "w", BIG)
    spool.extend(envelope(number) for number in range(50))
    spool.extend(())
    assert drain(SpoolReader(tmp_path / "s")) == list(range(50))


def test_what_was_torn_by_a_full_disk_is_added_again_and_nothing_is_lost(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The reader may have taken whole records of a write that failed in its middle: they must stay where they are."""
    spool = Spool(tmp_path / "s", "w", BIG, overflow="pause")
    reader = SpoolReader(tmp_path / "s")
    real = os.write
    seen: list[int] = []

    def full(descriptor: int, data: bytes) -> int:
        if seen:
            raise OSError(28, "No space left on device")
        written = real(descriptor, bytes(data)[:100])  # short, as write(2) is where the disk ends
        seen.extend(drain(reader))
        return written

    monkeypatch.setattr(os, "write", full)
    with pytest.raises(OSError, match="No space"):
        spool.extend(envelope(number) for number in range(50))
    assert spool.state == "no_space"
    monkeypatch.setattr(os, "write", real)
    spool.extend(envelope(number) for number in range(50))
    assert spool.state == "ok"
    assert seen
    assert seen + drain(reader) == [*seen, *range(50)]
    assert reader.damaged == 0


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 1 MiB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=1m,mode=700", "tmpfs", str(folder)]
    if shutil.which("mount") is None or subprocess.run(command, capture_output=True).returncode:
        pytest.skip("this user may not mount a tmpfs")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


def test_a_disk_that_is_really_full(small_disk: Path) -> None:
    spool = Spool(small_disk / "s", "w", BIG, segment_bytes=50_000, overflow="pause")
    reader = SpoolReader(small_disk / "s")
    number, batches = 0, []
    for _ in range(3):
        with contextlib.suppress(OSError):
            while number < 5000:
                spool.append(envelope(number, 1000))
                number += 1
        assert spool.state == "no_space"
        while batch := reader.take(100_000):
            batches.append(batch)
        for one in batches[:5]:  # the positions cannot be written, and yet room is made
            reader.acknowledge(one.span)
        del batches[:5]
        spool.append(envelope(number, 1000))
        number += 1
    for one in batches:
        reader.acknowledge(one.span)
    assert drain(reader)[-1] == number - 1
    assert reader.pending_bytes() == 0
    assert spool.dropped.records == 0


def test_a_full_disk_drops_the_oldest_where_that_is_asked(small_disk: Path) -> None:
    spool = Spool(small_disk / "s", "w", BIG, segment_bytes=50_000)
    for number in range(3000):
        spool.append(envelope(number, 1000))
    left = drain(SpoolReader(small_disk / "s"))
    assert left == list(range(3000 - len(left), 3000))
    assert spool.dropped.records == 3000 - len(left)


def test_a_file_size_limit_is_said_and_outlived(tmp_path: Path) -> None:
    """A quota that is no full disk (EFBIG, by RLIMIT_FSIZE): an error, and not one byte of a torn record is left."""
    code = """
import resource, sys
from pathlib import Path
from apisec_forwarder.spool import Spool
spool = Spool(Path(sys.argv[1]), "w", 2**30, overflow="pause")
resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, resource.RLIM_INFINITY))
number = 0
try:
    while True:
        spool.append(b'{"n": %d}' % number)
        number += 1
except OSError:
    print(number, spool.state)
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
spool.append(b'{"n": %d}' % number)
print(spool.state)
"""
    done = subprocess.run([sys.executable, "-c", code, str(tmp_path / "s")], capture_output=True, text=True, check=True)
    number, state, later = done.stdout.split()
    assert (state, later) == ("error", "ok")
    reader = SpoolReader(tmp_path / "s")
    assert drain(reader) == list(range(int(number) + 1))
    assert reader.damaged == 0
