"""The stages of the loop, each with what must be seen before the next one begins."""

from __future__ import annotations

import json
import statistics
import time
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from apisec_sandbox.demo.leaks import Needles, search_tree
from apisec_sandbox.demo.patterns import Patterns
from apisec_sandbox.demo.processes import DemoError, wait_for
from apisec_sandbox.demo.splunk import APP, MASK, Splunk
from apisec_sandbox.demo.timeline import Stage, Timeline
from apisec_sandbox.demo.world import HOST, SERVICE, Traffic, World

ORDINARY = "ordinary"
ATTACKS = ("enumerate", "skip", "inject", "replay")
ATTACKERS = (*ATTACKS, "skip", "skip")  # a skipped step takes a whole checkout each time
FORWARDER_NAME = "demo"
LIFTED, EXPIRING, EXPIRING_TTL = "skip", "inject", "18s"
LEARN_SECONDS = 20.0  # ordinary traffic before the attackers begin
LEAST_ATTACKS = 4  # requests of each attack before anyone looks
LEAST_OPERATIONS = 15  # operations that the inventory must hold
CALM_SECONDS = 6.0  # how long ordinary users are watched under enforcement
INPUT_INTERVAL = 5  # seconds
LEARN_HOURS = 2  # of history; a week of nothing would be asked for in parts first
QUIET_HOURS = 0.003  # of traffic, before changes are told: eleven seconds
RELEASE = "GET /orders"  # what the shop's next release answers with an SSN


@dataclass(frozen=True)
class Detection:
    """A detection of the app and the attack of the generator that it is about."""

    attack: str
    name: str
    search: str


DETECTIONS = (
    Detection("enumerate", "api_object_enumeration", "APISEC - API object enumeration - Rule"),
    Detection("skip", "api_skipped_step", "APISEC - API skipped step - Rule"),
    Detection("inject", "api_injection_payload", "APISEC - API injection payload - Rule"),
)
RELEASE_DETECTION = Detection(
    "deploy", "api_returns_new_sensitive_data", "APISEC - API returns new sensitive data - Rule"
)


