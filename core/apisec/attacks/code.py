"""Code of PHP, Node.js and Java in a value: calls and names that only a program has use for."""

from __future__ import annotations

import base64
import re
from typing import Iterator, List

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
    r"|png|wbmp)|int(?:div|val)|getopt|ftp_\w{3,12}|sprintf|urldecode|rawurldecode|json_decode|exec)"
)
_PHP_NAMED = (
    r"(?:__halt_compiler|base64_decode|bzdecompress|call_user_(?:func|method)(?:_array)?"
    r"|convert_uudecode|get_class_(?:methods|vars)|get_defined_(?:constants|functions)|invokeargs"
    r"|pcntl_fork|posix_get(?:cwd|pwuid|uid|gid)|posix_uname|reflectionfunction|sys_get_temp_dir"
    r"|gzdecode|create_function|file_get_contents|file_put_contents"
    r"|fsockopen|pfsockopen|shell_exec|pcntl_exec|proc_open|move_uploaded_file|escapeshellarg"
    r"|escapeshellcmd|gzinflate|gzuncompress|str_rot13|php_uname|"
    r"phpinfo|show_source|highlight_file|set_include_path|unserialize|get_defined_vars|getallheaders"
    r"|preg_replace_callback|passthru|popen|parse_ini_file|array_diff_ukey|func_get_args|session_start"
    r"|stripslashes|readgzfile|gzopen|gzread|gzwrite|gzpassthru)"
)
_PHP_SETTINGS = (
    r"(?:allow_url_(?:fopen|include)|auto_(?:append|prepend)_file|disable_(?:classes|functions)"
    r"|display_errors|open_basedir|safe_mode(?:_\w{3,18})?|register_globals|magic_quotes_\w{3,8}"
    r"|session\.\w{4,24}|opcache\.\w{4,24}|extension_dir"
    r"|error_(?:log|reporting|(?:ap|pre)pend_string)|include_path|short_open_tag|suhosin\.\w{4,30}"
    r"|upload_(?:tmp_dir|max_filesize)|user_dir|variables_order|zend\.\w{4,16}|mail\.(?:add_x_header"
    r"|log)|cgi\.\w{4,20}|assert\.\w{4,12}|arg_separator\.\w{5,6}"
    r"|date\.timezone|engine|expose_php|file_uploads|html_errors|log_errors|max_(?:execution"
    r"|input)_\w{4,14}|memory_limit|output_(?:buffering|handler)|post_max_size|sendmail_(?:from|path)"
    r"|sql\.safe_mode|unserialize_callback_func|url_rewriter\.tags|xmlrpc_errors?)"
)
_VARIABLE = r"\$(?:[a-z_\x7f-\xff]\w{0,40}|\s{0,3}\{[^}]{1,60}\})"
_GAP = r"(?:\s|/\*.{0,40}?\*/|(?://|#)[^\n]{0,40}\n){0,4}"
_INDEX = rf"(?:{_GAP}[\[{{][^\]}}\n]{{1,60}}[\]}}]){{0,4}}"
# Member by member of bounded length; nothing after it can match what it took.
_CALL = rf"{_VARIABLE}{_INDEX}(?:{_GAP}(?:->|::)\$?\w{{1,40}}{_INDEX}){{0,3}}{_GAP}\([^)\n]{{0,200}}\)"

_NAME = re.compile(r"(?<![\w.>$-])[a-z]\w{2,30}$")
_SURE = re.compile(_PHP_SURE)
_BEFORE = "=;({[,@!&|.'\"<?+*~"  # what stands before a call in code; in prose it is a blank
MAX_CALLS = 60


