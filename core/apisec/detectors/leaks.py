"""Values that error messages, stack traces and command lines repeat: databases' constraints, paths, options.

A constraint's message names the column and repeats the value; the column says the class. A home directory in the trace
of a file says who runs the program: the name of a login (class *user*), not of a person.
"""

from __future__ import annotations

from typing import Optional, Tuple

from apisec.detectors.base import Detector, any_case, linear
from apisec.detectors.plausible import placeholder

# Class, what stands in the name of its columns.
_COLUMNS: Tuple[Tuple[str, str, str], ...] = (
    ("name", "pii.name", "first name|last name|full name|surname|given name|family name|vorname|nachname|holder name"),
    ("phone", "pii.phone", "phone|mobile|msisdn|telefon|handy"),
    ("ssn", "pii.ssn", "ssn|social security"),
    ("national_id", "pii.national_id", "national id|passport|tax id|personal id|dni|cpf|nino|pesel|bsn"),
    ("address", "pii.address", "street|address line|address"),
    ("account", "fin.account", "account no|account number|account num|iban|konto"),
    ("password", "secret.password", "password|passwd|passwort"),
    ("token", "secret.token", "token|session|api key|secret"),
    ("dob", "pii.dob", "birth|dob"),
)
_SERVICES = """
admin app appuser azureuser build centos circleci default deploy docker ec2-user git guest jenkins node public root
runner runneradmin service shared travis ubuntu user vagrant vsts www www-data
"""
_SERVICE_USERS = frozenset(_SERVICES.split())
_EXTENSIONS = (
    "py|js|mjs|ts|tsx|java|kt|rb|php|go|cs|c|cc|cpp|h|rs|swift|ex|log|conf|cfg|ini|ya?ml|json|env|so|jar|dll|sh|pem|key"
)


def _login(text: str) -> Optional[str]:
    return None if text.lower() in _SERVICE_USERS else text.lower()


def _value(text: str) -> Optional[str]:
    return text if text.strip() and text.lower() != "null" else None


def _option(text: str) -> Optional[str]:
    return None if placeholder(text) or text.isdigit() or text.isalpha() else text


def _columns(stems: str) -> str:
    return rf"[\w.]{{0,40}}(?:{'|'.join([any_case(stem) for stem in stems.split('|')])})\w{{0,24}}"


def _postgres(kind: str, data_class: str, stems: str) -> Detector:
    """``Key (email)=(ada@example.org) already exists.``"""
    shape = (
        rf"[Kk]ey \((?:\w{{1,40}}\()?[\"']?{_columns(stems)}[\"']?(?:::\w{{1,20}}\))?\)=\((?P<value>[^)\n]{{1,200}})\)"
    )
    return Detector(f"constraint.postgres.{kind}", data_class, linear(shape), _value, literals=("ey (",))


def _mysql(kind: str, data_class: str, stems: str) -> Detector:
    """``Duplicate entry 'Ada' for key 'customers.first_name'``"""
    shape = rf"[Dd]uplicate entry '(?P<value>[^'\n]{{1,200}})' for key ['`]?{_columns(stems)}"
    return Detector(f"constraint.mysql.{kind}", data_class, linear(shape), _value, literals=("uplicate entry",))


DETECTORS = (
    *[_postgres(*row) for row in _COLUMNS],
    *[_mysql(*row) for row in _COLUMNS],
    Detector(
        "path.home",
        "user",
        linear(
            r"(?<![\w.])/(?:home|Users)/(?P<value>[A-Za-z_][\w.-]{0,31})/"
            rf"(?=[^\s\"'<>:;,]{{0,200}}\.(?:{_EXTENSIONS})(?!\w))"
        ),
        _login,
        literals=("/home/", "/Users/"),
    ),
    Detector(
        "path.profile",
        "user",
        linear(r"(?<!\w)[A-Za-z]:\\{1,2}Users\\{1,2}(?P<value>[^\\/:*?\"<>|\r\n\t]{1,40})\\"),
        _login,
        literals=("Users\\",),
    ),
    Detector(
        "command.user",
        "secret.password",
        linear(r"(?<!\S)(?:-u|--user|--proxy-user)[ =][\"']?[\w.@+-]{1,64}:(?P<value>[^\s\"']{4,128})"),
        _option,
        literals=("-u ", "--user", "-user"),
    ),
    Detector(
        "command.option",
        "secret.password",
        linear(
            r"(?<!\S)--?(?:password|passwd|pass|pw|secret|token|api-?key|auth-token|client-secret)[ =][\"']?"
            r"(?P<value>[^\s\"'-][^\s\"']{4,256})"
        ),
        _option,
        literals=("-pass", "-pw", "-secret", "-token", "-api", "-auth-token", "-client-secret"),
    ),
)
