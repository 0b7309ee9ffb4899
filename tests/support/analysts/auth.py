"""Sign-ins: key=value events, with lookups of people and addresses."""

from __future__ import annotations

import itertools
from collections import Counter

from tests.support.analysts.case import Cases, Rows, groups, stdev
from tests.support.analysts.world import HOURS, START, World

CASES = Cases()
KNOWN = (("alice", "192.0.2.20"), ("bob", "192.0.2.14"))
DEPARTMENTS = {"alice": "sales", "bob": "sales", "carol": "ops", "dave": "ops", "admin": "ops", "erin": "legal"}


@CASES.add(
    """index=auth action=failure | stats count AS failures dc(user) AS users values(app) AS apps BY src
    | where users>=5 AND failures/users<10 | table src failures users apps""",
    "src failures users apps",
    ordered=False,
)
def password_spraying(world: World) -> Rows:
    rows: Rows = []
    for src, es in groups([e for e in world.of("auth") if e["action"] == "failure"], "src").items():
        users = len({e["user"] for e in es})
        if users >= 5 and len(es) / users < 10:
            rows.append([src, len(es), users, sorted({e["app"] for e in es})])
    return rows


@CASES.add(
    """index=auth | sort 0 _time
    | streamstats count(eval(action="failure")) AS failed BY user src
    | where action="success" AND failed>=20 | table user src failed app""",
    "user src failed app",
)
def success_after_many_failures(world: World) -> Rows:
    failed: Counter[tuple[str, str]] = Counter()
    rows: Rows = []
    for event in reversed(world.of("auth")):
        key = (event["user"], event["src"])
        if event["action"] == "failure":
            failed[key] += 1
        elif failed[key] >= 20:
            rows.append([*key, failed[key], event["app"]])
    return rows


@CASES.add(
    """index=auth action=failure | sort 0 _time
    | streamstats time_window=30m count AS burst BY src | stats max(burst) AS burst BY src | where burst>=5""",
    "src burst",
    ordered=False,
)
def bursts_within_half_an_hour(world: World) -> Rows:
    rows: Rows = []
    for src, es in groups([e for e in world.of("auth") if e["action"] == "failure"], "src").items():
        stamps = [e["_time"] for e in es]
        best = max(sum(at - 1800 < other <= at for other in stamps) for at in stamps)
        if best >= 5:
            rows.append([src, best])
    return rows


