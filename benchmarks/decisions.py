"""Block patterns at a real Envoy: seconds from push to first refusal, and what a call-out adds to a request.

All latencies are ratios to the same gateway (capture, access log, TLS) without any pattern, in the same run.
"""

from __future__ import annotations

import json
import statistics
import sys
import time
import uuid
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from tests.forwarder.decisions_rig import Rig, pattern

REQUESTS = 1000  # of one measurement, one after the other over one connection
ROUNDS = 3  # alternating, the median of which is reported
PUSHES = 10
BOT = {"user-agent": "sqlmap/1.7", "x-api-key": "k-4f9a8b7c6d5e4f3a2b1c"}
ORDER = "GET /orders/{order_id}"


def measure(rig: Rig, path: str) -> list[float]:
    """Return the sorted latencies (µs) of requests that pass."""
    link = rig.connection()
    taken = []
    for _ in range(REQUESTS):
        begun = time.perf_counter()
        status, _, _ = rig.ask("GET", path, {"user-agent": "bench", "x-api-key": "k-0123456789abcdef"}, link=link)
        taken.append((time.perf_counter() - begun) * 1e6)
        assert status == 200, status
    link.close()
    return sorted(taken)


def to_first_refusal(rig: Rig, detection: dict[str, Any], **extension: Any) -> list[float]:
    """Return milliseconds from the start of the PUT to the first refused request, asked again and again."""
    found = []
    for _ in range(PUSHES):
        document = pattern(str(uuid.uuid4()), detection, **extension)
        link = rig.connection()
        begun = time.perf_counter()
        assert rig.put(document).status_code == 201
        while rig.ask("GET", "/orders/17", BOT, link=link)[0] != 403:
            assert time.perf_counter() - begun < 10
        found.append((time.perf_counter() - begun) * 1000)
        link.close()
        rig.admin("DELETE", f"/v1/patterns/{document['id']}")
        while rig.ask("GET", "/orders/17", BOT)[0] == 403:
            time.sleep(0.005)
    return sorted(found)


def pushes(rig: Rig) -> dict[str, Any]:
    """Measure the three kinds: held, asked, and asked with a required step, which waits for the copies as well."""
    bot = {"operation": ORDER, "http_user_agent|contains": "sqlmap"}
    asked = {"s": {**bot, "object_ids.order_id": "17"}, "condition": "s"}
    requires = {"requires": {"selection": "before", "timespan": "10m", "warmup": "1s"}}
    kinds: tuple[tuple[str, dict[str, Any], dict[str, Any]], ...] = (
        ("held by the gateway (RBAC)", {"s": bot, "condition": "s"}, {}),
        ("asked by call-out", asked, {}),
        ("asked, with a required step", {**asked, "before": {"operation": "GET /orders/search"}}, requires),
    )
    results = {}
    for name, detection, extension in kinds:
        times = to_first_refusal(rig, detection, **extension)
        results[name] = {"median": statistics.median(times), "max": times[-1]}
        show(f"push to first refusal, ms: {name}", results[name])
    return results


def show(name: str, figures: dict[str, float]) -> None:
    print(f"{name:46}" + "  ".join(f"{key} {value:9.2f}" for key, value in figures.items()))


def main() -> None:
    asked = {"operation": ORDER, "principal": "~principal~0123456789abcdef~", "object_ids.order_id": "1"}
    results: dict[str, Any] = {}
    rig = Rig(whole=True)
    # http.server writes an answer in two pieces, which Nagle's algorithm would hold back for 40 ms.
    rig.upstream._server.RequestHandlerClass.disable_nagle_algorithm = True  # type: ignore[attr-defined]
    with rig:
        results.update(pushes(rig))
        latencies: dict[str, list[list[float]]] = {"none": [], "not selected": [], "selected": []}
        measure(rig, "/cart")
        for _ in range(ROUNDS):
            latencies["none"].append(measure(rig, "/orders/17"))
            document = pattern(str(uuid.uuid4()), {"s": asked, "condition": "s"})
            rig.put(document)
            time.sleep(0.3)
            latencies["not selected"].append(measure(rig, "/cart"))
            latencies["selected"].append(measure(rig, "/orders/17"))
            rig.admin("DELETE", f"/v1/patterns/{document['id']}")
            time.sleep(0.3)
        decisions = rig.decisions()
    base: dict[str, float] = {}
    for name, rounds in latencies.items():
        found = {
            "p50": statistics.median(r[len(r) // 2] for r in rounds),
            "p99": statistics.median(r[int(len(r) * 0.99)] for r in rounds),
        }
        base = base or found
        ratios = {f"{key} x": found[key] / base[key] for key in found}
        results[f"latency, {name}"] = {**found, **ratios}
        show(f"request latency, µs: {name}", results[f"latency, {name}"])
    results["mean_answer_ms"] = decisions["mean_answer_ms"]
    print(f"mean time of an answer in the service: {decisions['mean_answer_ms']:.3f} ms over {decisions['call_outs']}")
    print(json.dumps(results))


if __name__ == "__main__":
    main()
