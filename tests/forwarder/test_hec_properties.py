"""Whatever two HECs answer, in whatever order: every event ends in one of them, or in the dead letters, and is told."""

from __future__ import annotations

import tempfile
import threading
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from apisec_forwarder import config as configuration
from apisec_forwarder import keys
from apisec_forwarder.exporters import open_shipper
from apisec_forwarder.metrics import Metrics
from apisec_forwarder.spool import Spool
from tests.forwarder.hec_rig import Rig
from tests.support.hec import Answer, FakeHec
from tests.support.waiting import until

ANSWERS = st.sampled_from(
    [
        Answer(),
        Answer(503, 9, take=0),
        Answer(429, 27, take=0, retry_after="2"),
        Answer(500, 8, take=0),
        Answer(502, None, take=0),
        Answer(400, 10, take=0),
        Answer(400, 11, take=0),
        Answer(403, 4, take=0),
        Answer(take=10**6, drop=True),  # taken, and the answer is lost
        Answer(take=0, drop=True),
        Answer(400, 6, take=0),  # a bad event, not named: halved
        Answer(400, 6, bad_event=0, take=0),
        Answer(400, 12, bad_event=2, take=2),
        Answer(413, None, take=0),
        Answer(200, None, take=0),  # not HEC's
    ]
)
STEPS = st.sampled_from(["step", "step", "step", "wait", "forget first", "restart second", "hold", "release"])


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.tuples(st.lists(ANSWERS, max_size=12), st.lists(ANSWERS, max_size=12)),
    st.lists(STEPS, max_size=15),
    st.sampled_from(["failover", "balance"]),
)
def test_nothing_is_lost(answers: tuple[list[Answer], list[Answer]], steps: list[str], strategy: str) -> None:
    with tempfile.TemporaryDirectory() as folder, FakeHec() as first, FakeHec() as second:
        rig = Rig(Path(folder), first, others=(second,))
        rig.start(strategy=strategy)
        for hec, script in zip((first, second), answers, strict=True):
            hec.script.extend(script)
        ids = rig.add(30)
        for step in steps:
            if step == "forget first":
                first._acks.clear()
            elif step == "restart second":
                second.stop()
                second.start()
            elif step in ("hold", "release"):
                first.hold_acks = step == "hold"
            rig.shipper.step()
            rig.now += 70.0 if step == "wait" else 0.3
        first.hold_acks = False
        for _ in range(600):
            rig.shipper.step()
            rig.now += 1.0
            if rig.shipper.drained():
                break
        assert rig.shipper.drained()
        assert {*first.ids(), *second.ids(), *rig.buried()} == set(ids)
        rig.close()


CONFIG = """
gateway: {{name: edge-1, env: DEV}}
receiver: {{envoy: {{log: access.json}}}}
keys: {{file: keys.json}}
spool: {{directory: spool}}
hec:
  targets: [{{url: "{first}"}}, {{url: "{second}"}}]
  strategy: balance
  token_file: hec.token
  batch_bytes: 16384
  batch_seconds: 0
  connections: 3
"""


@pytest.mark.parametrize("kill", [False, True])
def test_many_connections_at_once(tmp_path: Path, kill: bool) -> None:
    """As the process runs it: threads that send and ask side by side, with and without a target that goes away."""
    with FakeHec() as first, FakeHec() as second:
        (tmp_path / "hec.token").write_text(first.token)
        (tmp_path / "hec.token").chmod(0o600)
        keys.write(tmp_path / "keys.json", keys.generate())
        (tmp_path / "f.yaml").write_text(CONFIG.format(first=first.url, second=second.url))
        config = configuration.load(tmp_path / "f.yaml")
        metrics, stop = Metrics(), threading.Event()
        with Spool(config.spool.directory, "pipeline_0a", 2**30) as spool:
            shipper = open_shipper(config, metrics)
            thread = threading.Thread(target=shipper.run, args=(stop,))
            thread.start()
            ids = []
            for number in range(3000):
                ids.append(f"t{number}")
                spool.append(
                    b'{"sourcetype":"apisec:transaction","event":{"id":"t%d","pad":"%b"}}' % (number, b"x" * 99)
                )
                if kill and number == 1500:
                    until(lambda: len(first.ids()) > 100, 60)
                    first.stop()
            until(shipper.drained, 60, "everything acknowledged")
            stop.set()
            thread.join(20)
            shipper.close()
        assert {*first.ids(), *second.ids()} == set(ids)
        if not kill:
            assert len(first.ids()) + len(second.ids()) == len(ids)
            assert min(len(first.ids()), len(second.ids())) > 0
