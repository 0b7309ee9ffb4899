"""Code of PHP in a value: calls, names and settings that only a program has use for."""

from __future__ import annotations

import re
from functools import lru_cache
from itertools import islice
from typing import Iterator

from apisec.attacks.base import attack

# Functions of PHP that run code or commands, read or write files, or tell about the server.
_PHP_SURE = (
    r"(?:base64_(?:de|en)code|call_user_func(?:_array)?|create_function|curl_(?:exec|init|setopt)"
    r"|error_log|escapeshell(?:arg|cmd)|eval|exif_(?:read_data|imagetype)|file_(?:get|put)_contents"
    r"|f(?:get(?:c|ss?)|put(?:s|csv)|passthru|sockopen|write|open|read|scanf)|func_get_args?"
    r"|get(?:_(?:cfg_var|current_user|defined_(?:vars|functions|constants))|allheaders|cwd|env"
    r"|hostby(?:addr|namel?)|lastmod|my(?:gid|inode|pid|uid)|rusage|servby\w{4})"
    r"|gz(?:open|read|write|file|inflate|uncompress|passthru|compress|decode|encode)|highlight_(?:file"
    r"|string)|html_entity_decode|ini_(?:get|set)(?:_all)?|is_(?:callable|dir|executable|file|readable"
    r"|uploaded_file|writ\w{4,7})"
    r"|move_uploaded_file|mysqli?_\w{4,20}|ob_(?:start|get_\w{4,10}|end_\w{4,8}|clean)|opendir"
    r"|parse_(?:ini_file|str)|passthru|pcntl_\w{3,12}|pfsockopen|pg_(?:connect|query|execute)"
    r"|php_(?:ini_\w{6,14}|strip_whitespace|uname|sapi_name)|phpinfo|phpversion"
    r"|popen|posix_\w{4,14}|preg_(?:\w{4,16})|print_r|proc_(?:close|get_status|nice|open|terminate)"
    r"|putenv|readdir|readfile|readgzfile|readlink|rmdir|scandir|session_\w{4,12}|set(?:env"
    r"|_include_path|locale)|shell_exec|show_source|sqlite_\w{4,10}"
    r"|stream_(?:context_create|get_\w{4,10}|socket_\w{4,8})|str(?:_rot13|rev|ipslashes)|symlink"
    r"|sys_get_temp_dir|system|tempnam|tmpfile|uasort|usort|unserialize|unlink|var_dump"
    r"|xml_parse\w{0,14}|zip_(?:open|read)|array_(?:map|filter|walk|diff_\w{4,8}|u\w{4,14})"
    r"|allow_url_\w{4,7}|assert(?:_options)?|apache_\w{4,14}|audiofile|bzopen|chroot|chgrp|chown"
    r"|disk_(?:free|total)_space|dbase_open|fileperms|fileowner|gethostname|iptcembed|iterator_apply"
    r"|ldap_\w{4,8}|mb_ereg\w{0,16}|odbc_\w{4,12}"
    r"|register_(?:shutdown|tick)_function|settype|spl_autoload\w{0,10}|wincache_\w{4,14}"
    r"|xdebug_\w{4,14}|executor|serialize|md5_file|sha1_file|hash_file|image(?:create\w{0,16}|gif|jpeg"
    r"|png|wbmp)|wp_(?:safe_)?remote_\w{3,8}|zlib_decode|ctype_\w{4,6}|date_\w{3,20}|dns_\w{6,12}|filter_(?:input"
    r"|var)\w{0,8}"
    r"|forward_static_call\w{0,6}|get(?:protobyn\w{3,6}|type|randmax|image\w{4,20})|hash_\w{3,12}"
    r"|iterator_\w{5,8}|json_encode"
    r"|mb_\w{3,24}|mcrypt_\w{4,20}|mysql_\w{4,20}|openssl_\w{4,20}|readline\w{0,24}|realpath\w{0,12}"
    r"|simplexml_\w{8,12}"
    r"|socket_\w{4,14}|spl_\w{4,20}|str_(?:getcsv|ireplace|pad|repeat|replace|shuffle|split|word_count)"
    r"|substr_\w{5,8}"
    r"|timezone_\w{6,24}|token_(?:get_all|name)|trigger_error|utf8_(?:de|en)code|var_export|vs?printf|fprintf"
    r"|zip_entry_\w{4,20}"
    r"|array_\w{3,20}|class_\w{6,12}|constant|debug_\w{8,16}|define(?:d|_syslog_variables)?|extract"
    r"|function_exists|eregi?\w{0,8}"
    r"|import_request_variables|is_(?:a|file|link|subclass_of)|leak|link|lstat|m_\w{4,20}|method_exists"
    r"|mhash\w{0,12}"
    r"|nl_langinfo|opcache_\w{5,20}|phpcredits|property_exists|recode\w{0,8}|restore_\w{10,18}"
    r"|set_(?:error_handler|exception_handler"
    r"|file_buffer|magic_quotes_runtime|time_limit)|sleep|usleep|str2\w{2,8}|syslog|sys_\w{6,16}|umask|virtual"
    r"|w32api_\w{6,20}"
    r"|xmlrpc_\w{6,24}|yaml_\w{4,10}|int(?:div|val)|getopt|ftp_\w{3,12}|sprintf|urldecode|rawurldecode"
    r"|json_decode|exec)"
)
_PHP_NAMED = (
    r"(?:__halt_compiler|(?:include|require)_once|base64_decode|bzdecompress|call_user_(?:func|method)(?:_array)?"
    r"|convert_uudecode|get_class_(?:methods|vars)|get_defined_(?:constants|functions)|invokeargs"
    r"|pcntl_fork|posix_get(?:cwd|pwuid|uid|gid)|posix_uname|reflectionfunction|sys_get_temp_dir"
    r"|gzdecode|create_function|file_get_contents|file_put_contents"
    r"|fsockopen|pfsockopen|shell_exec|pcntl_exec|proc_open|move_uploaded_file|escapeshellarg"
    r"|escapeshellcmd|gzinflate|gzuncompress|str_rot13|php_uname|"
    r"phpinfo|show_source|highlight_file|set_include_path|unserialize|get_defined_vars|getallheaders"
    r"|preg_replace_callback|passthru|popen|parse_ini_file|array_diff_ukey|func_get_args|session_start"
    r"|stripslashes|readgzfile|gzopen|gzread|gzwrite|gzpassthru|apache_child_terminate|zlib_decode"
    r"|wp_(?:safe_)?remote_(?:fopen"
    r"|get|head|post|request)|register_shutdown_function|call_user_func|ob_start|posix_\w{4,10}|proc_(?:nice"
    r"|terminate)"
    r"|php_(?:sapi_name|ini_loaded_file))"
)
# Settings of php.ini: those of extensions by what stands before the dot, the others by their names.
_PHP_SETTINGS = (
    r"(?:(?:apc|assert|bcmath|birdstep|cgi|cli_server|com|exif|fastcgi|gd|geoip|highlight|ibase|ibm_db2|iconv"
    r"|imagick|intl"
    r"|mail|mailparse|mbstring|mcrypt|memcached?|msql|mssql|mysqli?|mysqlnd\w{0,4}|oci8|odbc|odbtp|opcache"
    r"|openssl|pcre"
    r"|pdo_\w{2,6}|pfpro|pgsql|phar|pm|runkit|session|soap|sqlite3?|suhosin|syb(?:ase|ct)|sysvshm|tidy"
    r"|uploadprogress"
    r"|valkyrie|vld|wincache|windows_show|xdebug|xmlrpc|xmms|xsl|yaz|zend|zlib)\.[a-z][\w.]{2,40}"
    r"|date\.(?:timezone|default_l\w{7,8}|sun\w{3,4}_zenith)|filter\.default(?:_flags)?|url_rewriter\.tags"
    r"|sql\.safe_mode"
    r"|arg_separator\.\w{5,6}|unserialize_\w{8,14}|dba\.default_handler|ldap\.max_links"
    r"|allow_(?:url_(?:fopen|include)|call_time_pass_reference|webdav_methods)|always_populate_raw_post_data"
    r"|asp_tags"
    r"|auto_(?:append_file|detect_line_endings|globals_jit|prepend_file)|browscap|default_(?:charset|mimetype"
    r"|socket_timeout)"
    r"|define_syslog_variables|disable_(?:classes|functions)|display(?:_startup)?_errors|doc(?:_root|ref_(?:ext"
    r"|root))"
    r"|enable_(?:dl|post_data_reading)|engine|error_(?:log|reporting|(?:ap|pre)pend_string)|exit_on_timeout"
    r"|expose_php"
    r"|extension(?:_dir)?|file_uploads|hard_timeout|html_errors|ignore_(?:repeated_(?:errors|source)|user_abort)"
    r"|implicit_flush|include_path|last_modified|log_errors(?:_max_len)?|magic_quotes_\w{3,8}"
    r"|max_(?:execution_time|file_uploads"
    r"|input_(?:nesting_level|time|vars))|memory_limit|open_basedir|output_(?:buffering|encoding|handler)"
    r"|post_max_size|precision"
    r"|realpath_cache_\w{3,4}|register_(?:argc_argv|globals|long_arrays)|report_(?:memleaks|zend_debug)"
    r"|request_order"
    r"|safe_mode(?:_\w{3,18})?|sendmail_(?:from|path)|serialize_precision|short_open_tag|smtp_port|sys_temp_dir"
    r"|track_errors"
    r"|upload_(?:max_filesize|tmp_dir)|user_(?:dir|ini\.\w{6,10})|variables_order|xbithack|xmlrpc_error\w{1,10}"
    r"|y2k_compliance|zend_extension\w{0,9})"
)
_VARIABLE = r"\$[a-z_\x7f-\xff]\w{0,40}"
_BRACED = r"\$\s{0,3}\{[^}]{1,60}\}(?=[\[{(])"  # no blank behind it: ${minutes} (or so) is a template's
_GAP = r"(?:\s|/\*.{0,40}?\*/|(?://|#)[^\n]{0,40}\n){0,4}"
_INDEX = rf"(?:{_GAP}[\[{{][^\]}}\n]{{1,60}}[\]}}]){{0,4}}"
_CALL = (
    rf"(?<!foreach my )(?<!for my )(?<!foreach )(?<!for )(?!\$tc?\()(?:{_VARIABLE}"
    rf"|{_BRACED}){_INDEX}{_GAP}\([^)\n]{{0,200}}\)"
)

