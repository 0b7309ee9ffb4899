"""Detections over data models, in the form of Splunk's own content: tstats, summaries macros, renamed datasets."""

from __future__ import annotations

from collections import Counter

from tests.support.analysts.case import Cases, Rows, groups
from tests.support.analysts.world import HOURS, START, World

CASES = Cases()


def stamp(at: int) -> str:
    seconds = at - START
    return f"2023-11-15T{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}"


@CASES.add(
    """| tstats `security_content_summariesonly` count min(_time) as firstTime max(_time) as lastTime
      values(Web.http_user_agent) as agents from datamodel=Web
      where Web.http_method="GET" Web.url IN ("*union*", "*script*", "*passwd*") by Web.src Web.status
    | `drop_dm_object_name("Web")` | `security_content_ctime(firstTime)` | `security_content_ctime(lastTime)`
    | sort src status | table src status count agents firstTime lastTime | `our_filter`""",
    "src status count agents firstTime lastTime",
)
def injections_in_the_web_model(world: World) -> Rows:
    events = [e for e in world.of("web") if any(w in e["uri"].lower() for w in ("union", "script", "passwd"))]
    rows: Rows = []
    for key, es in sorted(groups(events, "clientip", "status").items()):
        seen = [e["_time"] for e in es]
        rows.append([*key, len(es), "sqlmap/1.7", stamp(min(seen)), stamp(max(seen))])
    return rows


@CASES.add(
    """| tstats `security_content_summariesonly` dc(Authentication.user) as users count from datamodel=Authentication
      where Authentication.action="failure" by Authentication.src
    | `drop_dm_object_name(Authentication)` | where users>5 | table src users count | `our_filter`""",
    "src users count",
)
def spraying_in_the_authentication_model(world: World) -> Rows:
    rows: Rows = []
    for src, es in groups([e for e in world.of("auth") if e["action"] == "failure"], "src").items():
        users = len({e["user"] for e in es})
        if users > 5:
            rows.append([src, users, len(es)])
    return rows


@CASES.add(
    """| tstats count from datamodel=Authentication where nodename=Authentication.Failed_Authentication
      by _time span=1h | sort _time""",
    "_time count",
)
def failures_by_hour_of_the_child(world: World) -> Rows:
    found = Counter(e["_time"] // 3600 * 3600 for e in world.of("auth") if e["action"] == "failure")
    return [list(item) for item in sorted(found.items())]


@CASES.add(
    "| from datamodel:Authentication.Failed_Authentication | stats count by user | sort - count user | head 3",
    "user count",
)
def from_a_dataset(world: World) -> Rows:
    found = Counter(e["user"] for e in world.of("auth") if e["action"] == "failure")
    return [list(item) for item in sorted(found.items(), key=lambda item: (-item[1], item[0]))[:3]]


@CASES.add(
    "| datamodel Web Web search | stats sum(Web.bytes) as bytes by Web.action | rename Web.* as *",
    "action bytes",
)
def a_calculated_field_of_a_model(world: World) -> Rows:
    sums: Counter[str] = Counter()
    for event in world.of("web"):
        sums["allowed" if event["status"] < 400 else "blocked"] += event["bytes"]
    return [list(item) for item in sorted(sums.items())]


@CASES.add(
    """| tstats count from datamodel=Web where Web.action=blocked by Web.user | `drop_dm_object_name("Web")`
    | eventstats avg(count) as mean | where count>mean | table user count""",
    "user count",
)
def blocked_more_than_usual(world: World) -> Rows:
    found = Counter(e["user"] for e in world.of("web") if e["status"] >= 400)
    mean = found.total() / len(found)
    return [[user, count] for user, count in sorted(found.items()) if count > mean]


@CASES.add(
    """| tstats prestats=t count from datamodel=Web by _time Web.http_method span=2h
    | timechart span=2h count by Web.http_method""",
    "_time GET POST",
)
def prestats_into_timechart(world: World) -> Rows:
    rows: Rows = []
    for start in range(START, START + HOURS * 3600, 7200):
        own = [e["method"] for e in world.of("web") if start <= e["_time"] < start + 7200]
        rows.append([start, own.count("GET"), own.count("POST")])
    return rows


@CASES.add(
    """| tstats summariesonly=false values(Authentication.app) as app count from datamodel=Authentication.Authentication
      where NOT Authentication.src="10.*" by Authentication.user
    | rename Authentication.user as user | where mvcount(app)=3
    | append [ | tstats count from datamodel=Web where Web.user="alice" Web.status=403 by Web.user
        | rename Web.user as user ]
    | stats sum(count) as count by user | sort user""",
    "user count",
)
def two_models_in_one_table(world: World) -> Rows:
    counts: Counter[str] = Counter()
    for user, es in groups([e for e in world.of("auth") if not e["src"].startswith("10.")], "user").items():
        if len({e["app"] for e in es}) == 3:
            counts[user] += len(es)
    counts["alice"] += sum(e["user"] == "alice" and e["status"] == 403 for e in world.of("web"))
    return [list(item) for item in sorted(counts.items())]
