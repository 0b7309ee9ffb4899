"""The few calls of Splunk's REST API that the demo makes, as an administrator with a script would make them."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, cast
from urllib.parse import quote

import requests

from apisec_sandbox.demo.processes import DemoError

APP = "apisec"
TIMEOUT_SECONDS = 60

# How solnlib, the library under ucc-gen's pages, lays a secret into storage/passwords.
PIECE = 255
MASK = "******"  # stands in the .conf file for a value that is in storage/passwords
SEPARATOR = "``splunk_cred_sep``"
END_MARK = SEPARATOR + "".join(letter + SEPARATOR for letter in "SPLUNK")


class Splunk:
    """A session with splunkd's management port; TLS is verified against ``ca``."""

    def __init__(self, url: str, ca: Path, user: str, password: str) -> None:
        self.url = url.rstrip("/")
        self._session = requests.Session()
        self._session.trust_env = False  # REQUESTS_CA_BUNDLE would otherwise win over the CA given here
        self._session.verify = str(ca)
        answer = self._call("POST", "/services/auth/login", {"username": user, "password": password})
        self._session.headers["Authorization"] = f"Splunk {answer['sessionKey']}"

    def _call(self, method: str, path: str, data: Mapping[str, Any] | None = None, *, body: object = None) -> Any:
        parameters = {"output_mode": "json"}
        response = self._session.request(
            method, self.url + path, params=parameters, data=data, json=body, timeout=TIMEOUT_SECONDS
        )
        if response.status_code >= 400:
            raise DemoError(f"Splunk answered {response.status_code} to {method} {path}: {response.text[:500]}")
        return response.json() if response.content else {}

    def search(self, spl: str, **arguments: str) -> list[dict[str, Any]]:
        """Run a search to its end and return its rows.

        ``arguments`` are those of search/jobs: earliest_time, latest_time …
        """
        query = spl if spl.lstrip().startswith("|") else f"search {spl}"
        path = f"/servicesNS/nobody/{APP}/search/jobs"
        answer = self._call("POST", path, {"search": query, "exec_mode": "oneshot", "count": "0", **arguments})
        return cast("list[dict[str, Any]]", answer["results"])

    def collection(self, name: str) -> list[dict[str, Any]]:
        path = f"/servicesNS/nobody/{APP}/storage/collections/data/{name}"
        return cast("list[dict[str, Any]]", self._call("GET", path))

    def set_stanza(self, conf: str, stanza: str, values: Mapping[str, Any]) -> None:
        """Create or change a stanza of a .conf file in the app's local/."""
        namespace = f"/servicesNS/nobody/{APP}"
        base = f"{namespace}/configs/conf-{conf}"
        if conf not in self._names(f"{namespace}/properties"):
            self._call("POST", f"{namespace}/properties", {"__conf": conf})
        if stanza in self._names(base):
            self._call("POST", f"{base}/{quote(stanza, safe='')}", values)
        else:
            self._call("POST", base, {"name": stanza, **values})

    def _names(self, path: str) -> set[str]:
        return {entry["name"] for entry in self._call("GET", f"{path}?count=0")["entry"]}

    def set_credential(self, realm: str, name: str, secret: str) -> None:
        """Store a secret as add-ons built by ucc-gen do: in pieces, with a mark behind the last."""
        pieces = [secret[at : at + PIECE] for at in range(0, len(secret), PIECE)]
        for number, piece in enumerate([*pieces, END_MARK], 1):
            data = {"realm": realm, "name": f"{name}{SEPARATOR}{number}", "password": piece}
            self._call("POST", f"/servicesNS/nobody/{APP}/storage/passwords", data)

    def create_input(self, kind: str, name: str, values: Mapping[str, Any]) -> None:
        self._call("POST", f"/servicesNS/nobody/{APP}/data/inputs/{kind}", {"name": name, **values})

    def edit_saved_search(self, name: str, values: Mapping[str, Any]) -> None:
        self._call("POST", f"/servicesNS/nobody/{APP}/saved/searches/{quote(name, safe='')}", values)

    def dispatch(self, names: Iterable[str], seconds: float = 60) -> None:
        """Run saved searches now, at the same time, with their actions; return when all are done."""
        sids = {}
        for name in names:
            path = f"/servicesNS/nobody/{APP}/saved/searches/{quote(name, safe='')}/dispatch"
            sids[name] = self._call("POST", path, {"trigger_actions": "1"})["sid"]
        deadline = time.monotonic() + seconds
        for name, sid in sids.items():
            while not self._done(name, sid):
                if time.monotonic() > deadline:
                    raise DemoError(f"saved search {name!r} was not done within {seconds:.0f} s")
                time.sleep(0.05)

    def _done(self, name: str, sid: str) -> bool:
        job = self._call("GET", f"/services/search/jobs/{quote(sid, safe='')}")["entry"][0]["content"]
        if job.get("isFailed"):
            raise DemoError(f"saved search {name!r} failed: {json.dumps(job.get('messages'))}")
        return bool(job["isDone"])
