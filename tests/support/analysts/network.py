"""Firewall, DNS and Windows: numbers, JSON arrays, XML."""

from __future__ import annotations

import itertools
from collections import Counter

from tests.support.analysts.case import Cases, Rows, groups, stdev
from tests.support.analysts.world import World

CASES = Cases()


@CASES.add(
    "index=fw action=blocked | stats dc(dest_port) AS ports count BY src_ip dest_ip | where ports>50",
    "src_ip dest_ip ports count",
)
def port_scan(world: World) -> Rows:
    rows: Rows = []
    for key, es in groups([e for e in world.of("fw") if e["action"] == "blocked"], "src_ip", "dest_ip").items():
        ports = len({e["dest_port"] for e in es})
        if ports > 50:
            rows.append([*key, ports, len(es)])
    return rows


@CASES.add(
    """index=fw | sort 0 src_ip dest_ip _time | streamstats current=f last(_time) AS before BY src_ip dest_ip
    | eval gap=_time-before | stats count avg(gap) AS mean stdev(gap) AS spread BY src_ip dest_ip
    | where count>20 AND spread<5 | eval mean=round(mean) | table src_ip dest_ip count mean""",
    "src_ip dest_ip count mean",
)
def beacons(world: World) -> Rows:
    rows: Rows = []
    for key, es in groups(world.of("fw"), "src_ip", "dest_ip").items():
        stamps = sorted(e["_time"] for e in es)
        gaps = [float(b - a) for a, b in itertools.pairwise(stamps)]
        if len(es) > 20 and stdev(gaps) < 5:
            rows.append([*key, len(es), round(sum(gaps) / len(gaps))])
    return rows


@CASES.add(
    """index=fw action=allowed NOT dest_ip IN ("10.*", "192.168.*") | stats sum(bytes_out) AS out BY src_ip
    | eval mb=round(out/1024/1024, 1) | where mb>100 | table src_ip mb""",
    "src_ip mb",
)
def large_uploads(world: World) -> Rows:
    sums: Counter[str] = Counter()
    for event in world.of("fw"):
        if event["action"] == "allowed" and not event["dest_ip"].startswith(("10.", "192.168.")):
            sums[event["src_ip"]] += event["bytes_out"]
    return [[ip, round(n / 1024 / 1024, 1)] for ip, n in sums.items() if n / 1024 / 1024 > 100]


@CASES.add(
    """index=fw | lookup ports.csv dest_port OUTPUTNEW service | eval service=coalesce(service, "other")
    | chart count over service by action""",
    "service allowed blocked",
)
def services_by_action(world: World) -> Rows:
    names = {53: "dns", 80: "http", 443: "https", 22: "ssh"}
    found = Counter((names.get(e["dest_port"], "other"), e["action"]) for e in world.of("fw"))
    services = sorted({service for service, _ in found})
    return [[s, found[s, "allowed"], found[s, "blocked"]] for s in services]


