"""Takes a value apart as a database would: a letter a token, so that shapes of statements are shapes of strings.

A value is read in up to three ways: as it stands, as the rest of a literal in single quotes, and in double quotes or
backquotes, for a server puts it into one of them. Linear in the length: one expression, one pass, a bounded count.

s string   q string that is not closed   1 number   n name   f name of a function of databases   v @variable
& and, or   e comparison   o other operator   U union   E verb of a statement   k clause   K clause that asks for more
t system table   T true, false, null   c comment   j name or number right behind a string (prose: *don't*)
, ; ( ) . x as themselves
"""

from __future__ import annotations

import re
from typing import Dict, Iterator, List, Tuple

from apisec.attacks.quoting import unmentioned

MAX_TOKENS = 160
PROSE = 6  # names in a row are a sentence: no statement has as many
_PROSE_KINDS = ["n"] * PROSE
MAX_TEXT = 2_048  # characters of a value that are read

_TOKEN = re.compile(
    r"(?P<blank>[\s\x00\xa0]+)"
    r"|(?P<comment>--(?=[\s+-]|$|\W)|#(?!\w)|/\*(?!!))"
    r"|(?P<open>/\*!\d{0,6}|\*/)"
    r"|(?P<string>'(?:[^'\\]|\\.|'')*'|\"(?:[^\"\\]|\\.|\"\")*\"|`[^`]*`)"
    r"|(?P<rest>['\"`])"
    r"|(?P<number>0x[0-9a-f]+|0b[01]+|\d+(?:\.\d*)?(?:e[+-]?\d+)?|\.\d+)"
    r"|(?P<variable>@@?[\w$.]*)"
    r"|(?P<word>[^\W\d][\w$]*)"
    r"|(?P<and>&&|\|\|)"
    r"|(?P<compare><=>|<>|[<>!]=|:=|==?|[<>])"
    r"|(?P<operator>[!~^|&*+-])"
    r"|(?P<mark>[(),;.])"
    r"|(?P<other>.)",
    re.DOTALL,
)


def _words(kind: str, words: str) -> Dict[str, str]:
    return dict.fromkeys(words.split(), kind)


KINDS: Dict[str, str] = {
    **_words("&", "and or xor"),
    **_words("e", "like rlike regexp ilike between in is similar glob sounds"),
    **_words("o", "not div mod"),
    **_words("U", "union intersect except minus"),
    **_words(
        "E",
        "select insert update delete drop alter create truncate exec execute declare shutdown waitfor gra"
        "nt revoke merge"
        " replace call load handler rename attach pragma begin",
    ),
    **_words(
        "k",
        "from where into values set limit offset as on join case when then else end by all distinct using exists top",
    ),
    **_words("K", "having group order procedure"),
    **_words("T", "true false null default"),
    **_words(
        "t",
        "information_schema sysobjects syscolumns sysdatabases sqlite_master sqlite_schema pg_catalog pg_shadow pg_user"
        " pg_tables msysobjects msysaccessobjects all_tables user_tables dba_users mysql",
    ),
}
# Functions that hardly any text has before a parenthesis but one for a database.
FUNCTIONS = frozenset(
    _words(
        "f",
        "crypt_key gtid_subset raise_error regexp_substring sleepeachrow uuid_to_bin abs acos ascii asin"
        " atan avg benchmark bin bin_to_num cast ceil ceiling char char_length charindex chr "
        "coalesce compress concat concat_ws conv convert convert_tz cos count crc32 curdate current_database "
        "current_user currval curtime database databases date date_add date_format date_sub datediff db_name "
        "dbms_lock dbms_pipe decode default elt encode encrypt exp export_set extractvalue field find_in_set floor "
        "format found_rows from_base64 from_days from_unixtime generate_series get_lock getdate greatest "
        "group_concat hex host_name hour if ifnull iif inet_aton instr interval is_free_lock is_srvrolemember "
        "isnull json_extract json_keys last_insert_id lastval lcase least left length linestring ln load_extension "
        "load_file locate log lower lpad ltrim make_set makedate master_pos_wait max md5 mid min minute month "
        "monthname multipoint name_const newid nextval now nullif nvl oct octet_length opendatasource openrowset "
        "ord over password patindex pg_ls_dir pg_read_file pg_sleep pi point polygon position pow quarter quote "
        "rand randomblob rank repeat reverse right round row_count row_number rpad rtrim schema schema_name "
        "sec_to_time session_user sha sha1 sha2 sign sin sleep soundex sp_executesql space sqlite_version sqrt "
        "st_distance str_to_date strcmp strftime string_agg subdate substr substring substring_index sum suser_name "
        "suser_sname sys_eval sys_exec sysdate system_user tan time time_format time_to_sec timestamp to_base64 "
        "to_char to_days trim truncate ucase uncompress unhex unix_timestamp updatexml upper user user_name "
        "utc_date utl_http utl_inaddr uuid values varchar version week weekday xmltype xp_cmdshell xp_dirtree year "
        "yearweek zeroifnull",
    )
)
_CLOSERS = {"'": re.compile(r"(?:[^'\\]|\\.|'')*'"), '"': re.compile(r'(?:[^"\\]|\\.|"")*"'), "`": re.compile("[^`]*`")}
_BEFORE_ONE = tuple(" \t\n([{<,:=|+&")  # a literal: what has one of these before it begins
_GOES_ON = re.compile(r"\s{0,8}(?:/\*|[(/]|$|(?:all|distinct|select|by|\d))")
_PROSE = re.compile(
    r"(?!(?:or|and|xor|union|order|group|having|intersect|except|minus|procedure)(?![a-z])|(?:in|like|regexp|rlike)\()[^\W_]"
)
_PRIME = re.compile(r"(?<!\w)([a-z])'(?= [=+*/<>-] [\w(\\])")  # a derivative
# What follows verbs that English and programs have, too.
_OBJECTS = (
    "table|database|view|user|schema|index|function|procedure|trigger|login|role|column|type|sequence|if|or|unique"
    "|temp|temporary|global|alias|extension|operator|aggregate|session|system|all"
)
_FOLLOWED = {
    "delete": r"from|low_priority|quick|ignore|\w{1,40}\s{1,4}(?:from|where)",
    "insert": r"into|ignore|all|low_priority|\w{1,40}\s{0,4}(?=\(|values|select)",
    "update": r"[\w.`\"\[\]@]{1,60}(?:\s{1,4}(?:as\s{1,4})?\w{1,20})?\s{1,4}set",
    "drop": rf"(?:{_OBJECTS})|\w{{1,40}}(?=\s{{0,4}}(?:;|--|#|$))",
    "create": _OBJECTS,
    "alter": _OBJECTS,
}
_FOLLOWED_BY = {
    verb: re.compile(rf"\s{{0,4}}(?:/\*|$|[(@*'\"`])|\s{{1,4}}(?:{shape})(?:\b|(?<=\W))")
    for verb, shape in _FOLLOWED.items()
}
# A list of words that no *from* ends is a sentence.
_FOLLOWED_BY["select"] = re.compile(
    r"(?!\s{1,4}(?!(?:all|distinct|top|case|not|exists|if|null)\b)[a-z]{1,20}\s{1,3}"
    r"(?!(?:from|into|as|where|union|when|case|limit|order|group|and|or|in|is|like)\b)[a-z]{2,20}\b(?!\s{0,3}(?:,|\(|\.\w|from\b)))"
)
_NEXT_IS_CALL = re.compile(r"\s{0,8}(?:/\*[^*]{0,40}\*/)?\(")


