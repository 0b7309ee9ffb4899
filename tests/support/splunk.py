"""A Splunk as tests use it: documented REST and HEC only, so that the same tests run on any Splunk.

``Target`` says where it is (SPLUNK_URL and what belongs to it, or the stand-in that a fixture started); ``Splunk`` is
one test's use of it. Nothing of a test may meet what is there already: every service, principal, session and id that
it sends carries the test's own marker, it reads only what carries it, and ``close`` takes back what it made (documents,
passwords, stanzas, changed searches; events stay, as events do).
"""

from __future__ import annotations

import contextlib
import email.utils
import json
import os
import re
import time
import uuid
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, NamedTuple, TypeVar, cast
from urllib.parse import quote, urlsplit

import pytest
import requests

T = TypeVar("T")

APP = "apisec"
INDEXES = ("apisec", "apisec_risk")
COLLECTIONS = (
    "apisec_inventory", "apisec_inventory_deltas", "apisec_inventory_archive", "apisec_paths", "apisec_patterns",
)  # fmt: skip
INDEXED = ("service", "operation", "principal", "status", "action")
TIMEOUT_SECONDS = 120
MAX_SKEW_SECONDS = 300.0  # more, and "the last hour" of a search is another hour than the test's
BUSY = (429, 503)  # the user's quota of searches, or splunkd's own


class Role(NamedTuple):
    imports: tuple[str, ...]
    capabilities: tuple[str, ...]


# What the test user may do; docs/splunk-owner.md says what each is for.
TEST_ROLE = Role(("apisec_admin",), ("edit_tcp", "run_sendalert"))
INHERITED = ("search", "apisec_read", "apisec_block", "list_storage_passwords", "edit_storage_passwords")
CAPABILITIES = (*TEST_ROLE.capabilities, *INHERITED)

_TOKEN = re.compile(r"~(\w+)~[0-9a-f]{8}([0-9a-f]{8})~")
_OWN_FIELDS = ("principal", "session", "auth_token", "user", "risk_object")


class SplunkError(AssertionError):
    """Splunk refused; the message holds its status and text."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(f"Splunk answered {status}: {text[:2000]}")
        self.status = status


@dataclass(frozen=True)
class Target:
    """Where a Splunk is. ``reach`` is this machine's address as that Splunk sees it; ``patience`` is in seconds."""

    url: str
    ca: str
    username: str
    password: str = field(repr=False)  # a failing test prints its arguments
    token: str = field(repr=False)
    hec_url: str
    hec_token: str = field(repr=False)
    reach: str = "127.0.0.1"
    patience: float = 30.0

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> Target | None:
        """Read SPLUNK_URL and its companions; None without SPLUNK_URL. Raises ValueError that names what is missing."""
        url = environment.get("SPLUNK_URL", "").rstrip("/")
        if not url:
            return None
        if urlsplit(url).scheme != "https":
            raise ValueError(
                f"SPLUNK_URL={url}: give https://host:8089; TLS is always verified (SPLUNK_CA names the CA)"
            )
        user = all(environment.get(name) for name in ("SPLUNK_USERNAME", "SPLUNK_PASSWORD"))
        if not user and not environment.get("SPLUNK_TOKEN"):
            raise ValueError("SPLUNK_URL is set: give SPLUNK_USERNAME and SPLUNK_PASSWORD, or SPLUNK_TOKEN")
        missing = [name for name in ("SPLUNK_HEC_URL", "SPLUNK_HEC_TOKEN") if not environment.get(name)]
        if missing:
            raise ValueError(f"SPLUNK_URL is set: give {' and '.join(missing)} too (https://host:8088 and a token)")
        ca = environment.get("SPLUNK_CA", "")
        if ca and not Path(ca).is_file():
            raise ValueError(f"SPLUNK_CA={ca}: no such file")
        return cls(
            url=url,
            ca=ca,
            username=environment.get("SPLUNK_USERNAME", ""),
            password=environment.get("SPLUNK_PASSWORD", ""),
            token=environment.get("SPLUNK_TOKEN", ""),
            hec_url=environment["SPLUNK_HEC_URL"].rstrip("/"),
            hec_token=environment["SPLUNK_HEC_TOKEN"],
            reach=environment.get("SPLUNK_REACH", ""),
            patience=float(environment.get("SPLUNK_PATIENCE", "120")),
        )

    def as_user(self, username: str, password: str) -> Target:
        """The same Splunk as another user."""
        return replace(self, username=username, password=password, token="")

    @property
    def reachable(self) -> bool:
        """Whether that Splunk can call back to this machine."""
        return bool(self.reach) or urlsplit(self.url).hostname in ("127.0.0.1", "localhost")


