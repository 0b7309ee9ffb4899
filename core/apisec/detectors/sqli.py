"""SQL injection: what breaks out of a literal, not what merely is SQL."""

from __future__ import annotations

from apisec.detectors.base import SignalDetector, linear, shapes

_OPERATOR = r"(?:=|<|>|!=|\blike\b|\brlike\b|\bregexp\b|\bbetween\b|\bin ?\(|\bis (?:not )?null)"
_BOOLEAN = r"(?:\bor\b|\band\b|\bxor\b|\|\||&&)"

SIGNALS = (
    SignalDetector(
        "injection.sqli",
        linear(r"['\"`;)]|--|\b(?:union|select|sleep|benchmark|waitfor|or|and|order|having)\b|@@|information_schema"),
        shapes(
            (0.9, rf"['\"`)] ?\)*\s?{_BOOLEAN} ?\(*['\"`]?[\w.%]{{0,40}}['\"`]? ?{_OPERATOR}"),
            (0.85, r"\b\d{1,9} ?\)*\s?(?:or|and|xor|\|\||&&) ?\(*(\d{1,9})\)* ?(?:=|<|>|like) ?\(*\d"),
            (0.8, r"\b\d{1,9} (?:or|and) \(*['\"](\w{0,20})['\"] ?(?:=|like) ?['\"]"),
            (
                0.9,
                r"\bunion (?:all |distinct )?\(*select(?: (?:all|distinct))?"
                r"(?: ?\(|[ +](?:null|[\d*@'\"`]|[\w.]{1,40} ?[,(]|[\w.@, ]{1,80} from\b))",
            ),
            (
                0.85,
                r"[;'\")\d] ?(?:drop (?:table|database|view|user)|alter (?:table|user|database)|truncate table"
                r"|delete from|insert into|update \w{1,40} set|create (?:table|user|database)"
                r"|exec(?:ute)? (?:xp_|sp_|\()"
                r"|shutdown\b|declare @|grant \w{1,20} )",
            ),
            (
                0.7,
                r"(?<![\w.])(?:pg_sleep|benchmark|dbms_pipe\.receive_message|dbms_lock\.sleep) ?\("
                r"|\bwaitfor (?:delay|time) ?['\"]",
            ),
            (0.55, r"(?:^|['\"\d)(,;=|&])sleep ?\( ?['\"]?\d"),
            (0.6, r"(?:['\"\d)] ?|\b(?:or|and|select|,) ?\(*)(?:sleep|if) ?\([^)]{0,60}(?:\d|sleep)"),
            (
                0.6,
                r"\binformation_schema\b|\bsys(?:objects|columns|databases)\b|@@(?:version|hostname|datadir|global)"
                r"|\bxp_cmdshell\b|\bload_file ?\(|\binto (?:out|dump)file\b|\bsqlite_(?:master|version)\b"
                r"|\bpg_catalog\b|\butl_(?:http|inaddr)\b|\bmysql\.user\b|\bpg_(?:user|shadow|read_file)\b",
            ),
            (0.6, r"\b(?:extractvalue|updatexml|xmltype|procedure analyse|make_set|elt|ctxsys\.drithsx\.sn) ?\("),
            (0.7, r"['\"`)\d] ?(?:order|group) by \d{1,3}(?: ?,| ?--| ?#|$)|['\")\d] ?having \d{1,9} ?[=<>]"),
            (0.45, r"(?:['\"\d=,]|\b(?:or|and|then|else)) ?\( ?select\b"),
            (0.5, r"\bselect\b[^;]{1,120}\bfrom\b[^;]{1,80}(?:--|#|/\*) ?$"),
            (0.4, r"\b(?:ch(?:a)?r|ascii|substr(?:ing)?|concat(?:_ws)?|unhex|hex|ord|mid) ?\([^)]{1,60}\)"),
            (0.35, r"\bcase when\b.{1,80}\bthen\b"),
            (0.6, r"\w'(?: ?\|\| ?| ?\+ ?)'\w|';? ?\|\| ?\(?select|'\|\|[a-z_.]{2,30}\("),
            (0.4, r"/\*![\d ]"),
        ),
        unbalanced=shapes(
            (0.8, r"['\"`]\)*;?(?: ?--[ +-]?|#| ?/\*)[^'\"]{0,20}$"),
            (0.7, r"['\"`] ?\)* ?(?:or|and|\|\||&&) ?\(*(?:true|false|not|null|exists|\d)"),
            (0.5, r"^[\w-]{0,40}['\"`]\)*;?$"),
        ),
    ),
)
