"""Template and expression injection: SSTI, EL, OGNL, and lookups such as Log4j's."""

from __future__ import annotations

from apisec.detectors.base import SignalDetector, linear, shapes

# The last of a run of brackets opens: asking what follows each of thousands would take too long.
_OPEN = r"(?:\{\{(?!\{)|\$\{|#\{|<%=?|\*\{|@\(|%\{|\{%|\[\[(?!\[))"

SIGNALS = (
    SignalDetector(
        "injection.template",
        linear(r"\{\{|\$\{|#\{|<%|\*\{|@\(|%\{|\{%|<#|#set|\[\[|freemarker|__class__"),
        shapes(
            (0.95, r"\$\{[^}]{0,60}jndi|\$\{(?:::-|[\w:]{1,20}:-|lower:|upper:|env:|sys:|date:)[^}]{0,40}\}?"),
            (0.9, _OPEN + r"-? ?\(?\d{1,9} ?[*+-] ?['\"]?\d{1,9}['\"]?\)? ?-?(?:\}|%>|\)|\])"),
            (
                0.9,
                _OPEN + r"[^}]{0,120}(?:__class__|__mro__|__globals__|__subclasses__|__builtins__|__init__|\blipsum\b"
                r"|\bcycler\b|\bconfig\.|self\._|request\.application|constructor|getclass|forname\(|runtime|processbuilder"
                r"|t\(java|java\.lang|freemarker|_self\.env|system\(|exec\(|popen|file_get_contents|@java)",
            ),
            (0.8, r"<#assign|<#include|freemarker\.template\.utility|#set ?\( ?\$|#include ?\(|\{php\}|\{\$smarty"),
            (0.75, r"\{\{ ?['\"][^'\"]{0,40}['\"] ?[*|.\[(]"),
            (0.7, r"\{% ?(?:import|include|debug|set|for) [^%]{0,80}(?:request|config|os|popen|self|__)"),
            (0.7, r"%\{ ?\(?#|#_memberaccess|@ognl|\(#(?:dm|cmd|context|_member)"),
            (0.6, r"\{\{ ?(?:config|self|settings|dump\(\)|app|request) ?(?:\}|\||\[|\.)"),
        ),
    ),
)
