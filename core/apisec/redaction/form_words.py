"""Words that tell a value of an enumeration, a sentence or a firm from a person's name or a secret."""

from __future__ import annotations

from typing import Dict, FrozenSet


def _set(text: str) -> FrozenSet[str]:
    return frozenset(text.split())


# What stands for nothing, for yes and no, or for what was not filled in.
NOTHING = _set("true false null none nil undefined yes no n/a na tbd unknown unset empty string text anonymous - ? 0 1")
# States and ways of an enumeration under whatever name.
_STATES = _set("""
active inactive enabled disabled pending approved rejected accepted declined draft published deleted archived open
opened closed new old default other all any public private internal external primary secondary required optional
mandatory valid invalid verified unverified success successful failed failure error ok okay ready running stopped
started completed cancelled canceled expired locked unlocked blocked suspended changed unchanged updated created
removed never always manual automatic auto standard basic premium custom missing hidden masked redacted encrypted
hashed plain plaintext weak medium strong supported unsupported available unavailable online offline confirmed
unconfirmed processing queued paid unpaid managed generated configured present absent provided set inherited rotated
revoked issued
""")
_METHODS = _set("""
bearer digest oauth oauth1 oauth2 oidc openid saml saml2 sso ldap kerberos ntlm jwt jws jwe mfa totp hotp otp sms email
mail phone push webauthn fido2 passkey certificate mtls apikey cookie session token password local bcrypt argon2
argon2id scrypt pbkdf2 sha sha1 sha256 sha384 sha512 md5 md hmac aes aes128 aes256 gcm cbc rsa rs hs es ps ecdsa ed25519
rs256 hs256 es256 ps256 wpa wpa2 wpa3 psk eap tls ssl pkcs pem der api key id http https uri url csrf xsrf client server
code pkce grant credentials credential authorization authentication access refresh personal type flow implicit device
assertion exchange signature signed request scheme your here insert secret
""")
_ROLES = _set("""
admin administrator user users root system bot service owner member members viewer editor reader writer manager
operator agent customer client contact employee person individual company business organization organisation group team
visa mastercard maestro amex discover paypal firefox chrome safari edge opera android ios windows linux macos test
home work office mobile male female
""")
KNOWN = _STATES | _METHODS
NO_SECRET = NOTHING | KNOWN | _set("visitor")
# Of those people do choose some.
NO_PASSWORD = NO_SECRET - _set("password default secret access server client device local")
NO_NAME = (NOTHING | _STATES | _ROLES) - _set("strong plain medium")  # these are families too
NO_BEGINNING = _set("not please enter select choose unknown default other see")  # of a name of several words

# Parts of the names of programs, machines and groups: *queue-runner* is no *anne-marie*.
THINGS = _set("""
service services runner plugin server team bot app api client user users admin worker job task node cluster prod dev
test staging queue proxy image group pool db database cache web host agent system build deploy driver module lambda
function handler controller manager scheduler gateway default main master backup data store storage event stream
""")

# Parts of names of things, offices and jobs in titles of several words: *Account Manager*, *Premium Plan*.
NO_PART = _set("""
account accounts plan project product order premium savings checking gift support sales marketing engineering finance
resources office desk service request report invoice payment subscription policy template workflow pipeline dashboard
widget profile settings campaign newsletter device laptop printer monitor router edition version series album playlist
engineer developer representative director assistant consultant analyst specialist officer coordinator technician
accountant supervisor department division warehouse store terminal gateway environment region cluster
""")
TESTER = _set("test demo dummy sample qa")  # persons of test systems: Test User 1

NO_NUMBERED = (NO_NAME | THINGS) - TESTER  # before digits, or in a name that must be strong

# In lower case these make a sentence of three words or more.
PROSE = _set("""
the is are was were your our with for this that these not please has have had been from ist sind nicht wird bitte für
sont pas pour avec votre para sono della
""")
FIRM = _set("""
inc inc. llc llp ltd ltd. limited gmbh corp corp. corporation plc pty kg ohg kgaa sarl srl s.r.l. spa s.p.a. bv b.v. nv
n.v. oy aps kft zrt s.r.o. s.a. s.l. ltda eirl pvt co. company bank university hospital holding holdings foundation
institute technologies technology solutions services systems software insurance association committee department
airlines airways stiftung verein e.v. universität krankenhaus versicherung sparkasse banque université hôpital banco
universidad clinic school college restaurant hotel supermarket shop store
""")
NO_WORD = FIRM | NO_PART  # of a name of several words
FIRM_LAST = _set("AG SA SE AB AS A/S SAS BV NV KK UG eG mbH Co Group")  # these are names too, but not as the last word

# In a text of three words or more these speak of passwords.
POLICY = _set("""
must should shall may least most characters character minimum maximum length contain contains containing uppercase
lowercase digit digits letters required incorrect invalid cannot forgot reset your expired match matches wrong changed
successfully please enter field user muss mindestens zeichen enthalten bitte doit contenir caractères moins debe
contener caracteres menos deve conter contenere caratteri minimaal tekens
""")

# A letter and those that follow it in words: the 300 commonest pairs in public APIs' names and enumerations, 98 of 100.
_PAIRS = """
abcdfgiklmnprstuvwxy baeilorstu cacehiklorstuy dacdegilmnorsu eabcdefghilmnopqrstuvwxy faefilortuy gaeghilnorsu
haeiortu iabcdefgklmnoprstvxz jeou kaeisu lacdefilmostuy mabeimopsu nacdefgiklnostuvy oabcdfgiklmnoprstuvwy
padehiloprstu qu rabcdefgiklmnoprstuvy sacdefhiklmnopstuwy tacehilmnoprstuwy uabcdegilmnprst vaeio waehinors xaceipt
yeilmnops zaeo
"""
FOLLOWS: Dict[str, FrozenSet[str]] = {pairs[0]: frozenset(pairs[1:]) for pairs in _PAIRS.split()}
