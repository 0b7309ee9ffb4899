"""Path traversal, and files that no client asks a server for."""

from __future__ import annotations

from apisec.attacks.base import attack

_FILES = (
    r"(?:etc/(?:passwd|shadow|group|gshadow|hosts|issue|sudoers|crontab|fstab|motd|mysql|apache2?"
    r"|nginx|httpd|ssh|ssl|php|ld\.so|resolv\.conf|security|init\.d|profile|rc)"
    r"|proc/(?:self|version|cmdline|mounts|net|sched_debug|cpuinfo|\d{1,6})|var/(?:log|www/[\w./-]{0,80}\.(?:php|inc|env|conf|ini|bak|log)|lib/mysql"
    r"|mail|spool/cron|run/secrets)|usr/local/(?:apache|etc|nginx)|root/\.|home/\w{1,20}/\."
    r"|windows[/\\](?:win\.ini|system32|system\.ini|repair|panther|php\.ini)|winnt[/\\]|boot\.ini"
    r"|win\.ini|web-inf[/\\]|meta-inf/|web\.config|\.git/|\.svn/|\.hg/|\.env\b(?!\.)|(?:^|[/\\])\.env\.(?:local|old|orig|save|bak\w{0,3}|dev\w{0,8}|prod\w{0,6}|staging|test|\d)\b|\.ht(?:access"
    r"|passwd|group|digest)|\.ssh/|id_[dr]sa"
    r"|\.aws/|\.docker/config|\.kube/config|\.npmrc|\.pgpass|\.netrc|wp-config\.|\.bash_(?:history|rc"
    r"|profile)|\.mysql_history|inetpub[/\\]|sys/class/net|application\.(?:ya?ml|properties)$"
    r"|appsettings\.json$|localsettings\.php|\.ds_store)"
)

_NEEDS = (
    "etc/", "etc\\", "proc/", "var/", "inf/", "inf\\", ".git/", ".env", ".ht", ".ssh/", ".aws/", ".ini",
    "web.config", "wp-config", ".svn/", ".hg/", "id_rsa", "id_dsa", "_history", ".kube/", ".docker/", ".npmrc",
    ".pgpass", ".netrc", "root/.", "home/", "usr/local", "system32", "sys/class", ".ds_store", "application.",
    "appsettings", "localsettings", ".bash", "windows", "inetpub", "winnt",
)  # fmt: skip