def ways(text: str, bare: bool = True) -> Iterator[Tuple[str, str, bool]]:
    """Yield each way of reading a value: the quote that it may stand in (none first), its tokens, whether it is odd.

    A quote with a letter right behind it, as in *don't*, ends no literal unless a word of the language follows. Odd is
    a literal that would end where one begins: a blank or a bracket stands before its quote.
    """
    text = text[:MAX_TEXT]
    if bare:
        yield "", _read(text, 0, []), False
    if "'" not in text and '"' not in text and "`" not in text:
        return
    text = unmentioned(_PRIME.sub(r"\1", text) if "' " in text else text)
    for quote, closer in _CLOSERS.items():
        if quote in text:
            closed = closer.match(text)
            if closed is not None and not _PROSE.match(text, closed.end()):
                before = text[: closed.end() - 1]
                odd = before[-1:] in _BEFORE_ONE and bool(before.strip())
                yield quote, _read(text, closed.end(), ["s"]), odd


def _read(text: str, start: int, kinds: List[str]) -> str:
    """Return the kinds of the tokens from ``start`` on."""
    at = start
    while at >= 0:
        at = _read_on(text, at, kinds)
    return "".join(kinds)


def _read_on(text: str, start: int, kinds: List[str]) -> int:
    """Read up to a comment or the end; return where reading goes on, -1 where it does not."""
    for match in _TOKEN.finditer(text, start):
        name = match.lastgroup
        if name == "blank" or name == "open":
            continue
        if name == "comment":
            return _behind(text, match.end(), match.group() == "/*", kinds)
        if name == "rest":
            kinds.append("q")
            return -1
        kind = _kind(name or "", match.group(), text, match.start(), match.end(), kinds)
        kinds.append(kind)
        if len(kinds) >= MAX_TOKENS or (kind == "n" and kinds[-PROSE:] == _PROSE_KINDS):
            return -1
    return -1


def _behind(text: str, at: int, within: bool, kinds: List[str]) -> int:
    """Return what is behind a comment that began before ``at``; one ``within`` that ends is a blank."""
    closing = text.find("*/", at) if within else text.find("\n", at)
    if within and closing >= 0:
        return closing + 2
    kinds.append("c")
    return -1 if closing < 0 or len(kinds) >= MAX_TOKENS else closing + 1


def _kind(name: str, token: str, text: str, at: int, end: int, kinds: List[str]) -> str:
    glued = at > 0 and bool(kinds) and kinds[-1] == "s" and text[at - 1] in "'\"`"
    if name == "word":
        kind = KINDS.get(token)
        called = kind == "e" and text.startswith("(", end)
        if (
            glued
            and not called
            and (kind is None or kind in "koeTE" or (kind in "UK" and not _GOES_ON.match(text, end)))
        ):
            return "j"
        if kind is None:
            if token in FUNCTIONS and _NEXT_IS_CALL.match(text, end):
                return "f"
            return "t" if token.startswith(("pg_", "xp_", "sp_", "dbms_", "utl_")) else "n"
        followed = _FOLLOWED_BY.get(token)
        if followed is not None and not followed.match(text, end):
            return "n"
        return "n" if kind in "kE" and text[end : end + 1] == "." else kind
    if name == "number":
        return "j" if glued else "1"
    if name == "mark":
        return token
    return {"string": "s", "variable": "v", "and": "&", "compare": "e", "operator": "o"}.get(name, "x")
