"""Credentials by their own shape or by the words around: JWT, authorization in text, private keys, passwords."""

from __future__ import annotations

import base64
import binascii
import json
import re
from typing import Optional

from apisec.detectors.base import Detector, linear, said, words
from apisec.detectors.plausible import placeholder, random_looking

_KEY_WORDS = (
    *(
        "api key*",
        "api key provided",
        "secret key*",
        "client secret*",
        "access key*",
        "app secret",
        "signing key",
        "encryption key",
    ),
    *("consumer secret", "shared secret", "master key", "private key", "api schlüssel", "geheimschlüssel"),
    *("clave api", "clave de api", "clave secreta", "clé api", "clé secrète", "chiave api", "chave de api"),
)
_TOKEN_WORDS = (
    *("access token*", "auth token*", "api token*", "refresh token*", "secret token", "verification token", "token"),
    *("bearer token", "personal access token", "reset token", "csrf token", "id token", "zugriffstoken", "jeton"),
    *("token de acceso", "jeton d accès", "token di accesso", "token de acesso", "toegangstoken"),
)
_SESSION_WORDS = (
    *("session id", "session token", "session key", "session cookie", "session", "jsessionid", "phpsessid", "sid"),
    *("sitzung", "sitzungs id", "sesión", "id de sesión", "sessão", "sessione", "sessie", "id de session"),
)
_CODE_WORDS = (
    *("verification code", "confirmation code", "one time code", "one time password", "otp", "login code", "sms code"),
    *("mfa code", "factor code", "passcode", "pass code", "sign in code", "pin tan", "tan lautet", "einmalcode"),
    *("auth code", "authentication code", "bestätigungscode", "einmalkennwort", "einmalpasswort", "mtan"),
    *("código de verificación", "code de vérification", "codice di verifica", "código de verificação"),
    *("verificatiecode",),
)
_OTHER_CODES = (
    *("zip ", "postal ", "country ", "area ", "error ", "status ", "promo ", "discount ", "voucher ", "coupon "),
    *("product ", "gift ", "referral ", "booking ", "tracking ", "dialling ", "dialing ", "source ", "exit "),
)
_PIN_WORDS = ("pin", "pin code", "pin number", "geheimzahl", "code pin", "código pin", "pincode")
_PASSWORD = (
    *("password*", "passwd", "pwd", "passphrase", "passcode", "passwort*", "kennwort*", "contraseña*", "clave"),
    *("mot de passe", "motdepasse", "senha*", "wachtwoord*", "parola d ordine", "palavra passe"),
)


def _jwt(text: str) -> Optional[str]:
    """Accept a compact JWS or JWE whose first part is a JSON object with ``alg`` (RFC 7515, RFC 7516)."""
    head = text.partition(".")[0]
    try:
        header = json.loads(base64.urlsafe_b64decode(head + "=" * (-len(head) % 4)))
    except (binascii.Error, ValueError, RecursionError):
        return None
    return text if isinstance(header, dict) and "alg" in header else None


def _basic(text: str) -> Optional[str]:
    try:
        decoded = base64.b64decode(text + "=" * (-len(text) % 4))
    except (binascii.Error, ValueError):
        return None
    return text if b":" in decoded else None


def _bearer(text: str) -> Optional[str]:
    return text if any(c.isdigit() for c in text) or len(text) >= 24 else None


def _not_placeholder(text: str) -> Optional[str]:
    return None if placeholder(text) else text


def _random(text: str) -> Optional[str]:
    return text if random_looking(text) else None


_CONTRACT = re.compile(r"0x[0-9A-Fa-f]{40}")  # of a token that is traded


def _drawn(text: str) -> Optional[str]:
    """Accept what was drawn at random: *session 7f3a…*, no slug, date or number of a session."""
    if not random_looking(text) or _CONTRACT.fullmatch(text):
        return None
    pieces = re.split(r"[^A-Za-z0-9]+", text)
    return text if any(len(piece) >= 8 and _mixes(piece) for piece in pieces) else None


def _mixes(text: str) -> bool:
    digits = sum([c.isdigit() for c in text])
    return digits >= 2 and len(text) - digits >= 2


def _password(text: str) -> Optional[str]:
    """Accept what is no word: *the password is hunter2*, not *the password is required*."""
    if placeholder(text) or not any(c.isdigit() for c in text):
        return None
    return text if any(not c.isdecimal() for c in text) else None


# Names of what is done with passwords, and of versions.
_METHOD = re.compile(
    r"(?i)(?:sha|md|base|oauth|utf|pbkdf|argon|aes|rsa|tls|ssl|pkcs|hs|rs|es|win|v|rfc|iso|http)[-_]?\d[\d.-]*\w{0,2}"
)


