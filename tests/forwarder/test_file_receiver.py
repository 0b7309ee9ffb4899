"""Files and pipes that others write: nothing twice after a commit, nothing lost at a rotation, nothing deleted."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from apisec_forwarder.config.receivers import FileReceiver
from apisec_forwarder.receivers.base import Place
from apisec_forwarder.receivers.files import file_source
from apisec_forwarder.receivers.lines import LineSource
from tests.forwarder.test_http_receiver import APISIX, KONG
from tests.support.waiting import until


def line(number: int) -> str:
    return json.dumps({"id": f"t{number}", "time": 1, "request": {"method": "GET", "url": f"/{number}"}}) + "\n"


def opened(tmp_path: Path, path: Path, kind: str = "jsonl") -> LineSource:
    return file_source(FileReceiver(path, kind), Place("edge", tmp_path), "files-0")


def ids(source: LineSource, count: int) -> list[str]:
    """Read until so many transactions came; a rotation needs several calls."""
    found: list[str] = []

    def enough() -> bool:
        found.extend(one.id for one in source.read())
        return len(found) >= count

    until(enough, 30, f"{count} transactions")
    return found


def test_a_file_is_followed_from_the_checkpoint(tmp_path: Path) -> None:
    log = tmp_path / "traffic.jsonl"
    source = opened(tmp_path, log)
    assert source.read() == []  # it is yet to come
    log.write_text(line(1) + "nonsense\n\n" + line(2) + line(3)[:10])
    assert ids(source, 2) == ["t1", "t2"]
    source.commit()
    with log.open("a") as file:
        file.write(line(3)[10:])
    assert ids(source, 1) == ["t3"]
    source.close()  # not committed: given again
    again = opened(tmp_path, log)
    assert ids(again, 1) == ["t3"]
    assert source.counters()["transactions_skipped", "malformed"] == 1
    again.close()


def test_its_owner_rotates_it_and_nothing_is_lost_or_deleted(tmp_path: Path) -> None:
    log = tmp_path / "traffic.jsonl"
    log.write_text(line(1))
    source = opened(tmp_path, log)
    assert ids(source, 1) == ["t1"]
    with log.open("a") as file:
        log.rename(tmp_path / "traffic.jsonl.1")
        file.write(line(2))  # the writer has not noticed yet
    log.write_text(line(3))
    assert ids(source, 2) == ["t2", "t3"]
    source.commit()
    source.close()
    assert (tmp_path / "traffic.jsonl.1").read_text() == line(1) + line(2)


def test_a_rotation_while_nobody_looked(tmp_path: Path) -> None:
    log = tmp_path / "traffic.jsonl"
    log.write_text(line(1))
    source = opened(tmp_path, log)
    assert ids(source, 1) == ["t1"]
    source.commit()
    source.close()
    with log.open("a") as file:
        file.write(line(2))
    log.rename(tmp_path / "traffic-20261121.jsonl")
    log.write_text(line(3))
    again = opened(tmp_path, log)
    assert ids(again, 2) == ["t2", "t3"]
    again.close()
    assert len(list(tmp_path.glob("traffic*"))) == 2


def test_a_file_that_is_emptied_begins_anew(tmp_path: Path) -> None:
    log = tmp_path / "traffic.jsonl"
    log.write_text(line(1) + line(2))
    source = opened(tmp_path, log)
    assert ids(source, 2) == ["t1", "t2"]
    log.write_text(line(3))  # as copytruncate does
    assert ids(source, 1) == ["t3"]
    source.close()


@pytest.mark.parametrize(("kind", "record"), [("kong", KONG), ("apisix", APISIX)])
def test_other_formats(tmp_path: Path, kind: str, record: dict[str, object]) -> None:
    log = tmp_path / "x.log"
    log.write_text(json.dumps(record) + "\n")
    source = opened(tmp_path, log, kind)
    (found,) = source.read()
    assert found.client.authenticated in ("ada", "bob")
    source.close()


def test_a_pipe_outlives_its_writers(tmp_path: Path) -> None:
    path = tmp_path / "pipe"
    os.mkfifo(path, 0o600)
    source = opened(tmp_path, path)
    assert source.read() == []
    for number in (1, 2):
        with path.open("w") as writer:
            writer.write(line(number)[:7])
            writer.flush()
            assert source.read() == []
            writer.write(line(number)[7:])
        assert ids(source, 1) == [f"t{number}"]
        source.commit()
    source.drain(handover=False)
    source.read()
    assert not source.pending()
    source.close()


def test_draining_reads_a_file_to_its_end_unless_a_successor_does(tmp_path: Path) -> None:
    log = tmp_path / "traffic.jsonl"
    log.write_text(line(1))
    source = opened(tmp_path, log)
    source.drain(handover=True)
    assert not source.pending()
    source.drain(handover=False)
    assert source.pending()
    assert len(source.read()) == 1
    source.read()
    assert not source.pending()
    source.close()
