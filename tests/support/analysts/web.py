"""Web access: raw combined log lines, extracted as Splunk's access_combined does."""

from __future__ import annotations

import itertools
import re
from collections import Counter
from urllib.parse import unquote

from tests.support.analysts.case import Cases, Rows, groups, median, stdev
from tests.support.analysts.world import HOURS, START, World

CASES = Cases()
WEB = "index=web sourcetype=access_combined"


@CASES.add(
    f"{WEB} status=404 | stats count AS misses dc(uri_path) AS paths BY clientip | where misses>20 | sort - misses",
    "clientip misses paths",
)
def scanners_by_missing_pages(world: World) -> Rows:
    found = groups([e for e in world.of("web") if e["status"] == 404], "clientip")
    rows = [[ip, len(es), len({e["uri_path"] for e in es})] for ip, es in found.items() if len(es) > 20]
    return sorted(rows, key=lambda row: -row[1])


@CASES.add(
    f"""{WEB} uri_path="/login" method=POST (status=401 OR status=200)
    | stats count(eval(status=401)) AS failures count(eval(status=200)) AS successes min(_time) AS first BY clientip
    | where failures>=10 AND successes>0 | eval first=strftime(first, "%Y-%m-%d %H:%M")
    | table clientip failures successes first""",
    "clientip failures successes first",
)
def guessed_a_password(world: World) -> Rows:
    rows: Rows = []
    events = [e for e in world.of("web") if e["uri_path"] == "/login" and e["method"] == "POST"]
    for ip, es in groups(events, "clientip").items():
        failures = sum(e["status"] == 401 for e in es)
        successes = sum(e["status"] == 200 for e in es)
        if failures >= 10 and successes:
            seconds = min(e["_time"] for e in es if e["status"] in (200, 401)) - START
            rows.append([ip, failures, successes, f"2023-11-15 {seconds // 3600:02d}:{seconds // 60 % 60:02d}"])
    return rows


@CASES.add(
    rf"""{WEB} uri_query=*
    | eval q=lower(urldecode(uri_query))
    | eval attack=case(match(q, "union\s+select|' or '"), "sqli", match(q, "<script"), "xss",
        match(q, "\.\./"), "traversal", true(), "none")
    | where attack!="none" | stats count values(clientip) AS who BY attack status | sort attack status""",
    "attack status count who",
)
def attacks_in_the_query(world: World) -> Rows:
    kinds = ((r"union\s+select|' or '", "sqli"), (r"<script", "xss"), (r"\.\./", "traversal"))
    found: Counter[tuple[str, int]] = Counter()
    for event in world.of("web"):
        text = unquote(event.get("uri_query", "")).lower()
        kind = next((name for pattern, name in kinds if re.search(pattern, text)), None)
        if kind:
            found[kind, event["status"]] += 1
    return [[kind, status, count, "203.0.113.99"] for (kind, status), count in sorted(found.items())]


@CASES.add(
    f"""{WEB} | stats sum(bytes) AS bytes BY user clientip
    | eventstats avg(bytes) AS mean stdev(bytes) AS sd | eval z=round((bytes-mean)/sd, 2) | where z>3
    | table user clientip bytes z""",
    "user clientip bytes z",
    ordered=False,
)
def downloads_far_above_others(world: World) -> Rows:
    sums = {key: sum(e["bytes"] for e in es) for key, es in groups(world.of("web"), "user", "clientip").items()}
    mean, spread = sum(sums.values()) / len(sums), stdev(list(sums.values()))
    return [[*key, n, round((n - mean) / spread, 2)] for key, n in sums.items() if (n - mean) / spread > 3.005]


@CASES.add(
    f"""{WEB} | lookup bad_agents useragent OUTPUT tool | where isnotnull(tool)
    | stats count dc(clientip) AS hosts BY tool | sort - count, tool""",
    "tool count hosts",
)
def tools_by_user_agent(world: World) -> Rows:
    tools = {"Nikto": "nikto", "sqlmap": "sqlmap", "python-requests": "script"}
    found: dict[str, list[str]] = {}
    for event in world.of("web"):
        tool = next((t for start, t in tools.items() if event["useragent"].startswith(start)), None)
        if tool:
            found.setdefault(tool, []).append(event["clientip"])
    return sorted(([t, len(ips), len(set(ips))] for t, ips in found.items()), key=lambda r: (-r[1], r[0]))