_RUNNING = ("system", "exec", "passthru", "assert", "eval", "phpinfo", "popen")
_CALLED = re.compile(r"(?<![\w.>$-])([a-z]\w{2,30})\s{0,9}\(")
_SURE = re.compile(_PHP_SURE)
_NATURAL = frozenset(
    ("sleep", "link", "extract", "define", "defined", "constant", "leak", "virtual", "system", "assert")
)
_SETTING = re.compile(_PHP_SETTINGS)
_ASSIGNED = re.compile(r"(?:^|(?<=[&;\s\"']))([a-z][\w.]{4,44})\s{0,3}=(?!=)")
_BEFORE = "=;({[,@!&|.'\"<?+*~"  # what stands before a call in code; in prose it is a blank
MAX_CALLS = 60


@lru_cache(maxsize=4096)
def _is_setting(name: str) -> bool:
    return _SETTING.fullmatch(name) is not None


@lru_cache(maxsize=4096)
def _is_function(name: str) -> bool:
    return _SURE.fullmatch(name) is not None


def _php(text: str) -> Iterator[float]:
    if "=" in text and any(_is_setting(match.group(1)) for match in islice(_ASSIGNED.finditer(text), MAX_CALLS)):
        yield 0.65
    for called in islice(_CALLED.finditer(text), MAX_CALLS):
        name, at = called.group(1), called.end()
        if not _is_function(name):
            continue
        before = text[: called.start()].rstrip()[-1:]
        argument = text[at : at + 4].lstrip()[:1]
        if text[at - 2].isspace() and name in _NATURAL and argument not in "$'\"@":
            continue  # Sleep (8 hours)
        if not before and len(text) <= 160 and "\n" not in text:
            yield 0.55
            return
        if (not before or before in _BEFORE) and (argument in "$'\"@)" or argument.isalnum()):
            yield 0.65
            return


