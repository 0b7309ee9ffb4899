"""The spool: what was appended comes out once acknowledged, in order, whatever ends a process in between."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from apisec.errors import ConfigError
from apisec_forwarder.spool import Spool, SpoolReader, writer
from apisec_forwarder.spool.segments import decode, encode, list_segments
from tests.support.waiting import until

BIG = 2**30


def envelope(number: int, size: int = 0) -> bytes:
    return json.dumps({"n": number, "pad": "x" * size}).encode()


def numbers(envelopes: list[bytes] | tuple[bytes, ...]) -> list[int]:
    return [json.loads(one)["n"] for one in envelopes]


def drain(reader: SpoolReader, acknowledge: bool = True, max_bytes: int = 1000) -> list[int]:
    found: list[int] = []
    while batch := reader.take(max_bytes):
        found += numbers(batch.envelopes)
        if acknowledge:
            reader.acknowledge(batch.span)
    return found


@given(st.binary(max_size=200).filter(lambda data: b"\n" not in data))
def test_records_round_trip(data: bytes) -> None:
    assert decode(encode(data)[:-1]) == data


@given(st.binary(min_size=1, max_size=60).filter(lambda data: b"\n" not in data), st.data())
def test_a_torn_record_is_seen(data: bytes, draw: st.DataObject) -> None:
    record = encode(data)[:-1]
    assert decode(record[: draw.draw(st.integers(0, len(record) - 1))]) is None


def test_line_breaks_are_refused(tmp_path: Path) -> None:
    with Spool(tmp_path / "s", "w", BIG) as spool, pytest.raises(ValueError, match="one line"):
        spool.append(b"{\n}")


def test_appended_is_readable_at_once_and_private(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "s", "w", BIG)
    reader = SpoolReader(tmp_path / "s")
    spool.append(envelope(1))
    assert drain(reader) == [1]
    spool.append(envelope(2))
    assert drain(reader) == [2]
    assert reader.pending_bytes() == 0
    assert (tmp_path / "s").stat().st_mode & 0o777 == 0o700
    assert {path.stat().st_mode & 0o777 for path in (tmp_path / "s").iterdir()} == {0o600}


def test_a_folder_that_others_may_enter_is_refused(tmp_path: Path) -> None:
    (tmp_path / "s").mkdir(mode=0o755)
    with pytest.raises(ConfigError, match="chmod 700"):
        Spool(tmp_path / "s", "w", BIG)


def test_batches_respect_their_bound(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "s", "w", BIG)
    for number in range(20):
        spool.append(envelope(number, 100))
    spool.append(envelope(20, 5000))
    reader = SpoolReader(tmp_path / "s")
    sizes = []
    while batch := reader.take(1000):
        sizes.append((len(batch.envelopes), sum(map(len, batch.envelopes))))
    assert sum(count for count, _ in sizes) == 21
    assert all(size <= 1000 or count == 1 for count, size in sizes)


def test_what_was_not_acknowledged_comes_again(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "s", "w", BIG)
    for number in range(10):
        spool.append(envelope(number, 100))
    first = SpoolReader(tmp_path / "s")
    batch = first.take(500)
    assert batch is not None
    first.acknowledge(batch.span)
    assert drain(first, acknowledge=False)
    os.close(first._owner)  # as the end of the process does
    again = drain(SpoolReader(tmp_path / "s"))
    assert numbers(batch.envelopes) + again == list(range(10))


def test_acknowledged_segments_are_deleted(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "s", "w", BIG, segment_bytes=1000)
    reader = SpoolReader(tmp_path / "s")
    for number in range(50):
        spool.append(envelope(number, 100))
    assert len(list_segments(tmp_path / "s")) > 3
    assert drain(reader) == list(range(50))
    assert len(list_segments(tmp_path / "s")) == 1


def test_writers_share_a_folder(tmp_path: Path) -> None:
    one, two = Spool(tmp_path / "s", "pipeline", BIG), Spool(tmp_path / "s", "control", BIG)
    for number in range(5):
        one.append(envelope(number))
        two.append(envelope(100 + number))
    found = drain(SpoolReader(tmp_path / "s"))
    assert [n for n in found if n < 100] == list(range(5))
    assert [n for n in found if n >= 100] == list(range(100, 105))


def test_one_writer_of_a_name_and_one_reader(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writer, "LOCK_WAIT_SECONDS", 0.0)
    kept = Spool(tmp_path / "s", "w", BIG), SpoolReader(tmp_path / "s")
    with pytest.raises(ConfigError, match="another apisec-forwarder"):
        Spool(tmp_path / "s", "w", BIG)
    with pytest.raises(ConfigError, match="another apisec-forwarder"):
        SpoolReader(tmp_path / "s")
    assert kept


def test_numbers_are_never_used_twice(tmp_path: Path) -> None:
    """Otherwise a new segment would lie before the acknowledged position and never be sent."""
    for number in range(3):
        with Spool(tmp_path / "s", "w", BIG) as spool:
            spool.append(envelope(number))
        reader = SpoolReader(tmp_path / "s")
        assert drain(reader) == [number]
        os.close(reader._owner)
        for segment in list_segments(tmp_path / "s"):
            segment.path.unlink()


def test_damaged_positions_resend_everything(tmp_path: Path) -> None:
    with Spool(tmp_path / "s", "w", BIG) as spool:
        spool.append(envelope(1))
    (tmp_path / "s" / "acknowledged.json").write_text('{"positions": {"w": [1]}}')
    assert drain(SpoolReader(tmp_path / "s")) == [1]


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.integers(1, 6), st.integers(0, 60), st.booleans()), min_size=1, max_size=8))
def test_torn_tails_cost_only_themselves(runs: list[tuple[int, int, bool]]) -> None:
    """Each run of a writer ends with a power failure that leaves a part of a record (or none) behind."""
    with tempfile.TemporaryDirectory() as folder:
        directory, expected, number = Path(folder) / "s", [], 0
        for count, torn, acknowledge in runs:
            with Spool(directory, "w", BIG, segment_bytes=300) as spool:
                for _ in range(count):
                    spool.append(envelope(number, 20))
                    expected.append(number)
                    number += 1
                with list_segments(directory)[-1].path.open("ab") as file:
                    file.write(encode(envelope(999_999, 20))[:torn].rstrip(b"\n"))
            reader = SpoolReader(directory)
            found = drain(reader, acknowledge)
            os.close(reader._owner)
            assert 999_999 not in found or torn >= len(encode(envelope(999_999, 20))) - 1
            found = [one for one in found if one != 999_999]
            assert found == expected
            if acknowledge:
                expected = []


def test_a_step_of_the_clock_does_not_make_new_events_the_oldest(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "s", "w", 64_000)
    for number in range(300):
        spool.append(envelope(number, 100))
    for segment in list_segments(tmp_path / "s"):  # the newer, the older by their times
        os.utime(segment.path, (0, 10**9 - segment.number))
    for number in range(300, 600):
        spool.append(envelope(number, 100))
    left = drain(SpoolReader(tmp_path / "s"))
    assert left == list(range(600 - len(left), 600))


def test_a_batch_can_be_read_again_until_it_is_acknowledged(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "s", "w", BIG)
    spool.extend(envelope(number, 100) for number in range(40))
    reader = SpoolReader(tmp_path / "s")
    first, second = reader.take(1000), reader.take(1000)
    assert first is not None
    assert second is not None
    assert (reader.reread(second.span), reader.reread(first.span)) == (second.envelopes, first.envelopes)
    list_segments(tmp_path / "s")[0].path.unlink()  # the cap
    assert reader.reread(first.span) is None


CHILD = """
import sys
from pathlib import Path
from apisec_forwarder.spool import Spool
spool = Spool(Path(sys.argv[1]), "w", 2**30, segment_bytes=20_000)
number = 0
while True:
    spool.append(b'{"n": %d}' % number)
    number += 1
    print(number, flush=True)
"""


def test_kill_loses_nothing_that_append_returned_from(tmp_path: Path) -> None:
    directory, said = tmp_path / "s", tmp_path / "said"
    for _ in range(3):
        with said.open("wb") as output:
            child = subprocess.Popen([sys.executable, "-c", CHILD, str(directory)], stdout=output)
        until(lambda: said.stat().st_size > 20_000, 30, "some records")
        child.send_signal(signal.SIGKILL)
        child.wait()
        promised = int(said.read_text().split("\n")[-2])
        reader = SpoolReader(directory)
        found = drain(reader, max_bytes=100_000)
        os.close(reader._owner)
        assert found in (list(range(promised)), list(range(promised + 1)))
