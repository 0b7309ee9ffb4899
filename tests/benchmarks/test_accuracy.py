"""What the forwarder finds in the corpus does not sink: the benchmark's figures on a part of it, as floors.

The corpus is the same in each run, so these are no odds: a figure below its floor is a change of the product.
"""

from __future__ import annotations

import pytest

from benchmarks import accuracy
from benchmarks.corpus.generate import transactions
from benchmarks.corpus.report import TARGETS
from benchmarks.corpus.score import Tally

COUNT = 500  # transactions: about 2,200 planted values
TAUGHT, BLIND = "development", "examination"
# Micro F1 of all classes, and the share of planted values that leak (the target is 0.001). The examination's are what
# a vocabulary nobody mended by got when it was written, less a little: raise them as the product rises.
MICRO = {(TAUGHT, "balanced"): 0.98, (BLIND, "balanced"): 0.9, (BLIND, "strict"): 0.92}
MAX_LEAK = {TAUGHT: 0.02, BLIND: 0.08}
F1 = {TAUGHT: TARGETS, BLIND: {**dict.fromkeys(TARGETS, 0.97), "pci.pan": 0.78}}


@pytest.fixture(scope="module", params=MICRO, ids="-".join)
def run(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str, Tally]:
    split, mode = request.param
    folder = tmp_path_factory.mktemp(split)
    traffic, labels = accuracy.write(transactions(accuracy.SPLITS[split], COUNT), folder)
    return split, mode, accuracy.evaluate(labels, accuracy.replay(traffic, folder, mode, "pure"), mode)


def test_micro_f1_keeps_its_floor(run: tuple[str, str, Tally]) -> None:
    split, mode, tally = run
    assert tally.rates()[2] >= MICRO[split, mode]


def test_hardly_anything_leaks(run: tuple[str, str, Tally]) -> None:
    split, _, tally = run
    assert tally.leak() <= MAX_LEAK[split]


@pytest.mark.parametrize("data_class", TARGETS)
def test_what_targets_are_set_for_keeps_its_floor(run: tuple[str, str, Tally], data_class: str) -> None:
    split, _, tally = run
    assert tally.rates([data_class])[2] >= F1[split][data_class]
