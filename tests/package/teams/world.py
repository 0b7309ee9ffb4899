"""Two teams with everything that apisec keeps of each, and people who try to get at it.

What a team has carries its mark (``hidden-cart``) in places that nobody has to name to ask for it: in the names of
operations and of a service, in principals, titles and reasons. An answer that holds another team's mark is a leak.
"""

from __future__ import annotations

import hashlib
import json
import time
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote

import requests
from apisec_app.dispositions import document_of as exception_document
from apisec_app.dispositions import exemption_of
from apisec_app.overrides import key_of
from apisec_app.rest.rows import operation_id
from apisec_app.specs.store import document_of

from apisec.abuse.campaigns import Campaign
from apisec.dispositions.verdicts import disposition
from apisec.endpoints.learning import PathModel
from tests.core.inventory.events import event, learned
from tests.package.bundles_rig import Key, bundle, models
from tests.support.splunk import APP, TIMEOUT_SECONDS, Splunk, Target, saved_path
from tests.support.splunk_standin import standin
from tests.support.waiting import until

SPLUNK = f"/servicesNS/nobody/{APP}"
API = "/services/apisec/v1"
PASSWORD = "a-long-password"
SHARED = "apisec"  # the index that a team without its own has, behind a filter
PAY, CART = "pay", "cart"
TEAMS = (PAY, CART)
# Who there is, with the roles that Splunk knows them by. ``lee`` has left team cart; ``sam`` is of cart, by a filter.
PEOPLE: dict[str, tuple[str, ...]] = {
    "pat": ("apisec_team_pay",),
    "cora": ("apisec_team_cart",),
    "cal": ("pay_classifiers",),
    "clo": ("cart_classifiers",),
    "lee": ("apisec_team",),
    "sam": ("cart_filtered",),
    "dev": ("cart_developers",),
    "nan": ("apisec_analyst",),
    "max": ("apisec_admin",),
}
DETECTION = "APISEC - API object enumeration - Rule"
MEMBER = {PAY: "pat", CART: "cora"}


def mark(team: str) -> str:
    return f"hidden-{team}"


def index(team: str) -> str:
    return f"apisec_{team}"


def operation(team: str) -> str:
    return f"GET /{mark(team)}/ledger"


def principal(team: str) -> str:
    return f"~principal~{mark(team)}~"


def services(team: str) -> tuple[str, str]:
    """One whose name anybody may guess, and one whose name is the team's own business."""
    return team, f"{mark(team)}-books"


def transaction(service: str, team: str, at: float, **changes: Any) -> dict[str, Any]:
    path = operation(team)[4:]
    about = {
        "id": uuid.uuid4().hex,
        "time": at,
        "service": service,
        "team": team,
        "operation": operation(team),
        "endpoint": path,
        "uri_path": path,
        "url": f"https://{team}.example.org{path}",
        "gateway": "edge",
        "principal": principal(team),
        "object_ids": [],
        "coverage": "complete",
    }
    return event(**{**about, **changes})


def documents(team: str, now: float) -> dict[str, list[dict[str, Any]]]:
    """What each collection holds of a team, by the collection's name."""
    found: dict[str, list[dict[str, Any]]] = {}
    for service in services(team):
        inventory = learned([transaction(service, team, now - n) for n in range(60)]).to_documents()
        key, about = f"{service}|{operation(team)}", {"service": service, "operation": operation(team)}
        old = f"GET /{mark(team)}/old"
        paths = PathModel()
        paths.add_event(transaction(service, team, now))
        override = {
            "service": service, "operation": operation(team), "in": "body", "path": "state", "class": "pii.name",
            "author": "cora", "reason": f"holds initials, {mark(team)}",
        }  # fmt: skip
        text = json.dumps({"openapi": "3.1.0", "info": {"title": mark(team), "version": "1"}, "paths": {}})
        here: dict[str, list[dict[str, Any]]] = {
            "apisec_inventory": [{**one, "updated": now} for one in inventory],
            "apisec_inventory_archive": [
                {**inventory[0], "_key": f"{service}|{old}", "operation": old, "archived": now}
            ],
            "apisec_inventory_deltas": [{"_key": f"1|{key}", "kind": "operation", "of": key, "end": 1, "noted": now}],
            "apisec_paths": [
                {"_key": service, "version": 1, "service": service, "through": now, "state": part.to_state()}
                for part in paths.split()
            ],
            "apisec_changes": [{"_key": service, "service": service, "told": mark(team)}],
            "apisec_patterns": [
                {"_key": f"edge|{mark(team)}-{service}", **about, "pattern": service, "title": mark(team)}
            ],
            "apisec_specs": [document_of(service, text, name="api", source=mark(team), now=now)],
            "apisec_overrides": [{"_key": key_of(override), "version": 1, **override, "created": now, "updated": now}],
            "apisec_campaigns": [campaign(service, team)],
            "apisec_dispositions": [said(service, team)],
            "apisec_exceptions": [exception(service, team)],
            "apisec_bundles": [{"_key": f"note|{service}", "version": 1, "kind": "note", "note": mark(team)}],
        }
        for name, listed in here.items():
            found.setdefault(name, []).extend(listed)
    found["apisec_teams"] = [
        {
            "_key": team, "version": 1, "title": mark(team), "roles": [f"{team}_developers", f"{team}_filtered"],
            "index": index(team),
            "contacts": [f"{mark(team)}@example.org"], "owns": [{"service": f"{mark(team)}-*"}], "author": "max",
        }
    ]  # fmt: skip
    return found