@CASES.add(
    """index=auth action=success | stats earliest(_time) AS first latest(_time) AS last count BY user src
    | lookup seen_pairs.csv user src OUTPUT since | where isnull(since) AND NOT cidrmatch("10.0.0.0/8", src)
    | eval first=strftime(first, "%H:%M:%S") | sort user src | table user src count first""",
    "user src count first",
    ordered=False,
)
def first_seen_addresses(world: World) -> Rows:
    rows: Rows = []
    for (user, src), es in groups([e for e in world.of("auth") if e["action"] == "success"], "user", "src").items():
        if not src.startswith("10.") and (user, src) not in KNOWN:
            seconds = min(e["_time"] for e in es) - START
            rows.append([user, src, len(es), f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}"])
    return rows


@CASES.add(
    """index=auth action=success src!=10.0.0.0/8 | stats min(_time) AS since BY user src | outputlookup learned.csv
    | append [ | inputlookup seen_pairs.csv ] | stats count BY user src | where count>1 | fields user src""",
    "user src",
    ordered=False,
)
def pairs_that_were_known_before(world: World) -> Rows:
    events = [e for e in world.of("auth") if e["action"] == "success" and not e["src"].startswith("10.")]
    found = {(e["user"], e["src"]) for e in events}
    return [list(pair) for pair in KNOWN if pair in found]


@CASES.add(
    """index=auth | lookup departments.csv user OUTPUT dept | fillnull value=unknown dept
    | stats count count(eval(action="failure")) AS failures BY dept | eval share=round(100*failures/count, 1)
    | sort - share | fields dept count failures share""",
    "dept count failures share",
)
def failures_by_department(world: World) -> Rows:
    found: dict[str, list[str]] = {}
    for event in world.of("auth"):
        found.setdefault(DEPARTMENTS.get(event["user"], "unknown"), []).append(event["action"])
    rows = [[d, len(a), a.count("failure"), round(100 * a.count("failure") / len(a), 1)] for d, a in found.items()]
    return sorted(rows, key=lambda row: -row[3])


@CASES.add(
    """index=auth NOT src=10.0.0.0/8 | stats values(src) AS src dc(src) AS n BY user | where n>=3
    | eval src=mvjoin(mvindex(src, 0, 1), " "), n=n-2 | table user src n""",
    "user src n",
)
def many_addresses_of_one_user(world: World) -> Rows:
    rows: Rows = []
    for user, es in sorted(groups([e for e in world.of("auth") if not e["src"].startswith("10.")], "user").items()):
        found = sorted({e["src"] for e in es})
        if len(found) >= 3:
            rows.append([user, " ".join(found[:2]), len(found) - 2])
    return rows


@CASES.add(
    """index=auth user!=svc_* | bin span=1h _time | stats count BY _time user
    | eventstats avg(count) AS mean stdev(count) AS sd BY user | eval limit=mean+1.5*sd
    | where count>limit | eval hour=strftime(_time, "%H") | table hour user count""",
    "hour user count",
    ordered=False,
)
def unusual_hours_of_a_user(world: World) -> Rows:
    found = Counter((e["user"], (e["_time"] - START) // 3600) for e in world.of("auth") if e["user"] != "svc_backup")
    rows: Rows = []
    for user in {user for user, _ in found}:
        own = {hour: n for (u, hour), n in found.items() if u == user}
        limit = sum(own.values()) / len(own) + 1.5 * (stdev(list(map(float, own.values()))) if len(own) > 1 else 0)
        rows += [[f"{hour:02d}", user, n] for hour, n in own.items() if n > limit]
    return rows


@CASES.add(
    """index=auth | eval score=case(action="failure" AND NOT cidrmatch("10.0.0.0/8", src), 5, action="failure", 2,
        NOT cidrmatch("10.0.0.0/8", src), 1, true(), 0)
    | stats sum(score) AS risk_score count AS events values(eval(if(score>=5, src, null()))) AS threat_object BY user
    | where risk_score>=40 | eval risk_message=user." scored ".risk_score." over ".events." events"
    | sort - risk_score | table user risk_score risk_message""",
    "user risk_score risk_message",
)
def risk_of_users(world: World) -> Rows:
    scores: Counter[str] = Counter()
    events: Counter[str] = Counter()
    for event in world.of("auth"):
        failed, outside = event["action"] == "failure", not event["src"].startswith("10.")
        scores[event["user"]] += 5 if failed and outside else 2 if failed else 1 if outside else 0
        events[event["user"]] += 1
    rows = [[u, n, f"{u} scored {n} over {events[u]} events"] for u, n in scores.items() if n >= 40]
    return sorted(rows, key=lambda row: -row[1])


@CASES.add(
    """index=auth action=success [ search index=auth action=failure src=198.51.100.0/24 | dedup user | fields user ]
    | stats count BY user | sort user""",
    "user count",
)
def successes_of_attacked_users(world: World) -> Rows:
    events = world.of("auth")
    attacked = {e["user"] for e in events if e["action"] == "failure" and e["src"].startswith("198.51.100.")}
    found = Counter(e["user"] for e in events if e["action"] == "success" and e["user"] in attacked)
    return [list(item) for item in sorted(found.items())]


@CASES.add(
    """| inputlookup departments.csv | search NOT [ search index=auth action=success | stats count BY user
    | fields user ] | table user dept""",
    "user dept",
    ordered=False,
)
def people_who_never_signed_in(world: World) -> Rows:
    seen = {e["user"] for e in world.of("auth") if e["action"] == "success"}
    listed = {**DEPARTMENTS, "zoe": "ops"}
    return [[user, dept] for user, dept in listed.items() if user not in seen]


@CASES.add(
    "index=auth | timechart span=1h limit=0 dc(user) AS users BY app | fields _time portal ssh vpn",
    "_time portal ssh vpn",
)
def users_by_way_in(world: World) -> Rows:
    rows: Rows = []
    for start in range(START, START + HOURS * 3600, 3600):
        own = [e for e in world.of("auth") if start <= e["_time"] < start + 3600]
        rows.append([start, *(len({e["user"] for e in own if e["app"] == a}) for a in ("portal", "ssh", "vpn"))])
    return rows


@CASES.add(
    '`auth_failures("ssh")` | stats count min(_time) AS firstTime max(_time) AS lastTime BY user'
    "| `ctime_of(firstTime)` | where count>5 | table user count firstTime",
    "user count firstTime",
    ordered=False,
)
def with_macros_and_convert(world: World) -> Rows:
    rows: Rows = []
    events = [e for e in world.of("auth") if e["action"] == "failure" and e["app"] == "ssh"]
    for user, es in groups(events, "user").items():
        if len(es) > 5:
            seconds = min(e["_time"] for e in es) - START
            stamp = f"2023-11-15T{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}"
            rows.append([user, len(es), stamp])
    return rows


@CASES.add(
    """index=auth action=success app=vpn | sort 0 user _time
    | streamstats window=1 current=f last(src) AS from last(_time) AS before BY user
    | where from!=src AND _time-before<600 | eval gap=tostring(_time-before, "duration")
    | table user from src gap""",
    "user from src gap",
    ordered=False,
)
def two_places_within_ten_minutes(world: World) -> Rows:
    rows: Rows = []
    events = [e for e in reversed(world.of("auth")) if e["action"] == "success" and e["app"] == "vpn"]
    for user, es in groups(events, "user").items():
        for before, event in itertools.pairwise(es):
            gap = event["_time"] - before["_time"]
            if before["src"] != event["src"] and gap < 600:
                rows.append([user, before["src"], event["src"], f"00:{gap // 60:02d}:{gap % 60:02d}"])
    return rows


@CASES.add(
    """index=auth action=failure | rare limit=2 app | fields app count""",
    "app count",
)
def rarest_ways_in(world: World) -> Rows:
    found = Counter(e["app"] for e in world.of("auth") if e["action"] == "failure")
    return [list(item) for item in sorted(found.items(), key=lambda item: item[1])[:2]]


@CASES.add(
    """index=auth tag=external_login | stats count BY eventtype | where eventtype="auth_outside" """,
    "eventtype count",
)
def event_types_and_tags(world: World) -> Rows:
    return [["auth_outside", sum(not e["src"].startswith("10.") for e in world.of("auth"))]]
