"""API transactions as JSON: arrays, indexed fields, first seen, risk."""

from __future__ import annotations

import hashlib
from collections import Counter

from tests.support.analysts.case import Cases, Rows, groups, median
from tests.support.analysts.world import HOURS, START, World

CASES = Cases()
SHOP = "index=api service=shop"


@CASES.add(
    f"""{SHOP} object_ids{{}}=* | stats dc(object_ids{{}}) AS objects count BY principal operation
    | where objects>20 | table principal operation objects count""",
    "principal operation objects count",
)
def one_principal_many_objects(world: World) -> Rows:
    events = [e for e in world.of("api") if e["service"] == "shop" and e["object_ids{}"]]
    rows: Rows = []
    for key, es in groups(events, "principal", "operation").items():
        objects = {o for e in es for o in e["object_ids{}"]}
        if len(objects) > 20:
            rows.append([*key, len(objects), len(es)])
    return rows


@CASES.add(
    """index=api operation IN ("POST /checkout", "POST /payments") status<400 | sort 0 _time
    | streamstats count(eval(operation="POST /payments")) AS paid BY principal
    | where operation="POST /checkout" AND paid=0 | stats count BY principal | sort principal""",
    "principal count",
)
def checkout_before_any_payment(world: World) -> Rows:
    paid: set[str] = set()
    found: Counter[str] = Counter()
    for event in reversed(world.of("api")):
        if event["status"] < 400 and event["operation"] == "POST /payments":
            paid.add(event["principal"])
        elif event["status"] < 400 and event["operation"] == "POST /checkout" and event["principal"] not in paid:
            found[event["principal"]] += 1
    return [list(item) for item in sorted(found.items())]


@CASES.add(
    """index=api | rename data_classes{} AS class | mvexpand class | stats count dc(principal) AS principals BY class
    operation | where class="card" | sort - count operation""",
    "class operation count principals",
)
def where_cards_are_seen(world: World) -> Rows:
    events = [e for e in world.of("api") if "card" in e["data_classes{}"]]
    rows = [["card", o, len(es), len({e["principal"] for e in es})] for o, es in groups(events, "operation").items()]
    return sorted(rows, key=lambda row: (-row[2], row[1]))


@CASES.add(
    "| tstats count WHERE index=api BY who op | stats sum(count) AS calls dc(op) AS operations BY who "
    "| where operations<3",
    "who calls operations",
)
def narrow_principals_from_the_index(world: World) -> Rows:
    rows: Rows = []
    for who, es in sorted(groups(world.of("api"), "principal").items()):
        operations = len({e["operation"] for e in es})
        if operations < 3:
            rows.append([who, len(es), operations])
    return rows


@CASES.add(
    """index=api | stats median(response_time) AS middle max(response_time) AS worst BY operation
    | eval ratio=round(worst/middle, 1) | sort operation""",
    "operation middle worst ratio",
)
def slow_operations(world: World) -> Rows:
    rows: Rows = []
    for operation, es in sorted(groups(world.of("api"), "operation").items()):
        values = [float(e["response_time"]) for e in es]
        rows.append([operation, median(values), max(values), round(max(values) / median(values), 1)])
    return rows


@CASES.add(
    """index=api | eval class=case(status<300, "ok", status<500, "client", true(), "server")
    | timechart span=3h count BY class | eval all=ok+client+server""",
    "_time client ok server all",
)
def outcome_over_time(world: World) -> Rows:
    rows: Rows = []
    for start in range(START, START + HOURS * 3600, 10800):
        own = [e["status"] for e in world.of("api") if start <= e["_time"] < start + 10800]
        ok, client = sum(s < 300 for s in own), sum(300 <= s < 500 for s in own)
        rows.append([start, client, ok, len(own) - ok - client, len(own)])
    return rows


@CASES.add(
    """index=api | eventstats count AS total BY principal | eventstats dc(src) AS sources BY principal
    | where sources>1 AND total<30 | dedup principal | sort principal | table principal total sources""",
    "principal total sources",
)
def quiet_principals_of_many_addresses(world: World) -> Rows:
    rows: Rows = []
    for who, es in sorted(groups(world.of("api"), "principal").items()):
        sources = len({e["src"] for e in es})
        if sources > 1 and len(es) < 30:
            rows.append([who, len(es), sources])
    return rows


@CASES.add(
    """index=api session!=s1* | stats count BY session | sort - count session | head 3""",
    "session count",
)
def sessions_that_are_not(world: World) -> Rows:
    sessions = [e["session"] for e in world.of("api") if "session" in e and not e["session"].startswith("s1")]
    return [list(item) for item in sorted(Counter(sessions).items(), key=lambda i: (-i[1], i[0]))[:3]]


@CASES.add("index=api NOT session=s1* | stats count count(session) AS with_session", "count with_session")
def not_takes_those_without_too(world: World) -> Rows:
    own = [e for e in world.of("api") if not e.get("session", "").startswith("s1")]
    return [[len(own), sum("session" in e for e in own)]]