def campaign(service: str, team: str, number: int = 1) -> dict[str, Any]:
    """An open campaign, as the engine of abuse keeps it."""
    made = Campaign(campaign_id_of(service, number), service, 1)
    made.families, made.operations, made.peak = ["scraping"], [operation(team)], 95.0
    made.members, made.member_count = {principal(team): 1}, 1
    return made.to_document()


def campaign_id_of(service: str, number: int) -> str:
    return f"c-{hashlib.blake2b(f'{service}{number}'.encode(), digest_size=8).hexdigest()}"


def anomaly(service: str, team: str, now: float) -> dict[str, Any]:
    """What the input said of that campaign."""
    who, what = principal(team), operation(team)
    return {
        "id": f"a-{service}", "time": now - 5, "service": service, "team": team, "family": "scraping", "principal": who,
        "members": [who], "member_count": 1, "campaign": campaign_id_of(service, 1), "operation": what,
        "operations": [what], "score": 95.0, "peak": 95.0, "first_time": now - 600, "last_time": now + 3600,
        "reasons": [f"read everything, {mark(team)}"], "seen": 900, "expected": 9,
    }  # fmt: skip


def said(service: str, team: str) -> dict[str, Any]:
    """What an analyst said of another campaign of it."""
    about = disposition(campaign(service, team, 2), "true_positive", f"it was sold on, {mark(team)}", "cora", 1.0)
    return {**about, "_key": campaign_id_of(service, 1)}


def exception(service: str, team: str) -> dict[str, Any]:
    made = exemption_of({
        "service": service, "family": "scraping", "reason": f"a crawler of ours, {mark(team)}", "author": "cora",
        "expires": "2099-01-01",
    })  # fmt: skip
    return exception_document(made, 1.0, 1.0, "")


class Reply(NamedTuple):
    """An answer: what it says is judged as text, so that nothing of it is passed over."""

    status: int
    text: str

    @property
    def good(self) -> bool:
        return self.status < 300

    def shows(self, team: str) -> bool:
        return mark(team) in self.text


class Person:
    """Somebody with a session of a password, or with a token of Splunk's."""

    def __init__(self, target: Target, name: str, token: str = "", password: str = PASSWORD) -> None:
        self.name = name
        self._url = target.url
        self._http = requests.Session()
        self._http.trust_env = False
        self._http.verify = target.ca
        if token:
            self._http.headers["Authorization"] = f"Bearer {token}"
        else:
            form = {"username": name, "password": password, "output_mode": "json"}
            answer = self._http.post(f"{self._url}/services/auth/login", form, timeout=TIMEOUT_SECONDS)
            assert answer.status_code == 200, (name, answer.text)
            self._http.headers["Authorization"] = f"Splunk {answer.json()['sessionKey']}"

    def ask(
        self, method: str, path: str, body: Any = None, form: Mapping[str, str] | None = None, **headers: str
    ) -> Reply:
        """One request; a body that is no text is sent as JSON."""
        if body is not None and not isinstance(body, str):
            body, headers = json.dumps(body), {"Content-Type": "application/json", **headers}
        sent = {name.replace("_", "-"): value for name, value in headers.items() if value}
        address = f"{self._url}{path}{'&' if '?' in path else '?'}output_mode=json"
        answer = self._http.request(
            method, address, data=form if body is None else body, headers=sent, timeout=TIMEOUT_SECONDS
        )
        return Reply(answer.status_code, answer.text)

    def anonymous(self, method: str, path: str) -> Reply:
        """The same without a session."""
        answer = requests.request(method, f"{self._url}{path}", verify=self._http.verify, timeout=TIMEOUT_SECONDS)
        return Reply(answer.status_code, answer.text)

    def search(self, spl: str, app: str = APP) -> Reply:
        query = spl if spl.lstrip().startswith("|") else f"search {spl}"
        form = {"search": query, "exec_mode": "oneshot", "count": "0", "earliest_time": "-24h", "latest_time": "now"}
        return self.ask("POST", f"/servicesNS/nobody/{app}/search/jobs", form=form)