@dataclass
class Loop:
    """One run of the demo; ``rate`` is requests per second of all users together, ``style`` the generator's."""

    world: World
    timeline: Timeline
    users: int
    rate: float
    style: str
    splunk: Splunk = field(init=False)
    traffic: Traffic = field(init=False)
    patterns: Patterns = field(init=False)
    findings: dict[str, list[dict[str, Any]]] = field(default_factory=dict)  # attack → its risk events
    pushed: dict[str, list[str]] = field(default_factory=dict)  # attack → ids of the patterns about it
    to_refusal: dict[str, float] = field(default_factory=dict)  # attack → seconds from push to first refusal

    def run(self) -> None:
        for stage in (
            self.set_up,
            self.learn,
            self.inventory,
            self.deploy,
            self.attack,
            self.score,
            self.risk,
            self.push,
            self.shadow,
            self.proof,
            self.enforce,
            self.blocked,
            self.lift,
            self.leaks,
        ):
            title = (stage.__doc__ or "").partition("\n")[0].rstrip(".")
            with self.timeline.stage(stage.__name__.replace("_", "-"), title) as record:
                stage(record)
                self.world.children.check()

    # Stages

    def set_up(self, stage: Stage) -> None:
        """Start a stand-in for Splunk with the app, the sample shop, the forwarder and Envoy."""
        world = self.world
        world.prepare()
        self.splunk = world.start_splunk()
        stage.see(f"Splunk's stand-in at {self.splunk.url}, app installed from {world.app.name}")
        world.start_upstream()
        world.start_forwarder()
        self.patterns = Patterns(world)
        wait_for("the forwarder's admin API", self._admin_answers, 20)
        world.start_gateway()
        stage.see(f"Envoy at {world.url} in front of the shop; the forwarder's admin API at {world.admin_url}")
        self._connect_app()

    def _admin_answers(self) -> bool | None:
        self.world.children.check()
        try:
            return self.patterns.list() == []
        except DemoError:
            return None

    def _connect_app(self) -> None:
        """What the app's configuration page would store: the forwarder, and its token encrypted."""
        token = self.world.admin_token.read_text().strip()
        realm = f"__REST_CREDENTIAL__#{APP}#configs/conf-apisec_forwarder"
        self.splunk.set_credential(realm, FORWARDER_NAME, json.dumps({"token": token}))
        stanza = {"url": self.world.admin_url, "token": MASK, "ca": self.world.ca.read_text()}
        self.splunk.set_stanza("apisec_forwarder", FORWARDER_NAME, stanza)

    def learn(self, stage: Stage) -> None:
        """Ordinary users shop through the gateway; their redacted copies reach Splunk."""
        arguments = ["--users", str(self.users), "--rate", str(self.rate), "--duration", "900"]
        arguments += ["--style", self.style]
        arguments += ["--attackers", ",".join(ATTACKERS), "--attack-after", str(LEARN_SECONDS)]
        self.traffic = self.world.start_traffic("users", arguments)
        least = int(self.rate * LEARN_SECONDS * 0.7)
        sent = wait_for("ordinary traffic", lambda: self._sent(least), 120)
        indexed = wait_for("events in Splunk", lambda: self._indexed(sent), 30)
        ordinary = self._counts(self.traffic.read(), ORDINARY)
        stage.see(f"{sent:,} requests answered, {indexed:,} events indexed", requests=sent, events=indexed)
        stage.see(f"ordinary users' answers by class: {dict(sorted(ordinary.items()))}", ordinary=dict(ordinary))

    def _sent(self, least: int) -> int | None:
        self.world.children.check()
        sent = len(self.traffic.read())
        self.timeline.progress(f"{sent:,} of {least:,} requests")
        return sent if sent >= least else None

    def _indexed(self, least: int) -> int | None:
        rows = self.splunk.search("| tstats count where index=apisec sourcetype=apisec:transaction")
        count = int(rows[0]["count"]) if rows else 0
        self.timeline.progress(f"{count:,} of {least:,} events")
        return count if count >= least else None

    @staticmethod
    def _counts(lines: Iterable[Mapping[str, Any]], kind: str) -> Counter[str]:
        return Counter(f"{str(line['status'])[0]}xx" for line in lines if line["kind"] == kind)

    def inventory(self, stage: Stage) -> None:
        """The inputs learn operations, their data and flows, and what is ordinary."""
        about = {"interval": INPUT_INTERVAL, "lag": 1, "index": "apisec", "learn_hours": LEARN_HOURS}
        about["quiet_hours"] = QUIET_HOURS
        self.splunk.create_input("apisec_inventory", "demo", about)
        behaviour = {"interval": INPUT_INTERVAL, "lag": 1, "index": "apisec", "history_hours": LEARN_HOURS}
        self.splunk.create_input("apisec_detection", "demo", behaviour)
        rows = wait_for("the inventory in the KV store", self._inventory, 60)
        rules = wait_for("required steps", self._rules, 40)
        classes = {each for row in rows for each in row.get("data_classes") or ()}
        stage.see(f"{len(rows)} operations, {len(classes)} data classes", operations=len(rows), classes=sorted(classes))
        for row in sorted(rows, key=lambda row: -len(row.get("data_classes") or ()))[:5]:
            stage.see(f"  {row['operation']:44} {int(row['count']):>6,}  {' '.join(row.get('data_classes') or ())}")
        stage.see(f"| apisecsequence: {len(rules)} required steps, among them:", rules=len(rules))
        for rule in sorted(rules, key=lambda rule: -int(rule["days"]))[:3]:
            stage.see(f"  {rule['operation']}  only after  {rule['required']}")

    def _inventory(self) -> list[dict[str, Any]] | None:
        self.world.children.check()
        rows = [row for row in self.splunk.collection("apisec_inventory") if row["service"] == SERVICE]
        return rows if len(rows) >= LEAST_OPERATIONS else None

    def _rules(self) -> list[dict[str, Any]] | None:
        rows = self.splunk.search("`apisec_transactions` | apisecsequence output=rules", earliest_time="-60m")
        return rows if any(row["operation"].endswith("/confirm") for row in rows) else None

    def deploy(self, stage: Stage) -> None:
        """The shop's next release returns SSNs; the change is told, and raises risk for the operation."""
        released = time.time()
        self.world.release_file.touch()
        change = wait_for("the change that the release made", self._release_told, 60, poll=0.5)
        seconds = time.time() - released
        stage.see(f"{change['change']} ({change['severity']}) {seconds:.0f} s after the release: {change['reason']}")
        others = self.splunk.search("`apisec_changes` | stats count by change", earliest_time="-60m")
        told = {row["change"]: int(row["count"]) for row in others}
        stage.see(f"changes so far: {told}", seconds_to_change=seconds, changes=told, change=change["id"])
        self.splunk.edit_saved_search(RELEASE_DETECTION.search, {"disabled": "0"})
        self.splunk.dispatch([RELEASE_DETECTION.search])
        rows = wait_for("a risk event about the operation", self._release_risk, 30)
        stage.see(f"{RELEASE_DETECTION.name}: risk {rows[0]['risk_score']} for {rows[0]['risk_object']}")

    def _release_told(self) -> dict[str, Any] | None:
        self.world.children.check()
        spl = f'`apisec_changes` change=sensitive_field operation="{RELEASE}" data_class=pii.ssn | head 1'
        rows = self.splunk.search(spl, earliest_time="-60m", latest_time="+1h")
        return rows[0] if rows else None

    def _release_risk(self) -> list[dict[str, Any]] | None:
        rows = self.splunk.search(f"index=apisec_risk detection={RELEASE_DETECTION.name}", earliest_time="-60m")
        return rows or None

    def attack(self, stage: Stage) -> None:
        """Four attackers, customers like the others until now, begin."""

        def begun() -> Counter[str] | None:
            self.world.children.check()
            seen = Counter(line["kind"] for line in self.traffic.read() if line["kind"] != ORDINARY)
            self.timeline.progress(f"attacks so far: {dict(seen)}")
            return seen if all(seen[attack] >= LEAST_ATTACKS for attack in ATTACKS) else None

        seen = wait_for("all four attacks", begun, 90)
        stage.see(", ".join(f"{attack}: {seen[attack]} requests" for attack in ATTACKS), attacks=dict(seen))
        succeeded = Counter(
            line["kind"] for line in self.traffic.read() if line["kind"] != ORDINARY and line["status"] < 400
        )
        stage.see(f"answered by the shop without an error: {dict(succeeded)}", succeeded=dict(succeeded))

    def score(self, stage: Stage) -> None:
        """| apisecscore gives scores with reasons."""
        spl = "`apisec_transactions` | apisecscore by=principal min_score=60 | sort - apisec_score"

        def scored() -> list[dict[str, Any]] | None:
            rows = self.splunk.search(spl, earliest_time="-60m")
            return rows if len(rows) >= len(DETECTIONS) else None

        rows = wait_for("high scores", scored, 60, poll=1.0)
        stage.see(f"{len(rows)} principals with a score of 60 or more", principals=len(rows))
        for row in rows[:5]:
            told = row["apisec_reasons"]
            reason = told[0] if isinstance(told, list) else told
            stage.see(f"  {float(row['apisec_score']):5.1f}  {row['principal']}  {reason}")

    def risk(self, stage: Stage) -> None:
        """Three detections run and raise a risk event about each attacker."""
        for detection in DETECTIONS:
            self.splunk.edit_saved_search(
                detection.search,
                {
                    "disabled": "0",
                    "action.apisec_block": "1",
                    "action.apisec_block.param.forwarder": FORWARDER_NAME,
                    "action.apisec_block.param.mode": "shadow",
                    "action.apisec_block.param.ttl": "1h",
                },
            )
        wait_for("risk events about every attacker", self._all_found, 150, poll=0.5)
        for detection in DETECTIONS:
            row = self.findings[detection.attack][0]
            stage.see(f"{detection.name}: risk {row['risk_score']} for {row['risk_object']}")
            stage.see(f"  {row['risk_message'][:150]}")
        rows = [row for found in self.findings.values() for row in found]
        strangers = [row["risk_object"] for row in rows if not self._sources(row) <= self._attackers()]
        stage.see(
            f"{len(rows)} risk events, {len(strangers)} of them about principals that do not attack",
            risk_events=len(rows),
            false_findings=len(strangers),
        )

    def _all_found(self) -> bool | None:
        """Dispatch what has not found all of its attackers yet; those that begin meanwhile count too."""
        self.world.children.check()
        missing = [detection for detection in DETECTIONS if not self._found(detection)]
        self.timeline.progress(f"dispatching {', '.join(detection.name for detection in missing)}")
        self.splunk.dispatch(detection.search for detection in missing)
        return True if not missing else None

    def _found(self, detection: Detection) -> bool:
        rows = self.splunk.search(f"index=apisec_risk detection={detection.name}", earliest_time="-60m")
        self.findings[detection.attack] = rows
        # Those who join a campaign that is found already make no second finding.
        return any(self._sources(row) & self._attackers(detection.attack) for row in rows)

    @staticmethod
    def _sources(row: Mapping[str, Any]) -> set[str]:
        told = row.get("threat_sources") or ()
        return {told} if isinstance(told, str) else set(told)

    def _attackers(self, attack: str | None = None) -> set[str]:
        """Return the addresses of who has attacked so far, with one attack or with any."""
        kinds = ATTACKS if attack is None else (attack,)
        return {line["address"] for line in self.traffic.read() if line["kind"] in kinds}

    def push(self, stage: Stage) -> None:
        """The alert action pushed a pattern for each finding, in shadow."""

        def pushed() -> dict[str, list[str]] | None:
            records = self.splunk.collection("apisec_patterns")
            failed = [record for record in records if record["state"] == "failed"]
            if failed:
                raise DemoError(f"the alert action failed: {failed[0]['error']}")
            by_attack = {
                detection.attack: [r["pattern"] for r in records if r["detection"] == detection.search]
                for detection in DETECTIONS
            }
            return by_attack if all(by_attack.values()) else None

        self.pushed = wait_for("patterns recorded by the alert action", pushed, 30)
        held = {pattern["id"]: pattern for pattern in self.patterns.list()}
        for attack, identities in self.pushed.items():
            for identity in identities:
                if identity not in held or held[identity]["mode"] != "shadow":
                    raise DemoError(f"pattern {identity} ({attack}) is not in shadow at the forwarder")
                stage.see(f"  {identity}  shadow  {held[identity]['title'][:90]}")
        stage.see(f"{len(held)} patterns at the forwarder, all in shadow", patterns=len(held))

    def shadow(self, stage: Stage) -> None:
        """In shadow the patterns count what they would refuse, and refuse nothing."""

        def counted() -> dict[str, int] | None:
            self.world.children.check()
            matched = {
                attack: sum(self.patterns.stats(each)["matched"]["shadow"] for each in identities)
                for attack, identities in self.pushed.items()
            }
            self.timeline.progress(f"would have refused: {matched}")
            return matched if all(matched.values()) else None

        matched = wait_for("matches in shadow", counted, 60, poll=0.5)
        refused = sum(line["refused"] for line in self.traffic.read())
        stage.see(f"would have refused so far: {matched}", matched=matched, refused=refused)
        if refused:
            raise DemoError(f"{refused} requests were refused while every pattern was in shadow")

    def proof(self, stage: Stage) -> None:
        """Each pattern carries its replay over history."""
        worst = 0.0
        for identities in self.pushed.values():
            for identity in identities:
                document = self.patterns.show(identity)
                evidence = document.get("document", document)["apisec"]["evidence"]
                worst = max(worst, evidence["false_positive_upper_bound"])
                stage.see(
                    f"  {identity}  would have hit {evidence['matched_events']} of {evidence['events']:,} requests, "
                    f"{evidence['benign_matched_events']} of {evidence['benign_events']:,} benign ones; "
                    f"false positives at most {evidence['false_positive_upper_bound']:.2%} (95 %)"
                )
        stage.facts["worst_upper_bound"] = worst

    def enforce(self, stage: Stage) -> None:
        """The alert action promotes the patterns; the attackers get 403 at Envoy."""
        for detection in DETECTIONS:
            tried = wait_for(f"the promotion of {detection.name}", partial(self._promoted, detection, Counter()), 90)
            stage.facts.setdefault("refused_promotions", {})[detection.attack] = tried
            if tried:
                stage.see(f"  {detection.name}: refused {tried} times, until all who do so were known as attackers")
        modes = {pattern["id"]: pattern["mode"] for pattern in self.patterns.list()}
        for identity in (each for identities in self.pushed.values() for each in identities):
            if modes[identity] != "enforce":
                raise DemoError(f"pattern {identity} is in {modes[identity]}, not enforced; see the alert action's log")

        def refused() -> dict[str, float] | None:
            self.world.children.check()
            seconds = {
                attack: min(filter(None, map(self._to_refusal, identities)), default=None)
                for attack, identities in self.pushed.items()
            }
            self.timeline.progress(f"seconds from push to first refusal: {seconds}")
            return {k: v for k, v in seconds.items() if v is not None} if all(seconds.values()) else None

        seconds = wait_for("a refusal by each pattern", refused, 60, poll=0.2)
        self.to_refusal = seconds
        stage.see(
            "seconds from push to first refusal, waiting for the attacker's next try included: "
            + ", ".join(f"{attack} {value:.2f}" for attack, value in seconds.items()),
            seconds_to_first_refusal=seconds,
            fastest_seconds_to_first_refusal=min(seconds.values()),
        )

    def _promoted(self, detection: Detection, refused: Counter[str]) -> int | None:
        """Let the alert action promote a detection's patterns; how often that was refused before, None if it is.

        The forwarder takes no pattern whose replay hits somebody who is not accused. An attacker who goes on more
        slowly than the others is accused later than they are.
        """
        ttl = EXPIRING_TTL if detection.attack == EXPIRING else "1h"
        try:
            self.splunk.search(
                f"index=apisec_risk detection={detection.name} | sendalert apisec_block "
                f"param.forwarder={FORWARDER_NAME} param.pattern={detection.name} param.mode=enforce param.ttl={ttl}",
                earliest_time="-60m",
            )
        except DemoError as error:
            if "action=apisec_block exit code" not in str(error):
                raise
            refused[detection.name] += 1
            return None
        return refused[detection.name]

    def _to_refusal(self, identity: str) -> float | None:
        value = self.patterns.stats(identity)["seconds_from_change_to_first_refusal"]
        return None if value is None else float(value)

    def blocked(self, stage: Stage) -> None:
        """Ordinary users go on; every refusal is in Splunk with its pattern."""
        begin = time.time()
        wait_for("some seconds of enforcement", lambda: self._calm(begin), CALM_SECONDS + 10)
        lines = self.traffic.read()
        ordinary = [line for line in lines if line["kind"] == ORDINARY and line["time"] >= begin]
        innocent = [line for line in lines if line["kind"] == ORDINARY and line["refused"]]
        strangers = [line for line in innocent if line["address"] not in self._attackers()]
        attacks = Counter(line["kind"] for line in lines if line["kind"] != ORDINARY and line["refused"])
        stage.see(
            f"attackers refused: {dict(attacks)}; ordinary users: {len(strangers)} of {len(ordinary):,} requests",
            attackers_refused=dict(attacks),
            ordinary_refused=len(strangers),
            ordinary_requests=len(ordinary),
        )
        if strangers:
            raise DemoError(f"{len(strangers)} requests of ordinary users were refused, first: {strangers[0]}")
        rows = wait_for("refusals in Splunk", self._refusals, 20)
        stage.see("refusals in Splunk by pattern: " + ", ".join(f"{r['pattern'][:8]}… {r['count']}" for r in rows))

    def _calm(self, begin: float) -> bool | None:
        self.world.children.check()
        return True if time.time() - begin >= CALM_SECONDS else None

    def _refusals(self) -> list[dict[str, Any]] | None:
        spl = "`apisec_transactions` action=blocked | stats count by pattern"
        rows = self.splunk.search(spl, earliest_time="-60m")
        known = {row["pattern"] for row in rows}
        return rows if all(known & set(identities) for identities in self.pushed.values()) else None

    def lift(self, stage: Stage) -> None:
        """One pattern is rolled back, another expires: both stop refusing."""
        for identity in self.pushed[LIFTED]:
            self.patterns.rollback(identity, "demo: the shop was fixed")
        lifted = time.time()
        let = wait_for(f"{LIFTED} let through again", lambda: self._let_through(LIFTED, lifted), 60)
        stage.see(f"rolled back {LIFTED}: let through again after {let - lifted:.1f} s", rollback_seconds=let - lifted)
        expired = wait_for(f"{EXPIRING} expired", self._expired, 60, poll=0.3)
        let = wait_for(f"{EXPIRING} let through again", lambda: self._let_through(EXPIRING, expired), 60)
        stage.see(f"{EXPIRING} expired by itself: let through again after {let - expired:.1f} s")

    def _let_through(self, attack: str, since: float) -> float | None:
        self.world.children.check()
        passed = (x["time"] for x in self.traffic.read() if x["kind"] == attack and not x["refused"] and x["status"])
        return next((moment for moment in passed if moment > since), None)

    def _expired(self) -> float | None:
        modes = {pattern["id"]: pattern["mode"] for pattern in self.patterns.list()}
        gone = all(modes.get(identity) in (None, "expired") for identity in self.pushed[EXPIRING])
        return time.time() if gone else None

    def leaks(self, stage: Stage) -> None:
        """Planted values are searched for in everything that reached HEC, the spool and the logs."""
        self.traffic.stop()
        del self.world.children.by_name[self.traffic.child.name]  # it has ended as it should
        wait_for("the last events in Splunk", lambda: self._indexed(len(self.traffic.lines)), 30)
        needles = Needles(self.traffic.planted_values())
        size, leaks = search_tree(needles, self.world.leak_places)
        stage.see(
            f"{needles.values:,} planted values in 18 forms, {size / 1e6:.1f} MB searched: {len(leaks)} found",
            planted=needles.values,
            searched_bytes=size,
            leaked=len(leaks),
        )
        if leaks:
            shown = "; ".join(f"{leak.class_} ({leak.form}) in {leak.file} at {leak.offset}" for leak in leaks[:10])
            raise DemoError(f"{len(leaks)} planted values leaked: {shown}")

    # For --json and --keep

    def summary(self) -> dict[str, Any]:
        """What the whole run comes to; counts of requests by who sent them."""
        if not hasattr(self, "traffic"):
            return {}
        lines = self.traffic.read()
        attackers = self._attackers()
        ordinary = [line for line in lines if line["kind"] == ORDINARY]
        times = [line["duration"] for line in ordinary]
        return {
            "requests": len(lines),
            "ordinary_requests": len(ordinary),
            "ordinary_refused": sum(line["refused"] and line["address"] not in attackers for line in ordinary),
            "attack_requests": dict(Counter(line["kind"] for line in lines if line["kind"] != ORDINARY)),
            "attackers_refused": dict(Counter(x["kind"] for x in lines if x["kind"] != ORDINARY and x["refused"])),
            "seconds_to_first_refusal": self.to_refusal,
            "ordinary_median_ms": statistics.median(times) if times else None,
        }

    def addresses(self) -> dict[str, str]:
        """Where each part listens, and where its secrets and files are."""
        world = self.world
        return {
            "API through Envoy": world.url,
            "Splunk's REST API": f"{self.splunk.url} (user admin, password in {world.home}/splunk.password)",
            "HEC": world.ready["splunk"]["hec"],
            "forwarder's admin API": f"{world.admin_url}/docs (token in {world.admin_token})",
            "patterns": f"apisec-forwarder patterns list --url {world.admin_url} --token-file {world.admin_token} "
            f"--ca-file {world.ca}",
            "more traffic": f"apisec-sandbox traffic --url {world.url} --ca-file {world.ca} --host {HOST} "
            "--users 30 --rate 20 --duration 600 --seed 99 --attackers enumerate,inject",
            "CA of all of them": f"{world.ca}; Splunk's: {world.ready['splunk']['ca']}",
            "logs": str(world.home / "logs"),
        }
