"""SQL injection: what breaks out of a literal, not what merely is SQL."""

from __future__ import annotations

import re
from typing import Iterator

from apisec.attacks.base import attack
from apisec.attacks.sql.grammar import judge
from apisec.attacks.sql.tokens import FUNCTIONS

_LAST = re.compile(r"(?:^|[\s,=(])(\w{1,24})$")


def _judge(text: str) -> Iterator[float]:
    yield from judge(text)
    if text.endswith("("):  # what was cut off behind a call
        last = _LAST.search(text[-40:-1].rstrip())
        if last is not None and last.group(1) in FUNCTIONS:
            yield 0.55


ATTACKS = (
    attack(
        "injection.sqli",
        "sqli",
        (
            0.8,
            r"\bunion (?:all |distinct )?\(*select(?: (?:all|distinct))?(?: ?\(|[ +](?:null|[\d*@'\"`]"
            r"|[\w.]{1,40} ?[,(]|[\w.@, ]{1,80} from\b))",
            "union",
        ),
        (
            0.85,
            r"(?:;|^\W{0,3}\w{0,20}\)|\d|(?<![\s(=:,])['\"]\)?) ?"
            r"(?:drop (?:table|database|view|user|schema|index|function|procedure)"
            r"|alter (?:table"
            r"|user|database)|truncate table|delete from|insert into|update \w{1,40} set|create (?:table|user"
            r"|database|function)"
            r"|exec(?:ute)? (?:xp_|sp_|\(|master)|shutdown\b|declare @|set @"
            r"|grant \w{1,20} (?:on|to|privileges|any|option)\b"
            r"|copy \w{1,40} (?:from|to)|waitfor\b|rename table|goto \w|desc(?:ribe)? \w{2,40}\s?(?:;|--|#|$))",
            "drop ",
            "alter ",
            "truncate ",
            "delete ",
            "insert ",
            "update ",
            "create ",
            "exec",
            "shutdown",
            "declare ",
            "grant ",
            "set @",
            "copy ",
            "waitfor",
            "rename table",
            "goto ",
            "desc",
        ),
        (
            0.75,
            r"(?<![\w.])(?:pg_sleep|benchmark|dbms_\w{3,10}\.(?:receive_message|sleep)|randomblob"
            r"|generate_series|sqlite_version|load_file|load_extension|extractvalue|updatexml|name_const"
            r"|make_set|utl_inaddr|sys_eval|xmltype) ?\("
            r"|\bwaitfor (?:delay|time) ?['\"(]",
            "pg_sleep",
            "benchmark",
            "dbms_",
            "randomblob",
            "generate_series",
            "sqlite_version",
            "load_",
            "extractvalue",
            "updatexml",
            "name_const",
            "make_set",
            "utl_",
            "sys_eval",
            "xmltype",
            "waitfor",
        ),
        (
            0.6,
            r"(?:^|['\"\d)(,;=|&] ?)sleep ?\( ?['\"]?\d{1,9}['\"]? ?(?:\)|,|$)|(?:['\"\d)] ?|\b(?:or|and"
            r"|select|,) ?\(*)(?:sleep|if) ?\([^)]{0,60}(?:\d|sleep)",
            "sleep",
            "if(",
            "if (",
        ),
        (
            0.6,
            r"\binformation_schema\b|\bsys\.?(?:objects|columns|databases|tables|users|comments|types)\b"
            r"|@@(?:version|hostname|datadir|global|servername|basedir|tmpdir)|\bxp_\w{3,20}"
            r"|\bsp_(?:executesql|oacreate|password|adduser|addsrvrolemember|makewebtask|configure|help|who"
            r"|lock)\w{0,6}|\binto (?:out|dump)file\b"
            r"|\bsqlite_(?:master|schema|temp_master)\b|\bpg_(?:catalog|user|shadow|class|database"
            r"|stat_activity)\b|\butl_(?:http|inaddr|file|smtp)\b|\bmysql\.(?:user|db|host)\b|\bmsys(?:ac[el]s"
            r"|objects|accessobjects|queries|relationships|accessxml|accessstorage)\b"
            r"|\b(?:all|user|dba)_(?:tables|tab_columns|users|objects|constraints)\b|\bopen(?:rowset"
            r"|datasource|query|xml)\b|\bmsdasql\b|\bsqloledb\b|\bnvarchar\b|\bprocedure analyse ?\("
            r"|\bdb_?name ?\(|\bdatabase\(\)|\bschema(?:_name)? ?\(\)?$",
            "_schema",
            "sysobj",
            "sys.",
            "syscol",
            "sysdat",
            "sysuser",
            "systab",
            "syscom",
            "systyp",
            "@@",
            "xp_",
            "sp_",
            "outfile",
            "dumpfile",
            "sqlite_",
            "pg_",
            "utl_",
            "mysql.",
            "msys",
            "all_",
            "user_",
            "dba_",
            "openrowset",
            "opendata",
            "openquery",
            "openxml",
            "msdasql",
            "sqloledb",
            "nvarchar",
            "procedure analyse",
            "db_name",
            "dbname",
            "database()",
            "schema(",
            "schema (",
            "schema_name",
        ),
        (
            0.55,
            r"^\W{0,4}(?:tempdb|msdb|northwind|master\.\.\w{1,30}|information_schema|schema_name|mysql\.db"
            r"|pg_catalog)\W{0,4}$",
            "tempdb",
            "msdb",
            "northwind",
            "master..",
            "_schema",
            "schema_",
            "mysql.db",
            "pg_catalog",
        ),
        (
            0.6,
            r"\bexec(?:ute)?\s{1,4}(?:master\.|xp_|sp_)|\bcreate\s{1,4}procedure\s{1,4}\w{1,40}\s{0,4}\(|\blo_(?:import|export)\s{0,3}\("
            r"|\bdeclare\s{1,4}@\w{1,30}\s{1,4}(?:as|\w{0,3}(?:char|int|text|table|binary))\b",
            "exec",
            "procedure",
            "lo_import",
            "lo_export",
            "declare",
        ),
        (0.5, r"\bselect\b[^;]{1,120}\bfrom\b[^;]{1,80}(?:--|#|/\*) ?$", "select"),
        (0.6, r"\w'(?: ?\|\| ?| ?\+ ?)'\w|';? ?\|\| ?\(?select|'\|\|[a-z_.]{2,30}\(", "||", "+"),
        (0.55, r"/\*!(?:[\d*]|(?:union|select|and|or|from|where|concat|database|user)\b)", "/*!"),
        (
            0.65,
            r"\b(?:select|union|drop|insert|update|delete|from|where|sleep|exec|and|or|table|into|order"
            r"|group)(?:/\*.{0,40}?\*/)+\s?[\w(]"
            r"|[a-z]{2}/\*\*/[a-z]{2}",
            "/*",
        ),
        (
            0.6,
            r"(?:^|[(,'\")\d]\s?|\b(?:and|or|select)\s{1,3})\(?case\s{1,4}when\b.{1,120}\bthen\b",
            "case when",
        ),
        (
            0.6,
            r"\bmatch\s{0,2}\([^)]{1,60}\)\s{0,3}against\s{0,2}\(|\bmerge\b.{1,60}\busing\s{0,2}\("
            r"|\bcreate\s{1,3}(?:or\s{1,3}replace\s{1,3})?function\b.{1,80}\breturns\b"
            r"|\balter\b.{1,60}\bcharacter\s{1,3}set\b"
            r"|\bexecute\s{1,3}immediate\b|^\W{0,4}declare\s{1,3}@\w",
            "against",
            "merge",
            "create",
            "alter",
            "immediate",
            "declare",
        ),
        # A comparison of a number with itself is of no use but to break into a condition.
        (
            0.8,
            r"\b(?:or|and|xor|where|when|if|having)\b[\s('\"]{0,6}(\d{1,9})['\"]?\s{0,3}(?:=|like)\s{0,3}['\"]?\1\b"
            r"|in boolean mode\)",
            "=",
            "like",
            "boolean mode",
        ),
        (0.8, r"['\"]\s{0,3}[+|.&]{0,2}\s{0,3}sleep\s?\(\s?\d", "sleep"),
        (0.6, r"2\.225073858507\d{2,6}e-308", "e-308"),
        (
            0.55,
            r"^\W{0,3}(?:current_user|user|version|system_user|session_user|schema|database|now"
            r"|sysdate)\s?\(\s?\)\W{0,3}$",
            "user(",
            "user (",
            "sion(",
            "schema(",
            "base(",
            "now(",
            "sysdate(",
        ),
        (0.55, r"^\W{0,3}(?:order|group)\s{1,3}by\s{1,3}\d{1,3}\b", "order", "group"),
        (
            0.6,
            r"^\W{0,3}(?:or|and|xor|\|\||&&)\s{1,3}(?:true|false|not|null)\b.{0,20}(?:--|#|/\*"
            r"|$)",
            "or ",
            "and ",
            "||",
            "&&",
        ),
        (0.55, r"^['\"][^'\"]{0,20}['\"]\s?(?:=|!=|<>|like|regexp|rlike)\s?['\"][^'\"]{0,20}['\"]?$", "'", '"'),
        (
            0.55,
            r"^\)\s{0,4}as\s{1,4}['\"\w]{1,40}\s{1,6}from\b|\bas\s{1,4}[\"'`]\w{1,30}[\"'`]\s{1,4}from\s"
            r"|^.?\s?as['\"] from$",
            " from",
        ),
        (
            0.6,
            r"^[\s)]{0,4}(?:select|execute|exec)\s{1,4}(?:immediate|into\s{1,3}(?:@|outfile|dumpfile)|group_concat\b|char\b|concat\b"
            r"|0x[0-9a-f])",
            "exec",
            "select",
        ),
        (0.6, r"\bselect\s{1,4}(?:0x[0-9a-f]{4,}|@@|null\s?,|\d{1,9}\s?,\s?\d)", "select"),
        (0.5, r"^[^'\"`]{0,12}\d'\)*;?$|^'\)*;?$", "'"),
        (0.55, r"^\W?\d{1,9}\s?(?:=|!=|<>)\s?\d{1,9}\W{0,2}$", "=", "<>"),
        (0.6, r"^[\w@.]{1,30}['\"]? ?(?:--[ +-]?|#|/\*)$", "--", "#", "/*"),
        judge=_judge,
        judged=(
            "'",
            '"',
            "`",
            "(",
            ")",
            ";",
            "--",
            "#",
            "/*",
            "=",
            "<",
            ">",
            "|",
            "&",
            "union",
            "select",
            "order by",
            "having",
            "@@",
            "xp_",
            "sp_",
            "information_schema",
            "sysobjects",
            "msysa",
            "tempdb",
            "mysql.",
            "northwind",
            "sleep",
            "waitfor",
            "drop ",
            "exec",
            "openrowset",
            "like",
            "*",
            "sqlite_",
            "pg_",
            "alter ",
            "nvarchar",
            "schema_name",
            "msdb",
            "msdasql",
        ),
    ),
)