@CASES.add(
    "| tstats count dc(dport) AS ports WHERE index=fw act=blocked BY _time span=1h | where ports>3 | table _time count",
    "_time count",
)
def blocked_by_hour_from_the_index(world: World) -> Rows:
    found = groups([{**e, "h": e["_time"] // 3600 * 3600} for e in world.of("fw") if e["action"] == "blocked"], "h")
    return [[h, len(es)] for h, es in sorted(found.items()) if len({e["dest_port"] for e in es}) > 3]


@CASES.add(
    """index=fw | lookup assets net AS src_ip OUTPUT zone | stats sum(bytes_out) AS bytes BY zone
    | eval bytes=tostring(bytes, "commas") | table zone bytes""",
    "zone bytes",
)
def bytes_by_zone(world: World) -> Rows:
    sums: Counter[str] = Counter()
    for event in world.of("fw"):
        third = event["src_ip"].split(".")[2]
        sums[{"0": "office", "1": "lab"}.get(third, "campus")] += event["bytes_out"]
    return [[zone, f"{n:,}"] for zone, n in sorted(sums.items())]


@CASES.add(
    r"""index=dns record_type=TXT | rex field=query "^(?<label>[^.]+)\.(?<domain>.+)$" | eval length=len(label)
    | stats count dc(label) AS labels avg(length) AS length BY src domain | where labels>20 AND length>=30
    | table src domain count labels length""",
    "src domain count labels length",
)
def dns_tunnel(world: World) -> Rows:
    rows: Rows = []
    events = [{**e, "domain": e["query"].partition(".")[2]} for e in world.of("dns") if e["record_type"] == "TXT"]
    for key, es in groups(events, "src", "domain").items():
        labels = [e["query"].partition(".")[0] for e in es]
        if len(set(labels)) > 20:
            rows.append([*key, len(es), len(set(labels)), sum(map(len, labels)) / len(labels)])
    return rows


@CASES.add(
    """index=dns | stats count count(eval(reply_code="NXDOMAIN")) AS missing BY src
    | eval ratio=round(missing/count, 2) | where missing>=10 | fields src missing ratio""",
    "src missing ratio",
)
def many_names_that_do_not_exist(world: World) -> Rows:
    rows: Rows = []
    for src, es in groups(world.of("dns"), "src").items():
        missing = sum(e["reply_code"] == "NXDOMAIN" for e in es)
        if missing >= 10:
            rows.append([src, missing, round(missing / len(es), 2)])
    return rows


@CASES.add(
    "index=dns record_type=A reply_code=NOERROR | spath output=answer path=answers{} | mvexpand answer "
    "| stats count BY answer | sort answer",
    "answer count",
)
def answers_of_dns(world: World) -> Rows:
    found = Counter(a for e in world.of("dns") if e["record_type"] == "A" for a in e["answers{}"])
    return [list(item) for item in sorted(found.items())]


@CASES.add("index=dns | stats count BY answers{} | sort answers{} | rename answers{} AS answer", "answer count")
def by_every_value_of_an_array(world: World) -> Rows:
    return [list(item) for item in sorted(Counter(a for e in world.of("dns") for a in e["answers{}"]).items())]


@CASES.add(
    "index=dns reply_code=NOERROR | eval n=mvcount('answers{}') | stats count BY n | sort n",
    "n count",
)
def answers_per_reply(world: World) -> Rows:
    found = Counter(len(e["answers{}"]) for e in world.of("dns") if e["answers{}"])
    return [list(item) for item in sorted(found.items())]


@CASES.add(
    r"""index=dns | eval tld=mvindex(split(query, "."), -1) | stats dc(query) AS names BY tld | sort - names
    | streamstats count AS place | table place tld names""",
    "place tld names",
)
def top_level_domains(world: World) -> Rows:
    found = groups([{**e, "tld": e["query"].rpartition(".")[2]} for e in world.of("dns")], "tld")
    rows = sorted(([tld, len({e["query"] for e in es})] for tld, es in found.items()), key=lambda row: -row[1])
    return [[place, *row] for place, row in enumerate(rows, 1)]


@CASES.add(
    r"""index=win | rex "<EventID>(?<id>\d+)</EventID>" | rex "<Computer>(?<computer>[^<]+)"
    | rex "Name='Account_Name'>(?<account>[^<]+)" | search id=4625
    | stats count BY computer account | where count>=2 | sort computer account""",
    "computer account count",
)
def failed_logons_of_windows(world: World) -> Rows:
    events = [e for e in world.of("win") if e["EventCode"] == 4625]
    found = Counter((e["ComputerName"], e["Account_Name"]) for e in events)
    return [[*key, n] for key, n in sorted(found.items()) if n >= 2]


@CASES.add(
    "index=win | spath output=id path=Event.System.EventID | stats count BY id | sort id",
    "id count",
)
def event_ids_from_xml(world: World) -> Rows:
    return [list(item) for item in sorted(Counter(e["EventCode"] for e in world.of("win")).items())]


@CASES.add(
    r"""index=win "<EventID>4688</EventID>" | rex "Name='Process'>(?<path>[^<]+)<"
    | eval name=lower(mvindex(split(path, "\\"), -1)) | search name IN (mimikatz.exe, whoami.exe)
    | stats count BY name | sort name""",
    "name count",
)
def tools_that_were_started(world: World) -> Rows:
    names = [str(e.get("Process", "")).rpartition("\\")[2] for e in world.of("win")]
    return [list(item) for item in sorted(Counter(n for n in names if n in ("mimikatz.exe", "whoami.exe")).items())]


@CASES.add(
    r"""index=win powershell | rex "-enc (?<code>[A-Za-z0-9+/=]+)" | where len(code)>=50
    | eval size=case(len(code)<70, "medium", true(), "long") | stats count BY size | sort size""",
    "size count",
)
def encoded_commands(world: World) -> Rows:
    sizes = [len(str(e["Command"]).rpartition(" ")[2]) for e in world.of("win") if "Command" in e]
    found = Counter("medium" if n < 70 else "long" for n in sizes if n >= 50)
    return [list(item) for item in sorted(found.items())]