PHP = attack(
    "injection.php",
    "code",
    (0.9, r"<\?(?:php|=|\s|$|\w{2,20}\()|<\?(?!xml)[a-z]{0,3}\b|\[/?php\]|^<\?$", "<?", "[php]", "[/php]"),
    (
        0.8,
        r"\$_(?:get|post|request|cookie|server|env|files|session)\b|\$\{?globals\b|\$(?:http_(?:(?:get|post"
        r"|server|cookie|env|request)_vars|post_files|raw_post_data)|php_self|argv|argc)\b|_(?:globals|server"
        r"|request)\[|\$_\w{3,8}\[",
        "$",
        "_globals[",
        "_server[",
        "_request[",
    ),
    (0.8, r"\bchr\s?\(\s?\d{1,3}\s?\)\s?\.\s?chr\s?\(\s?\d", "chr"),  # a text that nobody is to read
    (
        0.75,
        rf"\b{_PHP_NAMED}\b",
        "base64_",
        "__halt",
        "bzdecompress",
        "_method",
        "uudecode",
        "get_class_",
        "invokeargs",
        "pcntl_",
        "posix_",
        "reflectionf",
        "temp_dir",
        "_func",
        "create_f",
        "_contents",
        "fsockopen",
        "_exec",
        "_open",
        "_uploaded_",
        "escapeshell",
        "gz",
        "_rot13",
        "php",
        "show_source",
        "_file",
        "set_include",
        "unserialize",
        "get_defined",
        "allheaders",
        "_callback",
        "passthru",
        "popen",
        "_ukey",
        "session_",
        "stripslashes",
        "apache_child",
        "zlib_decode",
        "wp_",
        "register_shut",
        "ob_start",
        "proc_",
        "_once",
    ),
    (
        0.65,
        rf"^(?!engine|precision|extension|smtp|mail\.|pm\.|com\.|session\.){_PHP_SETTINGS}$",
        "allow_",
        "always_pop",
        "asp_tags",
        "auto_",
        "default_",
        "define_sys",
        "disable_",
        "display_",
        "doc_root",
        "docref",
        "enable_",
        "error_",
        "exit_on",
        "expose_",
        "extension_",
        "file_uploads",
        "hard_timeout",
        "html_errors",
        "ignore_",
        "implicit_",
        "include_path",
        "last_modified",
        "log_errors",
        "magic_quotes",
        "max_",
        "memory_limit",
        "open_basedir",
        "output_",
        "post_max",
        "realpath_cache",
        "register_",
        "report_",
        "request_order",
        "safe_mode",
        "sendmail_",
        "serialize_",
        "short_open",
        "smtp_port",
        "sys_temp",
        "track_errors",
        "upload_",
        "user_",
        "variables_order",
        "y2k_",
        "zend",
        "opcache.",
        "xdebug.",
        "suhosin.",
        "mbstring.",
        "date.",
        "zlib.",
        "assert.",
        "cgi.",
        "cli_server.",
        "exif.",
        "gd.",
        "ibase.",
        "intl.",
        "mssql.",
        "oci8",
        "odb",
        "pcre.",
        "pdo_",
        "pgsql.",
        "phar.",
        "soap.",
        "sqlite",
        "syb",
        "tidy.",
        "url_rewriter",
        "arg_sep",
        "apc.",
        "fastcgi.",
        "highlight.",
        "iconv.",
        "mysql",
        "openssl.",
        "xsl.",
        "browscap",
        "xbithack",
        "xmlrpc",
        "filter.",
        "bcmath.",
        "birdstep.",
        "geoip.",
        "imagick",
        "mail",
        "mcrypt.",
        "memcache",
        "msql.",
        "pfpro.",
        "runkit.",
        "sysvshm.",
        "uploadprogress.",
        "valkyrie.",
        "vld.",
        "wincache.",
        "windows_show",
        "xmms.",
        "yaz.",
        "ldap.",
        "dba.",
        "sql.",
        "ibm_db2",
        "engine",
    ),
    # A call behind the end of a statement, and what hides the rest of it.
    (
        0.7,
        r"^(?:(?:\d{1,10}|[\w.-]{0,20}['\")\]}]{1,3})?\s{0,2};|[\w.-]{0,20}['\")\]}]{1,3} ?\.)"
        r"\s{0,2}@?[a-z_]\w{2,40}\s{0,2}\([^\n]{0,400}\)\s{0,2}"
        r"(?:;|\.['\"]|['\"]?\s{0,2}(?://|#|/\*))",
        ";",
        "'.",
        '".',
        ").",
        "].",
        "}.",
        "' .",
        '" .',
    ),
    (0.75, _CALL, "$"),
    # What shows that it was computed: a hash of a constant, printed.
    (
        0.8,
        r"\b(?:print|print_r|echo|die|exit|printf|var_dump)[\s(@]{1,3}md5\s?\(|\$\{@[a-z_]{2,20}\s?\(",
        "md5",
        "${@",
    ),
    (
        0.7,
        r"\(\s{0,3}(?:/\*.{0,30}?\*/)?\s{0,3}[\[({]?\s{0,3}[\"']?(?:system|exec|shell_exec|passthru|assert"
        r"|eval|phpinfo|popen|uname|file_get_contents)[\"']?\s{0,3}[\])}]?\s{0,3}(?:\[\s{0,3}\d\s{0,3}\])?"
        r"\s{0,3}[)\]]\s{0,3}[({\[]",
        *_RUNNING,
        "uname",
        "_contents",
    ),
    (
        0.7,
        r"\[\s{0,3}[\"']?(?:system|exec|shell_exec|passthru|assert|eval"
        r"|phpinfo)[\"']?\s{0,3}\]\s{0,3}\[\s{0,3}\d\s{0,3}\]\s{0,3}\(",
        *_RUNNING,
    ),
    (
        0.7,
        r"\(\s{0,3}[\"'][a-z_\\]{1,24}[\"']\s{0,3}\.?\s{0,3}(?:[\"'][a-z_\\]{1,24}[\"'])?\s{0,3}\)\s{0,3}"
        r"\(",
        "('",
        '("',
        "( '",
        '( "',
    ),
    (
        0.7,
        r"^[^\s]{0,120}\.(?:(?:php\d|phtml|phar|pht|php-s|inc\.php)[.~/\\\s]{0,30}|php[.~/\\\s]{1,30}"
        r"|ph\w{1,4}\.(?:jpe?g|png|gif"
        r"|txt))$",
        ".ph",
    ),
    (
        0.75,
        r"['\"](?:system|exec|shell_exec|passthru|assert|eval|phpinfo|popen|proc_open|call_user_func)['\"]\s{0,3}\(",
        *_RUNNING,
        "proc_open",
        "call_user",
    ),
    (0.8, r"\bphp://(?:std(?:in|out|err)|(?:in|out)put|fd|memory|temp|filter)", "php://"),
    judge=_php,
    judged=("(", "="),
)

ATTACKS = (PHP,)