@dataclass
class World:
    """The stand-in with both teams in it. ``ids`` are what a door's address may name."""

    root: Splunk
    people: dict[str, Person]
    ids: dict[str, str] = field(default_factory=dict)
    bodies: dict[str, str] = field(default_factory=dict)


@contextmanager
def world(home: Path, archive: Path) -> Iterator[World]:
    """Start a Splunk, and fill it."""
    with standin(home, archive) as target:
        root = Splunk(target)
        _roles(root)
        _state(root)
        people = {name: Person(target, name) for name in PEOPLE}
        token = root.rest.call(
            "POST", "/services/authorization/tokens", {"name": "pat", "audience": "doors", "expires_on": "+1h"}
        )["entry"][0]["content"]["token"]
        people["pat by token"] = Person(target, "pat", token)
        people["root"] = Person(target, target.username, password=target.password)
        made = World(root, people)
        _events(root)
        made.ids.update(_ids(made))
        made.bodies.update(_bundles(made))
        yield made


def _roles(root: Splunk) -> None:
    def role(name: str, imported: str, **settings: str | list[str]) -> None:
        form = {"name": name, "imported_roles": imported, **settings}
        root.rest.call("POST", "/services/authorization/roles", form)

    for team in TEAMS:
        root.rest.call("POST", "/services/data/indexes", {"name": index(team)})
        only = {"srchIndexesAllowed": index(team), "srchIndexesDefault": index(team)}
        role(f"apisec_team_{team}", "apisec_team", **only)
        role(f"{team}_staff", "apisec_team", **only)
        role(f"{team}_developers", f"{team}_staff")
        role(f"{team}_classifiers", f"apisec_team_{team}", capabilities=["apisec_classify", "apisec_triage"])
    only = {"srchIndexesAllowed": SHARED, "srchIndexesDefault": SHARED}
    role("cart_filtered", "apisec_team", srchFilter=f"service::{CART} OR service::{mark(CART)}-*", **only)
    for name, roles in PEOPLE.items():
        form = {"name": name, "password": PASSWORD, "roles": ",".join(roles)}
        root.rest.call("POST", "/services/authentication/users", form)


def _state(root: Splunk) -> None:
    for team in TEAMS:
        for name, listed in documents(team, root.now()).items():
            root.rest.call("POST", f"{root.data(name)}/batch_save", body=listed)


def _events(root: Splunk) -> None:
    """Transactions in each team's index and in the shared one, findings in the index of risk, changes."""
    indexes = ",".join((*map(index, TEAMS), SHARED, "apisec_risk"))
    form = {"name": "teams", "index": SHARED, "indexes": indexes}
    token = root.rest.call("POST", "/services/data/inputs/http", form)["entry"][0]["content"]["token"]
    now, envelopes = root.now(), []
    for team in TEAMS:
        for service in services(team):
            for where in (index(team), SHARED):
                about = {"index": where, "source": mark(team), "time": now - 5}
                one = transaction(service, team, now - 5)
                fields = {name: str(one[name]) for name in ("service", "operation", "principal", "status", "action")}
                envelopes.append({**about, "sourcetype": "apisec:transaction", "event": one, "fields": fields})
                change = {"service": service, "team": team, "operation": operation(team), "time": now - 5}
                envelopes.append({**about, "sourcetype": "apisec:change", "event": change})
                found = {"event": anomaly(service, team, now), "fields": {"service": service}}
                envelopes.append({**about, "sourcetype": "apisec:anomaly", **found})
            risk = {"risk_object": principal(team), "risk_message": mark(team), "service": service, "risk_score": 50}
            envelopes.append({"index": "apisec_risk", "source": mark(team), "time": now - 5, "event": risk})
    answer = requests.post(
        f"{root.target.hec_url}/services/collector/event",
        data="\n".join(map(json.dumps, envelopes)).encode(),
        headers={"Authorization": f"Splunk {token}"},
        verify=root.target.ca,
        timeout=TIMEOUT_SECONDS,
    )
    assert answer.status_code == 200, answer.text
    count = "| tstats count where index=apisec*"
    until(lambda: root.search(count) == [{"count": str(len(envelopes))}], 60, "the events of both teams")