# Configuration and logs of servers, which programs do not name in requests, behind any folder.
_SERVERS = (
    r"(?:(?:httpd|apache2?|nginx|lighttpd|vsftpd|proftpd|pure-?ftpd|muddleftpd|squid|smb|samba|my|mysqld?|php|postgresql"
    r"|pg_(?:hba|ident)|redis(?:-\w{1,10})?|modsec\w{0,8}|vhosts?|named|ldap|slapd|dhclient|cupsd|sshd?|httpd-\w{1,8}"
    r"|sysctl|logrotate|miniserv|wampserver|jk|workers|tomcat\w{0,6}|catalina)"
    r"[\w-]{0,12}\.(?:conf|cnf|ini|config|properties|policy|users|pdb)(?:\.\w{1,8})?"
    r"|(?:access|error|mysql|mysqld|mysql-\w{1,8}|mysqlderror|postgres(?:ql)?|catalina|lighttpd(?:\.\w{1,8})?|vsftpd"
    r"|proftpd|xfer|samba|boot|server|auth|secure|mail|modsec_audit|audit|httpd|apache2?|nginx|pfirewall|suphp|mod_jk)"
    r"[._-]?(?:log|out|err|index)(?:\.\w{1,8})?"
    r"|(?:smb|pureftpd\.|htt?)?passwd|shadow|utmp|wtmp|lastlog|loginlog|syslog|sulog|machine\.config|config\.inc\.php"
    r"|settings(?:\.\w{1,8})?\.php|database\.yml|parameters\.yml|sftp-config\.json|ormconfig\.json|composer\.lock"
    r"|standardjboss\.xml|jboss-\w{3,10}\.xml|login-config\.xml|tomcat-users\.xml)"
)
_SERVER_NEEDS = (
    "conf", ".cnf", ".ini", ".properties", ".policy", ".users", ".pdb", "log", ".out", ".err", "_err", "-err", "index",
    "passwd", "shadow", "tmp", "settings", ".yml", ".lock", "jboss",
)  # fmt: skip
# What tools of people leave in their home: histories of commands, credentials, start files.
_HOME = (
    r"\.(?:\w{0,12}[_-]?history|(?:bash|zsh|ksh|csh|tcsh|vim|net|mysql|psql|irb|pear|lftp|input|wget|curl|npm|pyp?i|screen)rc"
    r"|bash_\w{3,8}|z?profile|zlogin|zlogout|zshenv|login|viminfo|my\.cnf|boto|nsr|lesshst|lhistory|xauthority|nsconfig"
    r"|gitconfig|git-credentials|subversion|drush|gnupg|gsutil|pki|anydesk|vidalia|thunderbird|azure|config/gcloud"
    r"|ws_ftp\.ini|dockercfg|htpasswd|htdigest)(?:$|[/\\])"
)
_HOME_NEEDS = (
    "history", "shrc", "mrc", "trc", "lrc", "brc", "rrc", "prc", "irc", "nrc", "bash_", "profile", "login", "logout",
    "zshenv", "viminfo", ".my.cnf", ".boto", ".nsr", "lesshst", "xauthority", "nsconfig", "gitconfig", "git-cred",
    "subversion", ".drush", ".gnupg", ".gsutil", ".pki", "anydesk", "vidalia", "thunderbird", ".azure", "gcloud",
    "ws_ftp", "dockercfg", "htpasswd", "htdigest",
)  # fmt: skip
# A path from one file to another, as a document or a program has them.
_ASSET = (
    r"(?:\.(?:png|jpe?g|gif|svg|webp|avif|ico|css|s[ac]ss|less|jsx?|mjs|cjs|tsx?|vue|svelte|mdx?|rst|adoc|html?|py|go|rs|java"
    r"|kts?|rb|[ch]|cc|cpp|hpp|cs|swift|m|scala|lua|sh|pdf|docx?|xlsx?|pptx?|od[tsp]|csv|tsv|mp[34]|wav|webm|woff2?|ttf|otf"
    r"|map|ipynb|tex|bib|proto|graphql|tf|gradle|scm|po|pot)"
    r"|[/\\](?!config|database|setting|secret|credential|parameter|application|web|key)[\w-]{1,40}\.(?:json|ya?ml|toml|xml))"
    r"(?:[#?][^\s]{0,80})?$"
)
_UP = r"(?:\.{2,3}[/\\;]{1,4})"
_PLAIN = rf"(?:\.\.[/\\][\w-][\w .-]{{0,60}}(?:[/\\][\w .-]{{1,60}}){{0,8}}$|[^\n'\"<>%;]{{0,200}}{_ASSET})"