class Rest:
    """A session with the management port: TLS verified, a password's session renewed, a busy Splunk waited for."""

    def __init__(self, target: Target) -> None:
        self.target = target
        self.skew = 0.0  # seconds that Splunk's clock is ahead of ours
        self._http = requests.Session()
        self._http.trust_env = False  # REQUESTS_CA_BUNDLE would otherwise win over the CA given here
        self._http.verify = target.ca or True
        self._key = ""
        if target.token and not target.password:
            self._http.headers["Authorization"] = f"Bearer {target.token}"
        else:
            self._login()

    def _login(self) -> None:
        self._http.headers.pop("Authorization", None)
        form = {"username": self.target.username, "password": self.target.password}
        began = time.time()
        answer = self._http.post(
            f"{self.target.url}/services/auth/login", {**form, "output_mode": "json"}, timeout=TIMEOUT_SECONDS
        )
        if answer.status_code != 200:
            raise SplunkError(answer.status_code, answer.text)
        self.skew = _skew(answer.headers.get("Date"), (began + time.time()) / 2)
        self._key = str(answer.json()["sessionKey"])
        self._http.headers["Authorization"] = f"Splunk {self._key}"

    @property
    def session_key(self) -> str:
        """The key that splunkd would hand to a script."""
        if not self._key:
            pytest.skip("a script needs a session key: set SPLUNK_USERNAME and SPLUNK_PASSWORD")
        return self._key

    def call(self, method: str, path: str, form: Mapping[str, Any] | None = None, body: Any = None) -> Any:
        """One call; the answer's JSON."""
        deadline = time.monotonic() + self.target.patience
        while True:
            answer = self._send(method, path, form, body)
            if answer.status_code == 401 and self._key:
                self._login()
                answer = self._send(method, path, form, body)
            if answer.status_code not in BUSY or time.monotonic() > deadline:
                break
            time.sleep(1.0)
        if answer.status_code >= 400:
            raise SplunkError(answer.status_code, f"{method} {path}: {answer.text}")
        return answer.json() if answer.content else {}

    def _send(self, method: str, path: str, form: Mapping[str, Any] | None, body: Any) -> requests.Response:
        return self._http.request(
            method,
            self.target.url + path,
            params={"output_mode": "json"},
            data=form if body is None else None,
            json=body,
            timeout=TIMEOUT_SECONDS,
        )

    def post_raw(self, path: str, text: str) -> None:
        """Post a text as it is: an event for receivers/simple."""
        headers = {"Content-Type": "text/plain"}
        answer = self._http.post(self.target.url + path, text.encode(), headers=headers, timeout=TIMEOUT_SECONDS)
        if answer.status_code >= 400:
            raise SplunkError(answer.status_code, f"POST {path}: {answer.text}")

    def entries(self, path: str) -> list[dict[str, Any]]:
        """Every entry of a listing."""
        return cast("list[dict[str, Any]]", self.call("GET", f"{path}{'&' if '?' in path else '?'}count=0")["entry"])


def _skew(date: str | None, now: float) -> float:
    """How far a Date header is ahead of ``now``; its resolution is a second, so that less than two is none."""
    if not date:
        return 0.0
    ahead = email.utils.parsedate_to_datetime(date).timestamp() + 0.5 - now
    return ahead if abs(ahead) >= 2 else 0.0


