"""Code of Node.js and Java in a value: calls and names that only a program has use for."""

from __future__ import annotations

import base64
import re
from typing import Iterator, List

from apisec.attacks.base import attack

NODE = attack(
    "injection.node",
    "code",
    (
        0.85,
        r"\brequire\s{0,3}[(\[]\s{0,3}(?:['\"`](?:node:)?(?:child_process|vm|cluster|worker_threads|inspector)\b|req\.)"
        r"|\bchild_process\b(?!\.html)|require\.main\b",
        "require",
        "child_process",
    ),
    (
        0.6,
        r"^(?!\s{0,4}(?:const|let|var|import)\b)[^\n]{0,80}\brequire\s{0,3}[(\[]\s{0,3}['\"`](?:node:)?(?:fs|net|https?|os|dns)\b",
        "require",
    ),
    (
        0.8,
        r"\bprocess\s{0,3}(?:\.\s{0,3}|\[\s{0,3}['\"`]?)(?:binding|mainmodule|kill|constructor|chdir|dlopen|req\.)"
        r"|^\W{0,4}process\s{0,3}(?:\.\s{0,3}|\[\s{0,3}['\"`])(?:env|exit|argv|cwd|stdout|platform|version)\b",
        "process",
    ),
    (0.4, r"\bprocess\s{0,3}\.\s{0,3}(?:env|exit|argv|cwd|stdout|platform|version)\b", "process"),
    (
        0.55,
        r"^[^\n]{0,60}\bconsole\s{0,3}(?:\.\s{0,3}|\[\s{0,3}['\"`])(?:debug|error|info|log|trace"
        r"|warn)(?:['\"`]\s{0,3}\])?\s{0,3}(?:\.\s{0,3}(?:call|apply|bind)|[(`])",
        "console",
    ),
    (0.55, r"^[^\n]{0,60}\bmodule\.exports\s{0,3}=[^\n]{0,80}$|\bmodule\s{0,3}\[\s{0,3}['\"`]exports", "module"),
    (
        0.8,
        r"\bconstructor\s{0,3}(?:\.|\[\s{0,3}['\"`])\s{0,3}(?:constructor|_load|prototype)"
        r"|\bconstructor\s{0,3}\(\s{0,3}['\"`]",
        "constructor",
    ),
    (
        0.65,
        r"\bnew\s{1,4}function\s{0,3}\(|^\W{0,8}(?:_\$\$nd_func\$\$_)?function\s{0,3}\(\s{0,3}\)\s{0,3}\{|[;,'\"]\s?\(?function\s?\(\)\s?\{",
        "function",
    ),
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
    r"|apache\.(?:commons(?:\.(?:collections|beanutils|fileupload|configuration))?\b|struts2?|tomcat|logging|xalan)|springframework"
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
                yield 0.8 if len(code) >= 12 else 0.6  # 72 bits hardly come by chance
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

ATTACKS = (NODE, JAVA)