def _php(text: str) -> Iterator[float]:
    at = -1
    for _ in range(MAX_CALLS):
        at = text.find("(", at + 1)
        if at < 0:
            return
        called = _NAME.search(text[max(0, at - 36) : at].rstrip())
        if called is None or not _SURE.fullmatch(called.group()):
            continue
        before = text[:at].rstrip()[: -len(called.group())].rstrip()[-1:]
        argument = text[at + 1 : at + 5].lstrip()[:1]
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
        r"\$_(?:get|post|request|cookie|server|env|files|session)\b|\$\{?globals\b|\$(?:http_(?:get|post"
        r"|server|cookie|env)_vars|php_self|argv|argc)\b|_(?:globals|server|request)\[|\$_\w{3,8}\[",
        "$",
        "_globals[",
        "_server[",
        "_request[",
    ),
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
    ),
    (
        0.65,
        rf"(?:^|[&;\s]){_PHP_SETTINGS}\s{{0,3}}=|^{_PHP_SETTINGS}$",
        "engine",
        "allow_url",
        "_file",
        "disable_",
        "_errors",
        "open_basedir",
        "safe_mode",
        "register_g",
        "magic_q",
        "session.",
        "opcache.",
        "_dir",
        "error_",
        "_path",
        "short_open",
        "suhosin",
        "upload_",
        "variables_",
        "zend.",
        "mail.",
        "cgi.",
        "assert.",
        "separator",
        "timezone",
        "expose_php",
        "uploads",
        "max_",
        "memory_l",
        "output_",
        "post_max",
        "sendmail",
        "sql.safe",
        "unserialize",
        "rewriter",
        "xmlrpc",
    ),
    (0.75, _CALL, "$"),
    (
        0.7,
        r"\(\s{0,3}(?:/\*.{0,30}?\*/)?\s{0,3}[\[({]?\s{0,3}[\"']?(?:system|exec|shell_exec|passthru|assert"
        r"|eval|phpinfo|popen|uname|file_get_contents)[\"']?\s{0,3}[\])}]?\s{0,3}(?:\[\s{0,3}\d\s{0,3}\])?"
        r"\s{0,3}[)\]]\s{0,3}[({\[]",
        "(",
    ),
    (
        0.7,
        r"\[\s{0,3}[\"']?(?:system|exec|shell_exec|passthru|assert|eval"
        r"|phpinfo)[\"']?\s{0,3}\]\s{0,3}\[\s{0,3}\d\s{0,3}\]\s{0,3}\(",
        "[",
    ),
    (
        0.7,
        r"\(\s{0,3}[\"'][a-z_\\]{1,24}[\"']\s{0,3}\.?\s{0,3}(?:[\"'][a-z_\\]{1,24}[\"'])?\s{0,3}\)\s{0,3}"
        r"\(",
        "(",
    ),
    (
        0.7,
        r"^[^\s]{0,120}\.(?:php\d?|phtml|phar|pht|php-s|inc\.php)(?:[.~/\\\s]{0,30}|\.(?:jpe?g|png|gif"
        r"|txt))$",
        ".ph",
    ),
    (0.8, r"\bphp://(?:std(?:in|out|err)|(?:in|out)put|fd|memory|temp|filter)", "php://"),
    judge=_php,
    judged=("(",),
)

NODE = attack(
    "injection.node",
    "code",
    (
        0.85,
        r"\brequire\s{0,3}[(\[]\s{0,3}(?:['\"`](?:child_process|fs|net|http|https|os|vm|path|dns|cluster"
        r"|util|node:\w{2,14})|req\.)|child_process|require\.main",
        "require",
        "child_process",
    ),
    (
        0.8,
        r"\bprocess\s{0,3}(?:\.\s{0,3}|\[\s{0,3}['\"`]?)(?:binding|env|mainmodule|exit|kill|argv|cwd"
        r"|constructor|stdout|chdir|dlopen|platform|version|req\.)",
        "process",
    ),
    (
        0.65,
        r"\bconsole\s{0,3}(?:\.\s{0,3}|\[\s{0,3}['\"`])(?:debug|error|info|log|trace"
        r"|warn)(?:['\"`]\s{0,3}\])?\s{0,3}(?:\.\s{0,3}(?:call|apply|bind)|[(`])",
        "console",
    ),
    (0.7, r"\bmodule\.exports\s{0,3}=|\bmodule\s{0,3}\[\s{0,3}['\"`]exports", "module"),
    (
        0.8,
        r"\bconstructor\s{0,3}(?:\.|\[\s{0,3}['\"`])\s{0,3}(?:constructor|_load|prototype)"
        r"|\bconstructor\s{0,3}\(\s{0,3}['\"`]",
        "constructor",
    ),
    (0.65, r"\bnew\s{1,4}function\s{0,3}\(|\bfunction\s{0,3}\(\s{0,3}\)\s{0,3}\{", "function"),
    (
        0.7,
        r"\b(?:exec|spawn|execfile|fork)(?:sync)?\s{0,3}\(\s{0,3}['\"`](?:/|\w{1,12}(?:\s|['\"`]))"
        r"|\.(?:readdir|readfile|writefile|unlink)(?:sync)?\s{0,3}\(",
        "spawn",
        "exec",
        "fork",
        "readdir",
        "readfile",
        "writefile",
        "unlink",
    ),
    (
        0.7,
        r"\bglobal(?:this)?\s{0,3}(?:\.\s{0,3}|\[\s{0,3}['\"`])(?:process|require|eval|constructor)"
        r"|\bimport\s{0,3}\(\s{0,3}['\"`](?:fs|child_process|os|node:)",
        "global",
        "import",
    ),
    (0.65, r"\beval\s{0,3}\(\s{0,3}(?:string\.|atob|buffer|unescape|req\.)", "eval"),
)

# Classes of known chains of deserialisation, and what runs commands.
_GADGETS = (
    "clonetransformer",
    "forclosure",
    "instantiatefactory",
    "instantiatetransformer",
    "invokertransformer",
    "prototypeclonefactory",
    "prototypeserializationfactory",
    "whileclosure",
    "processbuilder",
    "getproperty",
    "filewriter",
    "xmldecoder",
)
_GADGET = "|".join(_GADGETS)