def _ids(made: World) -> dict[str, str]:
    """What cart's people and scheduled searches have left behind."""
    cora, root = made.people[MEMBER[CART]], made.root
    job = json.loads(cora.ask("POST", f"{SPLUNK}/search/jobs", form={"search": f"search index={index(CART)}"}).text)
    private = {"name": "notes", "search": f"search index={index(CART)} {mark(CART)}"}
    assert cora.ask("POST", f"/servicesNS/cora/{APP}/saved/searches", form=private).good
    cora.ask("GET", f"{API}/{mark(CART)}")  # a line of splunkd's own log
    about = {"name": mark(CART), "service": mark(CART), "file": "api.json", "interval": "86400"}
    root.rest.call("POST", f"{SPLUNK}/data/inputs/apisec_spec", about)
    root.rest.call("POST", f"{SPLUNK}/storage/passwords", {"name": mark(CART), "password": "secret"})
    # A detection as its schedule runs it: as its owner, with results for whoever may read the search.
    settings = {"search": "search `apisec_risk_index`", "dispatchAs": "owner", "disabled": "0"}
    root.edit_saved(DETECTION, settings)
    scheduled = root.rest.call("POST", f"{saved_path(DETECTION)}/dispatch")["sid"]
    for sid in (job["sid"], scheduled):
        until(lambda sid=sid: root._finished(sid), 60, "a search")  # type: ignore[misc]
    listed = {name: root.rest.call("GET", f"{API}/{name}")["items"] for name in ("overrides", "specs")}
    of_cart = {name: next(one["id"] for one in items if one["service"] == CART) for name, items in listed.items()}
    return {
        "campaign_id": campaign_id_of(CART, 1),
        "principal": principal(CART),
        "exception_id": str(exception(CART, CART)["_key"]),
        "override_id": of_cart["overrides"],
        "spec_id": of_cart["specs"],
        "service": CART,
        "team": CART,
        "index": index(CART),
        "operation_id": operation_id(CART, operation(CART)),
        "key": str(exception(CART, CART)["_key"]),
        "sid": job["sid"],
        "scheduled": scheduled,
        "detection": quote(DETECTION),
    }


def _bundles(made: World) -> dict[str, str]:
    """A key of each team, trusted for its own; a release for cart's service by cart's key, and one by pay's."""
    keys = {team: Key(number, team, owner=mark(team)) for number, team in enumerate(TEAMS, 1)}
    of_all = Key(len(TEAMS) + 1, "*")
    trust = {"version": 1, "keys": [key.entry for key in (*keys.values(), of_all)]}
    rest = made.root.rest
    rest.call("PUT", f"{API}/trust", body=trust)
    rest.call("PUT", f"{API}/environment", body={"environment": "DEV"})
    about = {"author": "cora", "reason": "people write names here"}
    overrides = [
        {"operation": operation(CART), "in": "body", "path": "state", "class": "pii.name", **about},
        {"path": "email", "class": "pii.email", **about},
    ]
    signed = bundle(service=CART, ownership={"team": CART}, overrides=overrides)
    why = {"reason": "a door that is tried"}
    tomorrow = time.strftime("%Y-%m-%d", time.gmtime(time.time() + 2 * 86_400))
    return {
        "disposition": json.dumps({"campaign": campaign_id_of(CART, 1), "verdict": "benign", **why}),
        "exception": json.dumps({"service": CART, "family": "flooding", "expires": tomorrow, **why}),
        "trust": json.dumps(trust),
        "models": json.dumps(of_all.sign_models(models())),
        "release": json.dumps(keys[CART].sign(signed)),
        "signed_by_pay": json.dumps(keys[PAY].sign(signed)),
    }
