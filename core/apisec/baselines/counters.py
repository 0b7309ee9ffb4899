"""What is counted, over which horizons, and what is taken for ordinary where nothing is known yet."""

from __future__ import annotations

from typing import Dict, NamedTuple, Tuple

HORIZONS: Tuple[str, ...] = ("1h", "1d", "7d")
SLOTS: Dict[str, int] = {"1h": 12, "1d": 288, "7d": 2016}  # of 300 seconds
HORIZON_INDEX: Dict[str, int] = {name: index for index, name in enumerate(HORIZONS)}
SLOTS_PER_HOUR, SLOTS_PER_DAY, SLOTS_PER_WEEK = 12, 288, 2016

PRINCIPAL, PRINCIPAL_OPERATION = "principal", "principal@operation"
OPERATION, SERVICE = "operation", "service"
KEY_LENGTH = {PRINCIPAL: 2, PRINCIPAL_OPERATION: 3, OPERATION: 2, SERVICE: 1}

# Sizes, not counts of deeds: log-normal in the middle and heavier beyond.
HEAVY = frozenset({"bytes", "bytes_in", "bytes_out", "records", "sensitive", "response_time"})

MAX_COUNTERS = 40  # of one population or total; further ones are not learned
MAX_NAME = 64  # characters of a counter's name


class Prior(NamedTuple):
    """Of a principal's sum when it does anything at all. Counts: mean and size; sizes: median and sigma of the log."""

    location: float
    shape: float


# By horizon. What a counter is called says how often it is; an unknown one is taken for rare.
_PRIORS: Dict[str, Tuple[Prior, Prior, Prior]] = {
    "requests": (Prior(10.0, 0.7), Prior(30.0, 0.5), Prior(100.0, 0.4)),
    "operations": (Prior(4.0, 2.0), Prior(8.0, 2.0), Prior(12.0, 2.0)),
    "objects": (Prior(4.0, 0.5), Prior(12.0, 0.4), Prior(40.0, 0.3)),
    "given": (Prior(15.0, 0.4), Prior(30.0, 0.3), Prior(60.0, 0.3)),
    "failures": (Prior(0.5, 0.2), Prior(1.5, 0.2), Prior(5.0, 0.2)),
    "bytes": (Prior(4e3, 2.0), Prior(1.2e4, 2.0), Prior(4e4, 2.0)),
    "bytes_in": (Prior(1e3, 2.0), Prior(3e3, 2.0), Prior(1e4, 2.0)),
    "bytes_out": (Prior(4e3, 2.0), Prior(1.2e4, 2.0), Prior(4e4, 2.0)),
    "records": (Prior(10.0, 2.0), Prior(30.0, 2.0), Prior(100.0, 2.0)),
    "response_time": (Prior(500.0, 2.0), Prior(1.5e3, 2.0), Prior(5e3, 2.0)),
    "sensitive": (Prior(10.0, 2.0), Prior(30.0, 2.0), Prior(100.0, 2.0)),
}
_RARE = (Prior(0.1, 0.1), Prior(0.3, 0.1), Prior(1.0, 0.1))


def prior(counter: str, horizon: int) -> Prior:
    """Return what is taken for ordinary of a counter over a horizon (its index) before anything was learned."""
    return _PRIORS.get(counter, _RARE)[horizon]