def encoded(word: str) -> List[str]:
    """Return what base64 makes of a word at each of the three places where it may begin, as far as that is certain."""
    found = []
    for shift in range(3):
        text = base64.b64encode(b"\0" * shift + word.encode()).decode().rstrip("=")
        first = (0, 2, 3)[shift]  # of its own characters only
        last = len(text) - (1 if (shift + len(word)) % 3 else 0)
        found.append(text[first:last])
    return found


# In the capitals of the class and in none; values come in lower case here, and so do these.
_CLASSES = (
    "CloneTransformer",
    "ForClosure",
    "InstantiateFactory",
    "InstantiateTransformer",
    "InvokerTransformer",
    "PrototypeCloneFactory",
    "PrototypeSerializationFactory",
    "WhileClosure",
    "ProcessBuilder",
    "Runtime",
)
_FORMS = [code.lower() for name in _CLASSES for form in (name, name.lower()) for code in encoded(form)]
ENCODED = tuple(sorted({code for code in _FORMS if len(code) >= 8}))
_PACKAGE = (
    r"(?:java\.(?:io|lang|net|nio|rmi|security|sql|util\.(?:jar|zip|logging|concurrent))|javax\.(?:el"
    r"|faces|imageio|management|naming|persistence|script|servlet|swing|xml)|org\.(?:omg\.corba"
    r"|apache\.(?:commons\.(?:collections|beanutils)|struts2?|tomcat|logging|xalan)|springframework"
    r"|codehaus\.groovy|hibernate|jboss|mozilla\.javascript)|com\.(?:sun|opensymphony|mchange|mysql)"
    r"|sun\.(?:rmi|reflect|misc)|groovy|clojure|freemarker\.template|ognl)"
)
_CLASS = rf"{_PACKAGE}(?:\.[a-z]\w{{0,50}}){{0,5}}"
_EXCEPTION = re.compile(r"(?:exception|error|failure|timeout)$")
_ALONE = re.compile(rf"^[\s'\"`\[(;=]{{0,4}}(?:\w{{1,20}}=)?({_CLASS})[\s'\"`\]);]{{0,4}}$")


def _java(text: str) -> Iterator[float]:
    match = _ALONE.match(text) if len(text) <= 200 else None
    if match is not None and not _EXCEPTION.search(match.group(1)):
        yield 0.55
    if len(text) <= 4_096 and " " not in text:
        for code in ENCODED:
            if code in text and (len(code) >= 12 or len(text) <= 24):
                yield 0.6
                break


_DANGEROUS = r"(?:runtime|processbuilder|classloader|scriptengine(?:manager)?|urlclassloader|unsafe)"
JAVA = attack(
    "injection.java",
    "code",
    (
        0.75,
        r"\b(?:java\.)?(?:lang\.)?runtime\s{0,3}(?:\)|\.)\s{0,3}(?:getruntime|exec)|getruntime\s{0,3}\("
        r"|\.getclass\s{0,3}\(|class\.forname\s{0,3}\(|newinstance\s{0,3}\(",
        "runtime",
        "getclass",
        "forname",
        "newinstance",
    ),
    (
        0.7,
        rf"\b(?:runtime|processbuilder|java)\b.{{0,60}}(?:{_GADGET})|(?:{_GADGET}).{{0,60}}\b(?:runtime"
        rf"|processbuilder)\b",
        "runtime",
        "processbuilder",
        "java",
    ),
    (
        0.65,
        r"^\W{0,4}(?:\w{1,30}=)?\W{0,2}(?:java\.)?(?:lang\.)?(?:evil\.)?(?:runtime"
        r"|processbuilder)(?:[.\s]\w{1,40}){0,3}\W{0,4}$|^\W{0,4}java[.\s](?:\w{1,20}\.)?(?:runtime"
        r"|processbuilder|lang\.class)",
        "runtime",
        "processbuilder",
        "java",
    ),
    (
        0.6,
        rf"\bnew\s{{1,4}}(?:{_CLASS})\s{{0,3}}\(|\b{_PACKAGE}\.{_DANGEROUS}\b\s{{0,3}}[.(@]"
        rf"|@{_PACKAGE}[.\w]{{1,60}}@",
        "java",
        "com.",
        "org.",
        "sun.",
    ),
    (
        0.7,
        r"class(?:\.|\[['\"]?)(?:module\.)?classloader|\bclassloader\.(?:resources|urls|parent)"
        r"|class\.module\.",
        "classloader",
        "class.module",
    ),
    (0.6, r"\.exec\s{0,3}\(\s{0,3}(?:new\s|['\"])|processbuilder\s{0,3}\(", ".exec", "processbuilder"),
    judge=_java,
    judged=(
        "java",
        "org.",
        "com.",
        "sun.",
        "runtime",
        "processbuilder",
        "transformer",
        "closure",
        "getclass",
        "classloader",
        "groovy",
        "clojure",
        "ognl",
        "factory",
        "xmldecoder",
        "freemarker",
        *ENCODED,
    ),
)

ATTACKS = (PHP, NODE, JAVA)