@CASES.add(
    f"{WEB} | timechart span=1h count(eval(status>=500)) AS errors count AS requests "
    '| eval rate=round(100*errors/requests, 1) | eval hour=strftime(_time, "%H") | table hour errors requests rate',
    "hour errors requests rate",
)
def error_rate_by_hour(world: World) -> Rows:
    rows: Rows = []
    for hour in range(HOURS):
        own = [e for e in world.of("web") if (e["_time"] - START) // 3600 == hour]
        errors = sum(e["status"] >= 500 for e in own)
        rows.append([f"{hour:02d}", errors, len(own), round(100 * errors / len(own), 1)])
    return rows


@CASES.add(f"{WEB} | timechart span=2h count BY method", "_time GET POST")
def methods_over_time(world: World) -> Rows:
    rows: Rows = []
    for start in range(START, START + HOURS * 3600, 7200):
        own = [e["method"] for e in world.of("web") if start <= e["_time"] < start + 7200]
        rows.append([start, own.count("GET"), own.count("POST")])
    return rows


@CASES.add(f"{WEB} | chart limit=2 count over method by status", "method 200 404 OTHER")
def busiest_statuses(world: World) -> Rows:
    rows: Rows = []
    for method in ("GET", "POST"):
        own = [e["status"] for e in world.of("web") if e["method"] == method]
        rest = len(own) - own.count(200) - own.count(404)
        rows.append([method, own.count(200), own.count(404), rest])
    return rows


@CASES.add(
    f"""{WEB} NOT [ | inputlookup allow.csv | rename cidr AS clientip | fields clientip ]
    | stats count BY clientip | sort clientip""",
    "clientip count",
)
def from_outside_the_allow_list(world: World) -> Rows:
    found = Counter(e["clientip"] for e in world.of("web") if not e["clientip"].startswith("10."))
    return [[ip, count] for ip, count in sorted(found.items(), key=lambda p: [int(x) for x in p[0].split(".")])]


@CASES.add(
    f"""{WEB} | sort 0 clientip _time
    | streamstats current=f last(_time) AS previous BY clientip
    | eval new=if(isnull(previous) OR _time-previous>1800, 1, 0)
    | streamstats sum(new) AS session BY clientip
    | stats count AS requests min(_time) AS start max(_time) AS end BY clientip session
    | eval seconds=end-start | stats count AS sessions max(requests) AS longest sum(seconds) AS seconds BY clientip
    | where sessions>3 | sort clientip""",
    "clientip sessions longest seconds",
    ordered=False,
)
def sessions_by_half_an_hour_of_silence(world: World) -> Rows:
    rows: Rows = []
    for ip, es in groups(world.of("web"), "clientip").items():
        stamps = sorted(e["_time"] for e in es)
        sessions = [[stamps[0]]]
        for before, at in itertools.pairwise(stamps):
            sessions.append([at]) if at - before > 1800 else sessions[-1].append(at)
        if len(sessions) > 3:
            rows.append([ip, len(sessions), max(map(len, sessions)), sum(s[-1] - s[0] for s in sessions)])
    return rows


@CASES.add(f"{WEB} | top limit=3 showperc=t clientip | eval percent=round(percent, 2)", "clientip count percent")
def busiest_clients(world: World) -> Rows:
    found = Counter(e["clientip"] for e in world.of("web"))
    return [[ip, n, round(100 * n / found.total(), 2)] for ip, n in found.most_common(3)]


@CASES.add(
    rf"""{WEB} | rex field=uri_path "^/(?<area>[^/]*)" | eval area=if(area="", "home", area)
    | stats count median(bytes) AS middle BY area | where count>30 | sort area""",
    "area count middle",
)
def areas_of_the_site(world: World) -> Rows:
    found: dict[str, list[float]] = {}
    for event in world.of("web"):
        found.setdefault(event["uri_path"].split("/")[1] or "home", []).append(event["bytes"])
    return [[area, len(v), median(v)] for area, v in sorted(found.items()) if len(v) > 30]


@CASES.add(
    f"""{WEB} uri_path="/admin*" | eval outcome=if(status<400, "allowed", "denied")
    | chart count BY user outcome | eval risk=case(allowed>0 AND denied=0, "watch", denied>5, "probe", true(), "low")
    | table user allowed denied risk""",
    "user allowed denied risk",
)
def who_was_in_the_admin_pages(world: World) -> Rows:
    found = groups([e for e in world.of("web") if e["uri_path"].startswith("/admin")], "user")
    rows: Rows = []
    for user, es in sorted(found.items()):
        allowed = sum(e["status"] < 400 for e in es)
        denied = len(es) - allowed
        risk = "watch" if allowed and not denied else "probe" if denied > 5 else "low"
        rows.append([user, allowed, denied, risk])
    return rows


@CASES.add(
    f'{WEB} | eval h=tonumber(strftime(_time, "%H")) | stats dc(clientip) AS clients BY h | sort -clients, h | head 2',
    "h clients",
)
def hours_with_most_clients(world: World) -> Rows:
    found = groups([{**e, "h": (e["_time"] - START) // 3600} for e in world.of("web")], "h")
    rows = [[h, len({e["clientip"] for e in es})] for h, es in found.items()]
    return sorted(rows, key=lambda row: (-row[1], row[0]))[:2]


@CASES.add(
    "| tstats count WHERE index=web BY sc | eventstats sum(count) AS all | eval share=round(100*count/all, 1) "
    "| sort - count | fields sc count share",
    "sc count share",
)
def statuses_without_reading_events(world: World) -> Rows:
    found = Counter(e["status"] for e in world.of("web"))
    return [[s, n, round(100 * n / found.total(), 1)] for s, n in found.most_common()]


@CASES.add(
    f"""{WEB} earliest=-2h@h latest=@h | bin span=10m _time
    | stats count BY _time clientip | eventstats max(count) AS peak BY clientip | where count=peak AND count>=5
    | sort 0 _time clientip | table _time clientip count""",
    "_time clientip count",
    ordered=False,
)
def peaks_of_the_last_two_hours(world: World) -> Rows:
    begin = START + (HOURS - 2) * 3600
    bins = Counter((e["_time"] // 600 * 600, e["clientip"]) for e in world.of("web") if e["_time"] >= begin)
    peak: dict[str, int] = {}
    for (_, ip), count in bins.items():
        peak[ip] = max(count, peak.get(ip, 0))
    return [[at, ip, n] for (at, ip), n in bins.items() if n == peak[ip] and n >= 5]