ATTACKS = (
    attack(
        "injection.path_traversal",
        "files",
        # At a value's beginning, or behind what is a path itself; what text and programs quote, where it is deep.
        (0.9, rf"^(?![^\n'\"<>%;]{{0,200}}{_ASSET})[^\s'\"`(<]{{0,200}}?{_UP}{{2}}", "../", "..\\", "..;"),
        (0.7, rf"{_UP}{{5}}|{_UP}{{3}}(?:\.{{1,2}})?$", "../", "..\\", "..;"),
        (0.9, rf"\.\.[/\\]{{1,4}}.{{0,40}}{_FILES}", ".."),
        (0.8, rf"^(?:file:/{{1,3}}|[a-z]:|\.)?[/\\]{{1,3}}(?:[\w.-]{{1,30}}[/\\]){{0,4}}{_FILES}", *_NEEDS),
        (0.7, rf"^{_FILES}", *_NEEDS),
        (
            0.65,
            rf"^(?!{_PLAIN})\.\.[/\\]|[=?&,;|]\.\.[/\\]|[/\\]\.\.[/\\]?$|(?:^|[/\\])\.\.[;\x00]|\.\.\.\.[/\\]",
            "..",
        ),
        (0.4, r"^\.\.[/\\]", ".."),
        (
            0.8,
            r"\.\.;/|\.%2e[/\\]|\.\.%(?:c0%af|255c|c1%9c|2f|5c)|^[\w./\\%:-]{0,80}(?:\.\.\ufffd|\ufffd\ufffd\.)|%uff0e"
            r"|\.\.[\u2215\u2216\u2044]",
            "..",
            "%",
            "\ufffd",
        ),
        (0.7, r"(?:[/\\]{1,4}\.){4}[/\\]", "/.", "\\."),
        (0.7, r"^file:/{1,3}[\w.]|^file:\\\\", "file:"),
        (0.6, r"\x00(?:\.\w{1,5})?$|\.(?:php|asp|jsp|exe|cgi|pl)\w?\x00", "\x00"),
        (
            0.6,
            r"[/\\]etc[/\\](?:passwd|shadow)\b|[a-z]:\\{1,2}(?:windows|winnt|boot|inetpub)\\?",
            "etc/",
            "etc\\",
            ":\\",
        ),
        (
            0.5,
            r"(?:^|[/\\])[\w.-]{1,40}\.(?:php|asp|aspx|jsp|cfm|inc|conf|cfg|sql|bak|old|swp)(?:~|\.(?:bak|old"
            r"|orig|save|swp|txt|zip))$",
            "~",
            ".bak",
            ".old",
            ".orig",
            ".save",
            ".swp",
            ".txt",
            ".zip",
        ),
        # Whole values that are paths.
        (
            0.65,
            r"^(?:[a-z]:)?(?:[/\\]{1,3}(?:private[/\\])?)?(?:etc|proc)[/\\]{1,2}[\w.@+\[\]-]{1,40}(?:[/\\][\w.@+\[\]-]{0,40})"
            r"{0,6}$",
            "etc/",
            "etc\\",
            "proc/",
        ),
        (
            0.6,
            r"^[/\\]{1,3}(?:boot|root|sys|dev/(?:fd|shm|sd|mem|kmem)|var/(?:log|adm|spool|run))[/\\]?[\w.-]{1,40}",
            "/",
            "\\",
        ),
        (
            0.6,
            rf"^(?:[a-z]:)?[/\\]{{0,3}}(?:[\w.+ \[\]()-]{{1,40}}[/\\]{{1,2}}){{1,8}}{_SERVERS}$",
            *_SERVER_NEEDS,
        ),
        (0.65, rf"^[^\s'\"<>]{{0,160}}(?:^|[/\\]){_HOME}", *_HOME_NEEDS),
        # Configuration and logs in the folders of a system, whatever they are called.
        (
            0.55,
            r"^(?:[a-z]:)?[/\\]{0,3}(?:usr|var|opt|etc|logs?|home|www|program files(?: \(x86\))?|apache\d?|mysql|php\d?"
            r""
            r"|postgresql|xampp|wamp)[/\\](?:[\w.+ ()-]{1,40}[/\\]){0,8}[\w.{}+ -]{0,40}"
            r"(?:[._-]log|\.(?:conf|config|cnf|cf|ini"
            r"|err|pdb)|-bin\.index|passwd)$",
            "log",
            ".c",
            ".ini",
            ".err",
            ".pdb",
            ".index",
            "passwd",
        ),
        (
            0.55,
            r"^/(?:[\w-]{1,40}/){0,2}(?:(?:package|composer|ormconfig|sftp-config|tsconfig)\.json"
            r"|package-lock\.json|yarn\.lock|composer\.lock|npm-debug\.log|config/(?:parameters|database|secrets|security|services)\.ya?ml|app/etc/local\.xml"
            r"|\.hg(?:ignore)?/?|\.gitignore|wp-config\.\w{2,4})$",
            ".json",
            ".lock",
            ".log",
            ".y",
            ".xml",
            ".hg",
            ".gitignore",
            "wp-config",
        ),
        (
            0.55,
            r"^(?:[a-z]:)?[/\\]{0,3}(?:system32|winnt|xampp|wamp|lampp|inetpub)[/\\]{1,2}[\w.\\/ -]{2,100}$",
            "system32",
            "winnt",
            "amp",
            "inetpub",
        ),
    ),
)