def _chosen(text: str) -> Optional[str]:
    """Accept what somebody can have chosen: letters with digits or signs in them, no word, date or number of a rule."""
    if _password(text) is None or _METHOD.fullmatch(text) or sum([c.isalpha() for c in text]) < 3:
        return None
    return None if re.fullmatch(r"[A-Za-z]+[-_/.]\d{1,4}|[A-Za-z]+\d|\d+[-_]?[A-Za-z]+", text) else text


def _odd(text: str) -> Optional[str]:
    """Accept what is more than a word in lower case."""
    return None if placeholder(text) or (text.isalpha() and text.islower()) else text


def _authorization(text: str) -> Optional[str]:
    return text if len(text) >= 12 and any(c.isdigit() for c in text) and not placeholder(text) else None


DETECTORS = (
    Detector(
        "jwt",
        "secret.jwt",
        linear(r"(?<![\w.-])ey[\w-]{8,}\.[\w-]*\.[\w-]*(?:\.[\w-]*\.[\w-]*)?", 0),
        _jwt,
        literals=("ey",),
    ),
    Detector(
        "bearer",
        "secret.bearer",
        linear(r"(?i:\bbearer)[ :]{1,2}(?P<value>[\w.+/-]{12,}={0,2})"),
        _bearer,
        literals=("earer ", "EARER ", "earer:"),
    ),
    Detector(
        "basic",
        "secret.basic",
        linear(r"(?i:\bbasic) {1,2}(?P<value>[A-Za-z0-9+/_-]{6,}={0,2})"),
        _basic,
        literals=("asic ", "ASIC "),
    ),
    # Authorization: Token …, ApiKey …, Negotiate …, SSWS …; Proxy-Authorization; X-Auth-Token
    Detector(
        "authorization",
        "secret.token",
        linear(
            r"(?:[Aa]uthorization|AUTHORIZATION|[Aa]uth-[Tt]oken)\\?[\"']?\s{0,2}[:=]\s{0,2}\\?[\"']?"
            r"(?:[A-Za-z][\w-]{1,20} )?(?P<value>[\w.~+/-]{12,2000}={0,2})"
        ),
        _authorization,
        literals=("uthorization", "AUTHORIZATION", "uth-"),
    ),
    # RFC 7468, RFC 4880 and what OpenSSH writes
    Detector(
        "private_key",
        "secret.private_key",
        linear(
            r"-----BEGIN [A-Z0-9 ]{0,24}PRIVATE KEY(?: BLOCK)?-----[^-]{0,16384}"
            r"(?:-----END [A-Z0-9 ]{0,24}PRIVATE KEY(?: BLOCK)?-----)?"
        ),
        _not_placeholder,
        literals=("PRIVATE KEY",),
    ),
    Detector(
        "private_key.putty",
        "secret.private_key",
        linear(r"Private-Lines: \d{1,3}(?:\\?[rn]|\s){1,4}(?P<value>[A-Za-z0-9+/=\s\\]{40,8192})"),
        _not_placeholder,
        literals=("Private-Lines",),
    ),
    # The private members of a JSON Web Key (RFC 7518, 6.2.2, 6.3.2, 6.4.1) in text that was not read as JSON
    Detector(
        "private_key.jwk",
        "secret.private_key",
        linear(r"\\?\"(?:d|p|q|dp|dq|qi|k)\\?\"\s{0,3}:\s{0,3}\\?\"(?P<value>[A-Za-z0-9_-]{22,4096})\\?\""),
        _random,
        literals=('"d', '"p', '"q', '"k'),
        confidence="context",
        near=words("kty", "crv", "alg", "kid"),
    ),
    # scheme://user:password@host. A password may hold @ and :, since people forget to encode them.
    Detector(
        "url.password",
        "secret.password",
        linear(r"\b[a-zA-Z][a-zA-Z0-9+.-]{1,20}://[^\s:/?#@\"'<>]{0,64}:(?P<value>[^\s/?#\"'<>]{1,128})@(?=[\w.\[-])"),
        _not_placeholder,
        literals=("://",),
    ),
    Detector(
        "jdbc.oracle",
        "secret.password",
        linear(r"jdbc:oracle:\w{2,6}:[^\s/@:\"']{1,64}/(?P<value>[^\s/@\"']{1,128})@"),
        _not_placeholder,
        literals=("jdbc:oracle",),
    ),
    # In prose; password=… and password: … are read by the redactor as a name and its value.
    Detector(
        "password.said",
        "secret.password",
        linear(
            r"(?<!\w)(?:is|ist|lautet|was|war|to|auf|est|es|é|è|ist jetzt|is now|=>|->)[ \t]{0,2}[:=]?[ \t]{0,2}[\"'`]?"
            r"(?P<value>[^\s\"'`<>,;:]{5,63}[^\s\"'`<>,;:.!?)])"
        ),
        _password,
        confidence="context",
        near=words(*_PASSWORD),
        gate="near",
    ),
    # password Xy7kkq29 right behind the word, where it can be no other word
    Detector(
        "password.named",
        "secret.password",
        linear(
            rf"{said(*_PASSWORD)}(?<![\"'`\\])(?P<value>[^\s\"'`<>,;:()]{{5,63}}[^\s\"'`<>,;:.!?()])(?![^\s\"'`<>,;:.!?)])"
        ),
        _chosen,
        confidence="context",
        near=words(*_PASSWORD),
        gate="near",
    ),
    Detector(
        "pin.said",
        "secret.password",
        linear(rf"{said(*_PIN_WORDS)}(?P<value>\d{{4}})(?![\w-])(?![.,]\d)"),  # of six digits it is a postcode in India
        _not_placeholder,
        confidence="context",
        near=words(*_PIN_WORDS),
        gate="near",
    ),
    Detector(
        "api_key.said",
        "secret.api_key",
        linear(rf"{said(*_KEY_WORDS)}(?P<value>[\w.~+/-]{{16,512}}={{0,2}})"),
        _random,
        confidence="context",
        near=words(*_KEY_WORDS),
        gate="near",
    ),
    Detector(
        "session.said",
        "secret.session",
        linear(rf"{said(*_SESSION_WORDS)}(?P<value>[\w.~+/:-]{{12,512}}={{0,2}})"),
        _drawn,
        confidence="context",
        near=words(*_SESSION_WORDS),
        gate="near",
    ),
    Detector(
        "token.said",
        "secret.token",
        linear(rf"{said(*_TOKEN_WORDS)}(?P<value>[\w.~+/-]{{12,2048}}={{0,2}})"),
        _drawn,
        confidence="context",
        near=words(*_TOKEN_WORDS),
        gate="near",
    ),
    # password 'hunter2', password "hunter2"
    Detector(
        "password.quoted",
        "secret.password",
        linear(rf"{said(*_PASSWORD)}(?P<value>[^\s\"'`<>]{{4,64}})(?=[\"'`])"),
        _odd,
        confidence="context",
        near=words(*_PASSWORD),
        gate="near",
    ),
    Detector(
        "otp.said",
        "secret.otp",
        linear(
            rf"{said(*_CODE_WORDS)}(?P<value>\d{{4,8}}|\d{{3}}[- ]\d{{3}}|[A-Z0-9]{{3,4}}-[A-Z0-9]{{3,4}})(?![\w-])"
        ),
        _not_placeholder,
        confidence="context",
        near=words(*_CODE_WORDS),
        gate="near",
    ),
    # 123456 is your verification code
    Detector(
        "otp.before",
        "secret.otp",
        linear(
            r"(?<![\w.-])(?:[A-Z]-)?(?P<value>\d{4,8}|\d{3}[- ]\d{3}) (?:is|ist|es|est|è|é) "
            r"(?:your|the|Ihr|dein|tu|su|votre|il tuo|o seu|uw|je) (?:\w{1,20} ){0,2}"
            r"\w{0,12}(?:code|Code|código|codice|TAN|PIN)"
        ),
        _not_placeholder,
        literals=(" code", " Code", "scode", "código", "codice", "TAN", "PIN"),
    ),
    # Your Acme code is 123456: a code of one's own, and none of a place, an offer or an error
    Detector(
        "otp.your",
        "secret.otp",
        linear(
            r"(?<!\w)(?:[Yy]our|Ihr|[Dd]ein|[Tt]u|[Ss]u|[Vv]otre|[Ii]l tuo|(?:[Oo] )?[Ss]eu|[Uu]w|[Jj]e) "
            r"(?:[\w'-]{1,20} ){0,2}"
            rf"(?<!{')(?<!'.join(_OTHER_CODES)})(?:code|Code|código|codice|passcode)"
            r"(?: (?:is|ist|lautet|es|est|è|é))?:? (?P<value>\d{4,8}|\d{3}[- ]\d{3})(?![\w-])(?![.,]\d)"
        ),
        _not_placeholder,
        literals=("code ", "code: ", "Code ", "Code: ", "código ", "código: ", "codice ", "codice: "),
    ),
    # Use 4821 to sign in
    Detector(
        "otp.use",
        "secret.otp",
        linear(
            r"(?<!\w)(?:[Uu]se|[Ee]nter|[Tt]ype)(?: (?:the )?code)? (?P<value>\d{4,8}|\d{3}[- ]\d{3}) "
            r"(?:to (?:sign in|log ?in|verify|authenticate|confirm (?:your|it))"
            r"|as your (?:[\w-]{1,20} ){0,2}(?:PIN|code))(?!\w)"
        ),
        _not_placeholder,
        literals=(
            " to sign in",
            " to log in",
            " to login",
            " to verify",
            " to authenticate",
            " to confirm ",
            " as your ",
        ),
    ),
)