@CASES.add(
    """index=api status>=400 | stats count AS errors BY operation
    | append [ search index=api status<400 | stats count AS good BY operation ]
    | stats sum(errors) AS errors sum(good) AS good BY operation | fillnull value=0 errors good
    | eval share=round(100*errors/(errors+good)) | sort operation""",
    "operation errors good share",
)
def two_searches_in_one_table(world: World) -> Rows:
    rows: Rows = []
    for operation, es in sorted(groups(world.of("api"), "operation").items()):
        bad = sum(e["status"] >= 400 for e in es)
        rows.append([operation, bad, len(es) - bad, int(100 * bad / len(es) + 0.5)])
    return rows


@CASES.add(
    """index=api | spath output=retry path=meta.retry | stats count BY retry status | where retry="true" """,
    "retry status count",
)
def booleans_inside_json(world: World) -> Rows:
    found = Counter(e["status"] for e in world.of("api") if e["status"] >= 500)
    return [["true", status, n] for status, n in sorted(found.items())]


@CASES.add(
    """index=api | rex field=operation "^(?<verb>\\w+) (?<path>.*)$" | stats count BY verb
    | appendpipe [ stats sum(count) AS count | eval verb="total" ]""",
    "verb count",
)
def a_total_at_the_end(world: World) -> Rows:
    found = Counter(e["operation"].split()[0] for e in world.of("api"))
    return [*([verb, n] for verb, n in sorted(found.items())), ["total", found.total()]]


@CASES.add(
    """index=api | eval day=strftime(_time, "%F"), operation=replace(operation, "\\{[^}]+\\}", "{}")
    | stats count AS n BY day operation | eventstats sum(n) AS all BY day | eval share=printf("%.1f%%", 100*n/all)
    | sort - n, operation | fields operation n share""",
    "operation n share",
)
def shares_as_text(world: World) -> Rows:
    found = Counter(e["operation"].replace("{order_id}", "{}").replace("{user_id}", "{}") for e in world.of("api"))
    ordered = sorted(found.items(), key=lambda item: (-item[1], item[0]))
    return [[operation, n, f"{100 * n / found.total():.1f}%"] for operation, n in ordered]


@CASES.add(
    """index=api | eval weight=case(status=403, 3, status=404, 2, status>=500, 1, true(), 0)
    | eval zip=mvzip('object_ids{}', mvmap('object_ids{}', principal), "@")
    | stats sum(weight) AS score values(zip) AS who BY principal | where score>=12
    | eval first=mvindex(split(mvindex(who, 0), "@"), 1) | sort - score principal | table principal score first""",
    "principal score first",
)
def scores_with_zipped_values(world: World) -> Rows:
    score: Counter[str] = Counter()
    with_objects = {e["principal"] for e in world.of("api") if e["object_ids{}"]}
    for event in world.of("api"):
        weight = {403: 3, 404: 2}.get(event["status"], 1 if event["status"] >= 500 else 0)
        score[event["principal"]] += weight
    rows = [[who, n, who if who in with_objects else None] for who, n in score.items() if n >= 12]
    return sorted(rows, key=lambda row: (-row[1], row[0]))


@CASES.add(
    """| multisearch [ search index=api status=403 | eval kind="refused" ]
        [ search index=web status=403 | eval kind="refused", principal=user ]
    | stats count BY index kind | sort index""",
    "index kind count",
)
def two_sources_at_once(world: World) -> Rows:
    return [[i, "refused", sum(e["status"] == 403 for e in world.of(i))] for i in ("api", "web")]


@CASES.add(
    """index=api | foreach status response_time [ eval sum_<<FIELD>>='<<FIELD>>' ]
    | stats max(sum_*) AS max_* | eval same=if(max_status<=500, "yes", "no") | table same""",
    "same",
)
def foreach_then_wildcards(world: World) -> Rows:
    del world
    return [["yes"]]


@CASES.add(
    """index=api | fields principal status | fields - _raw | eval _time=null()
    | makemv delim="-" principal | eval kind=mvindex(principal, 0), id=mvindex(principal, 1)
    | stats count BY kind | nomv kind""",
    "kind count",
)
def makemv_of_a_name(world: World) -> Rows:
    return [["p", len(world.of("api"))]]


@CASES.add(
    """index=api | eval token="eyJhbGciOiJub25lIn0.".md5(principal)
    | rex field=token "^(?<header>[^.]+)\\." | eval short=substr(token, 21, 4)
    | stats dc(short) AS n values(header) AS header""",
    "n header",
)
def tokens_hashed(world: World) -> Rows:
    shorts = {hashlib.md5(e["principal"].encode(), usedforsecurity=False).hexdigest()[:4] for e in world.of("api")}
    return [[len(shorts), "eyJhbGciOiJub25lIn0"]]
