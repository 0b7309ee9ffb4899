"""Template and expression injection: SSTI, EL, OGNL, SpEL."""

from __future__ import annotations

from apisec.attacks.base import attack

# The last of a run of brackets opens: asking what follows each of thousands would take too long.
_OPEN = r"(?:\{\{(?!\{)|\$\{|#\{|<%=?|\*\{|@\(|%\{|\{%|\[\[(?!\[)|~\{|\{(?=\d{1,9} ?\*))"

ATTACKS = (
    attack(
        "injection.template",
        "template",
        (0.9, _OPEN + r"[-=]? ?\(?\d{1,9} ?[*+] ?['\"]?\d{1,9}['\"]?\)? ?-?(?:\}|%>|\)|\])", "{", "<%", "@(", "[["),
        (
            0.9,
            _OPEN + r"[^}\n]{0,80}(?:__class__|__mro__|__globals__|__subclasses__|__builtins__|__init__|\blipsum\b"
            r"|\bcycler\b|\bconfig\.(?:items|from_|__)|self\._|request\.application|constructor|getclass"
            r"|forname\(|getruntime|runtime\.exec|processbuilder|t\(java|java\.lang|freemarker|_self\.env"
            r"|\bsystem\(|\bexec\(|popen|file_get_contents|@java|\brequire\("
            r"|\bprocess\.(?:mainmodule|binding|exit|kill|dlopen)|\bglobal\.process|response\.write)",
            "{",
            "<%",
            "@(",
            "[[",
        ),
        (
            0.8,
            r"freemarker\.template\.utility|\?new ?\( ?\)|#evaluate ?\(|\{/?php\}|\{\$smarty\.(?:version"
            r"|template_object)",
            "freemarker",
            "?new",
            "#evaluate",
            "php}",
            "{$",
        ),
        (
            0.75,
            r"\{\{ ?['\"][^'\"{}]{0,40}['\"]\.\w{3,20}\(|\{\{ ?dump\(|\{% ?debug ?%\}"
            r"|#set ?\( ?\$\w{1,20} ?= ?\d{1,9} ?\* ?\d",
            "{{",
            "debug",
            "#set",
        ),
        # Directives of templates that hosts let people write: evidence beside other evidence.
        (0.4, r"<#assign|<#include|#set ?\( ?\$|#include ?\(|\{literal\}", "<#", "#set", "#include", "{literal"),
        (
            0.75,
            r"\{\{ ?(?:['\"][^'\"]{0,40}['\"]|\[[^\]]{0,60}\]) ?(?:\* ?['\"\d]|\| ?(?:attr|map|filter|sort|reduce"
            r"|system|exec"
            r"|passthru)\b|\.(?:constructor|sub|_)|\[)",
            "{{",
        ),
        (0.75, r"(?:\.|\[['\"]?|\(['\"])__(?:class|mro|globals|subclasses|builtins|import)__|__import__\(", "__"),
        (
            0.7,
            r"\{% ?-?(?:import|include|debug|set|for|with|extends|macro) [^%]{0,80}(?:request|config|os|popen"
            r"|self|__|['\"]/|eval)",
            "{%",
        ),
        (
            0.75,
            r"%\{ ?\(?#|#_memberaccess|@ognl|\(#(?:dm|cmd|context|_member\w{0,12}|res|p|iswin)\s?[=.]|@java\."
            r"|#(?:request|session|parameters|application|context)[\[.]",
            "#",
            "@",
        ),
        (
            0.7,
            r"\{\{ ?(?:(?:config|self|settings|_self|url_for|get_flashed_messages|dump\(\))(?: ?\}| ?\||\["
            r"|\.(?:__|secret|env"
            r"|debug|db|aws))"
            r"|(?:app|request|this|range|\$on)[.\[]['\"]?(?:constructor|application|class|environ|cookies"
            r"|request|args|__|attr))",
            "{{",
        ),
        (0.5, r"^\W{0,3}\$\{@?[a-z_]{2,30}\([^)]{0,60}\)\}\W{0,3}$|\$\{@[a-z_]{2,30}\(", "${"),
        (
            0.65,
            r"\$\{(?:[^}]{0,40}(?:\.class\b|\bfacescontext|\bapplicationscope|sessionscope|\bt\("
            r"|new [a-z.]{4,40}\())",
            "${",
        ),
        (
            0.7,
            r"<%(?:=|!|@)? ?(?:(?:system|exec|eval|file|dir)(?! ?\.\w{1,30} ?-?%>)"
            r"|`|io\.|require|page |import|response|request|runtime"
            r"|new )",
            "<%",
        ),
    ),
)
