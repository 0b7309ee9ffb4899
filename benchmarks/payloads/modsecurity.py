"""ModSecurity 3 with the OWASP Core Rule Set, called in process through libmodsecurity's C interface.

Needs Debian's ``libmodsecurity3`` and ``modsecurity-crs``. No web server stands between, so that what is timed is the
engine and its rules alone. A request is refused as the rule set does by default: at an anomaly score of 5.
"""

from __future__ import annotations

import ctypes
import ctypes.util
import re
from pathlib import Path

from benchmarks.payloads.sent import Sent

RULES = Path("/usr/share/modsecurity-crs/rules")
SETUP = Path("/etc/modsecurity/crs/crs-setup.conf")
_ID = re.compile(rb'\[id "(\d+)"\]')
_BASE = """
SecRuleEngine On
SecRequestBodyAccess On
SecResponseBodyAccess Off
SecRequestBodyLimit 13107200
SecAuditEngine Off
SecRule REQUEST_HEADERS:Content-Type "^(?:application(?:/soap\\+|/)|text/)xml" \
    "id:200000,phase:1,t:none,t:lowercase,pass,nolog,ctl:requestBodyProcessor=XML"
SecRule REQUEST_HEADERS:Content-Type "^application/(?:[\\w.+-]+\\+)?json" \
    "id:200001,phase:1,t:none,t:lowercase,pass,nolog,ctl:requestBodyProcessor=JSON"
SecAction "id:900000,phase:1,nolog,pass,t:none,setvar:tx.paranoia_level={level}"
"""


class Unavailable(RuntimeError):  # noqa: N818 - it says what is missing
    """ModSecurity or its rules are not installed."""


class _Intervention(ctypes.Structure):
    _fields_ = (
        ("status", ctypes.c_int),
        ("pause", ctypes.c_int),
        ("url", ctypes.c_void_p),
        ("log", ctypes.c_void_p),
        ("disruptive", ctypes.c_int),
    )


_Log = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_char_p)


class ModSecurity:
    """The rules at one paranoia level. ``refuses`` says what they do; ``logged`` holds the ids of the last request."""

    def __init__(self, level: int = 1) -> None:
        name = ctypes.util.find_library("modsecurity")
        if name is None or not SETUP.exists() or not RULES.is_dir():
            raise Unavailable("apt-get install libmodsecurity3 modsecurity-crs")
        self.logged: list[str] = []
        library = self._library = ctypes.CDLL(name)
        pointer = ctypes.c_void_p
        for function in ("msc_init", "msc_create_rules_set"):
            getattr(library, function).restype = pointer
        library.msc_new_transaction.restype = pointer
        library.msc_new_transaction.argtypes = [pointer, pointer, pointer]
        library.msc_rules_add.argtypes = [pointer, ctypes.c_char_p, ctypes.POINTER(ctypes.c_char_p)]
        library.msc_rules_add_file.argtypes = [pointer, ctypes.c_char_p, ctypes.POINTER(ctypes.c_char_p)]
        text, number = ctypes.c_char_p, ctypes.c_int
        library.msc_process_connection.argtypes = [pointer, text, number, text, number]
        library.msc_process_uri.argtypes = [pointer, ctypes.c_char_p, ctypes.c_char_p, ctypes.c_char_p]
        library.msc_add_n_request_header.argtypes = [
            pointer, ctypes.c_char_p, ctypes.c_size_t, ctypes.c_char_p, ctypes.c_size_t,
        ]  # fmt: skip
        library.msc_append_request_body.argtypes = [pointer, ctypes.c_char_p, ctypes.c_size_t]
        library.msc_intervention.argtypes = [pointer, ctypes.POINTER(_Intervention)]
        for function in ("msc_process_request_headers", "msc_process_request_body", "msc_transaction_cleanup"):
            getattr(library, function).argtypes = [pointer]
        library.free.argtypes = [pointer]
        library.msc_set_log_cb.argtypes = [pointer, _Log]
        self._engine = library.msc_init()
        self._callback = _Log(self._log)
        library.msc_set_log_cb(self._engine, self._callback)
        self._rules = library.msc_create_rules_set()
        self._add(library.msc_rules_add, _BASE.replace("{level}", str(level)).encode())
        for path in (SETUP, *sorted(RULES.glob("*.conf"))):
            self._add(library.msc_rules_add_file, str(path).encode())

    def _add(self, function: ctypes._NamedFuncPointer, argument: bytes) -> None:
        error = ctypes.c_char_p()
        if function(self._rules, argument, ctypes.byref(error)) < 0:
            raise Unavailable(f"the rules cannot be read: {(error.value or b'').decode(errors='replace')[:300]}")

    def _log(self, _: int, line: bytes) -> None:
        found = _ID.search(line)
        if found:
            self.logged.append(found.group(1).decode())

    def refuses(self, sent: Sent) -> bool:
        """Return whether the rules refuse a request."""
        self.logged = []
        library = self._library
        one = library.msc_new_transaction(self._engine, self._rules, None)
        try:
            library.msc_process_connection(one, b"192.0.2.1", 40000, b"192.0.2.80", 443)
            library.msc_process_uri(one, sent.target.encode("utf-8", "surrogateescape"), sent.method.encode(), b"1.1")
            for name, value in sent.headers:
                raw, text = name.encode("utf-8", "surrogateescape"), value.encode("utf-8", "surrogateescape")
                library.msc_add_n_request_header(one, raw, len(raw), text, len(text))
            library.msc_process_request_headers(one)
            if self._intervened(one):
                return True
            if sent.body:
                library.msc_append_request_body(one, sent.body, len(sent.body))
            library.msc_process_request_body(one)
            return self._intervened(one)
        finally:
            library.msc_transaction_cleanup(one)

    def _intervened(self, one: int) -> bool:
        found = _Intervention(200, 0, None, None, 0)
        self._library.msc_intervention(one, ctypes.byref(found))
        for text in (found.url, found.log):
            if text:
                self._library.free(text)
        return bool(found.disruptive)