class Splunk:
    """One test's use of a Splunk. ``service`` is the API service that its events belong to."""

    def __init__(self, target: Target) -> None:
        self.target = target
        self.rest = Rest(target)
        self.marker = uuid.uuid4().hex[:8]
        self.service = self.own("shop")
        self._undo: list[Callable[[], object]] = []
        self._http = requests.Session()
        self._http.trust_env = False
        self._http.verify = target.ca or True
        self._http.headers["Authorization"] = f"Splunk {target.hec_token}"
        self._http.headers["X-Splunk-Request-Channel"] = str(uuid.uuid4())

    # What is the test's own

    def own(self, name: str) -> str:
        """A name that nobody else on this Splunk uses."""
        return f"{name}-{self.marker}"

    def token(self, value: str) -> str:
        """A principal or session as this test's own; the last digits, which samples go by, stay."""
        return _TOKEN.sub(rf"~\1~{self.marker}\2~", value) if _TOKEN.search(value) else f"{self.marker}-{value}"

    def event(self, event: Mapping[str, Any]) -> dict[str, Any]:
        """An event with service, id and principals of this test's own."""
        changes = {name: self.token(event[name]) for name in _OWN_FIELDS if event.get(name)}
        changes |= {"service": self.own(event["service"])} if "service" in event else {}
        changes |= {"id": f"{self.marker}-{event['id']}"} if "id" in event else {}
        return {**event, **changes}

    def document(self, document: Mapping[str, Any]) -> dict[str, Any]:
        """A document of a collection as this test's own."""
        service, key = document["service"], str(document["_key"])
        rest = key.removeprefix(f"{service}|")
        changes: dict[str, Any] = {"service": self.own(service), "_key": f"{self.own(service)}|{rest}"}
        return {**document, **changes}

    def mine(self, rows: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
        """The rows about what this test sent."""
        return [row for row in rows if self.marker in json.dumps(row)]

    def now(self) -> float:
        return time.time() + self.rest.skew

    def recent(self, lines: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
        """Example traffic at the times that its ``at`` (seconds from Splunk's now) says."""
        base = self.now()
        return [{**line["event"], "time": round(base + line["at"], 3)} for line in lines]

    # Events

    def send(self, events: Iterable[Mapping[str, Any]], sourcetype: str = "apisec:transaction") -> None:
        """Index events by HEC, as the forwarder does, and wait until a search sees them."""
        listed = [self.event(event) for event in events]
        indexed = sourcetype == "apisec:transaction"
        before = self.count(sourcetype if not indexed else "")
        self.hec(self._envelope(event, sourcetype) for event in listed)
        self.wait(lambda: self.count(sourcetype if not indexed else "") >= before + len(listed), "indexed events")

    @staticmethod
    def _envelope(event: Mapping[str, Any], sourcetype: str) -> dict[str, Any]:
        # Indexed fields are the forwarder's; what the app itself writes has none.
        indexed = INDEXED if sourcetype == "apisec:transaction" else ()
        fields = {name: str(event[name]) for name in indexed if name in event}
        about = {"time": event["time"], "index": APP, "source": "apisec-test", "sourcetype": sourcetype}
        return {**about, "event": event, "fields": fields}

    def hec(self, envelopes: Iterable[Mapping[str, Any]]) -> None:
        """Send envelopes; where the token acknowledges, wait for that."""
        data = "\n".join(json.dumps(envelope) for envelope in envelopes).encode()
        answer = self._hec("event", data)
        if "ackId" in answer:
            self.wait(lambda: self._acknowledged(answer["ackId"]), "HEC's acknowledgement")

    def _acknowledged(self, identity: int) -> bool:
        return bool(self._hec("ack", json.dumps({"acks": [identity]}).encode())["acks"][str(identity)])

    def _hec(self, kind: str, data: bytes) -> dict[str, Any]:
        """One request; HEC's "busy" is waited for, as its page says."""
        deadline = time.monotonic() + self.target.patience
        while True:
            answer = self._http.post(
                f"{self.target.hec_url}/services/collector/{kind}", data=data, timeout=TIMEOUT_SECONDS
            )
            if answer.status_code not in BUSY or time.monotonic() > deadline:
                break
            time.sleep(0.5)
        if answer.status_code != 200:
            raise SplunkError(answer.status_code, answer.text)
        return cast("dict[str, Any]", answer.json())

    def count(self, sourcetype: str = "") -> int:
        """The test's own events of the last days: forwarders', or those of a sourcetype without indexed fields."""
        mine = f'index={APP} service="{self.service}"'
        spl = f"{mine} sourcetype={sourcetype} | stats count" if sourcetype else f"| tstats count where {mine}"
        rows = self.search(spl, "-2d", "+1d")
        return int(rows[0]["count"]) if rows else 0

    def wait(self, condition: Callable[[], T], what: str) -> T:
        """Return the first true value; each question is a search, so they come slower the longer it lasts."""
        deadline, pause = time.monotonic() + self.target.patience, 0.02
        while not (value := condition()):
            if time.monotonic() > deadline:
                raise AssertionError(f"not within {self.target.patience:.0f} s: {what}")
            time.sleep(pause)
            pause = min(2.0, pause * 1.5)
        return value

    # Searches

    def search(self, spl: str, earliest: str = "-24h", latest: str = "now", app: str = APP) -> list[dict[str, Any]]:
        """Every row of a search in the app, or in another."""
        query = spl if spl.lstrip().startswith("|") else f"search {spl}"
        form = {"search": query, "exec_mode": "oneshot", "count": "0"}
        form |= {"earliest_time": earliest, "latest_time": latest}
        answer = self.rest.call("POST", f"/servicesNS/nobody/{app}/search/jobs", form)
        return cast("list[dict[str, Any]]", answer["results"])

    def saved(self, name: str) -> dict[str, Any]:
        """The settings of a saved search of the app."""
        return cast("dict[str, Any]", self.rest.call("GET", saved_path(name))["entry"][0]["content"])

    def edit_saved(self, name: str, settings: Mapping[str, str]) -> None:
        """Change a saved search until the test ends."""
        held = self.saved(name)
        before = {key: _setting(held.get(key, "")) for key in settings}
        self._undo.append(lambda: self.rest.call("POST", saved_path(name), before))
        self.rest.call("POST", saved_path(name), settings)

    def dispatch(self, name: str) -> None:
        """Run a saved search with its actions, and return when the search is done."""
        sid = self.rest.call("POST", f"{saved_path(name)}/dispatch", {"trigger_actions": "1"})["sid"]
        self.wait(lambda: self._finished(sid), f"the search {name!r}")

    def _finished(self, sid: str) -> bool:
        path = f"/services/search/jobs/{quote(sid, safe='')}"
        job = self.rest.call("GET", path)["entry"][0]["content"]
        assert not job.get("isFailed"), job.get("messages")
        return bool(job["isDone"])

    # Collections

    def data(self, name: str) -> str:
        return f"/servicesNS/nobody/{APP}/storage/collections/data/{name}"

    def collection(self, name: str) -> list[dict[str, Any]]:
        """The test's own documents."""
        query = quote(json.dumps({"service": self.service}))
        return cast("list[dict[str, Any]]", self.rest.call("GET", f"{self.data(name)}?query={query}"))

    def fill(self, state: Mapping[str, list[dict[str, Any]]]) -> None:
        """Make the test's own documents of these collections exactly these (as they are in the examples)."""
        self.put({name: [self.document(document) for document in documents] for name, documents in state.items()})

    def put(self, state: Mapping[str, list[dict[str, Any]]]) -> None:
        """The same for documents that are the test's own already."""
        for name, documents in state.items():
            self._clear(name)
            if documents:
                self.rest.call("POST", f"{self.data(name)}/batch_save", body=documents)

    def _clear(self, name: str) -> None:
        query = quote(json.dumps({"service": self.service}))
        self.rest.call("DELETE", f"{self.data(name)}?query={query}")

    # Configuration

    def configure_forwarder(self, name: str, url: str, token: str, ca: str) -> None:
        """What the page Configuration stores, by REST."""
        realm = f"__REST_CREDENTIAL__#{APP}#configs/conf-apisec_forwarder"
        password = {"realm": realm, "name": name, "password": json.dumps({"token": token})}
        self._make(f"/servicesNS/nobody/{APP}/storage/passwords", password)
        stanza = {"name": name, "url": url, "ca": ca, "token": "******"}
        self._make(f"/servicesNS/nobody/{APP}/configs/conf-apisec_forwarder", stanza)

    def _make(self, path: str, form: Mapping[str, str]) -> None:
        """Make an object; it goes when the test ends, by the link that Splunk gives for that."""
        [entry] = self.rest.call("POST", path, form)["entry"]
        links = entry["links"]
        link = links.get("remove") or links["alternate"]
        self._undo.append(lambda: self.rest.call("DELETE", link))

    def undo(self, step: Callable[[], object]) -> None:
        """Do this when the test ends, too."""
        self._undo.append(step)

    def close(self) -> None:
        """Take back what was made; what is gone already is no fault."""
        for step in reversed(self._undo):
            with contextlib.suppress(SplunkError):
                step()
        for name in COLLECTIONS:
            with contextlib.suppress(SplunkError):
                self._clear(name)


def saved_path(name: str) -> str:
    return f"/servicesNS/nobody/{APP}/saved/searches/{quote(name, safe='')}"


def _setting(value: Any) -> str:
    """A value of an entry as a form wants it."""
    return str(int(value)) if isinstance(value, bool) else str(value if value is not None else "")


def unready(rest: Rest, version: str) -> list[str]:
    """Why the tests cannot run on this Splunk, each with what to do; empty when they can."""
    problems = [problem for problem in (_app_problem(rest, version), _clock_problem(rest)) if problem]
    absent = [name for name in INDEXES if not _there(rest, f"/services/data/indexes/{name}")]
    problems += [f"index {name} is not there: make it where your indexes are managed" for name in absent]
    context = rest.call("GET", "/services/authentication/current-context")["entry"][0]["content"]
    lacking = [name for name in CAPABILITIES if name not in context["capabilities"]]
    if lacking:
        problems.append(f"user {context['username']} lacks {', '.join(lacking)}: see docs/splunk-owner.md")
    return problems


def _app_problem(rest: Rest, version: str) -> str:
    try:
        installed = rest.call("GET", f"/services/apps/local/{APP}")["entry"][0]["content"].get("version")
    except SplunkError as error:
        if error.status != 404:
            raise
        return f"app {APP} is not installed: install dist/{APP}-{version}.tar.gz"
    remedy = f"install dist/{APP}-{version}.tar.gz, or check out the version that is there"
    return "" if installed == version else f"app {APP} {installed} is installed, {version} is under test: {remedy}"


def _clock_problem(rest: Rest) -> str:
    far = abs(rest.skew) > MAX_SKEW_SECONDS
    return f"Splunk's clock is {rest.skew:+.0f} s from this machine's: set both by NTP" if far else ""


def _there(rest: Rest, path: str) -> bool:
    try:
        rest.call("GET", path)
    except SplunkError as error:
        if error.status != 404:
            raise
        return False
    return True
