"""Other people's tools on the same traffic, each in an environment of its own (``.venv-bench/``)."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.corpus.score import EventReader, Reader, SpanReader, Tally, score

HERE = Path(__file__).resolve().parent
ENVIRONMENTS = HERE.parents[2] / ".venv-bench"
Found = dict[str, dict[int, list[tuple[int, int, str, float]]]]  # transaction -> text -> start, end, class, score


@dataclass(frozen=True)
class Peer:
    """A tool: what pip installs, the script that its environment runs, and how sure it may be at least."""

    name: str
    requirements: tuple[str, ...]
    script: str
    thresholds: tuple[float, ...] = (0.0,)
    classes: tuple[str, ...] = ("secret",)  # that it has


PRESIDIO = Peer(
    "presidio",
    ("presidio-analyzer==2.2.360", "spacy==3.8.18", "phonenumbers==9.0.43", "tldextract==5.4.0"),
    "run_presidio.py",
    (0.0, 0.3, 0.5, 0.7),
    (
        *("pci.pan", "pii.ssn", "pii.itin", "pii.email", "pii.phone", "pii.national_id", "pii.passport"),
        *("pii.driving_licence", "fin.iban", "fin.account", "fin.routing", "fin.crypto", "fin.tax_id"),
        *("health.nhs", "health.dea"),
    ),
)
DETECT_SECRETS = Peer("detect-secrets", ("detect-secrets==1.5.0",), "run_detect_secrets.py")


class PeerMissing(Exception):  # noqa: N818 - named for what happened
    """A peer could not be installed; the message says why."""


def environment(peer: Peer) -> Path:
    """Return the Python of a peer's environment, made when it is not there; raises PeerMissing."""
    folder = ENVIRONMENTS / peer.name
    python, stamp = folder / "bin" / "python", folder / ("installed-" + "-".join(peer.requirements))
    if not stamp.exists():
        print(f"making {folder}", file=sys.stderr)
        make = [sys.executable, "-m", "venv", "--clear", str(folder)]
        install = [str(python), "-m", "pip", "install", "--quiet", *peer.requirements]
        for step in (make, install):
            done = subprocess.run(step, capture_output=True, text=True)
            if done.returncode:
                last = (done.stderr.strip().splitlines() or ["no message"])[-1]
                raise PeerMissing(f"{peer.name} cannot be installed (no package index?): {last}")
        stamp.touch()
    return python


def run(peer: Peer, labels: Path) -> Found:
    """Let a peer read the texts of a labelled split; raises PeerMissing."""
    python = environment(peer)
    with labels.open("rb") as texts:
        done = subprocess.run([str(python), str(HERE / peer.script)], stdin=texts, capture_output=True, text=True)
    if done.returncode:
        raise PeerMissing(f"{peer.name} failed: {done.stderr.strip().splitlines()[-1:]}")
    found: Found = {}
    for line in map(json.loads, done.stdout.splitlines()):
        spans: dict[int, list[tuple[int, int, str, float]]] = defaultdict(list)
        for text, start, end, data_class, certainty in line["found"]:
            spans[text].append((start, end, data_class, certainty))
        found[line["id"]] = spans
    return found


def answers(labels: Path) -> Iterator[Any]:
    with labels.open(encoding="utf-8") as lines:
        yield from map(json.loads, lines)


def best(
    peer: Peer, found: Found, labels: Path, view: Callable[[Any], Any] = lambda label: label
) -> tuple[Tally, float]:
    """Score a peer at each of its thresholds; return the tally that serves it best, and its threshold."""
    tallies = []
    for threshold in peer.thresholds:
        tally = Tally()
        for answer in answers(labels):
            spans = {
                text: [(start, end, name) for start, end, name, sure in listed if sure >= threshold]
                for text, listed in found.get(answer["id"], {}).items()
            }
            score(tally, [view(label) for label in answer["labels"]], SpanReader(answer["texts"], spans))
        tallies.append((tally, threshold))
    return max(tallies, key=lambda pair: pair[0].rates()[2])


def secrets_only(label: Mapping[str, Any]) -> dict[str, Any]:
    """See a label as tools do that only tell secrets from everything else."""
    secret = str(label["class"]).startswith("secret.")
    return {**label, "class": "secret" if secret else None, "accept": []}


class SecretsReader:
    """Reads another reader's findings as ``secret`` or nothing."""

    def __init__(self, inner: Reader) -> None:
        self._inner = inner

    def classes(self, label: Mapping[str, Any]) -> set[str]:
        return {"secret" for name in self._inner.classes(label) if name.startswith("secret")}

    def hides(self, label: Mapping[str, Any]) -> bool:
        return label["class"] is not None and self._inner.hides(label)

    def removes(self, label: Mapping[str, Any]) -> bool:
        return False


def secrets_of(events: Mapping[str, Mapping[str, Any]], labels: Path) -> Tally:
    """Score our events as ``secret`` or nothing."""
    tally = Tally()
    for answer in answers(labels):
        listed = [secrets_only(label) for label in answer["labels"]]
        score(tally, listed, SecretsReader(EventReader(events[answer["id"]], answer["labels"])))
    return tally
