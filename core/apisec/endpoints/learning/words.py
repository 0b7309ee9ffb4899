"""Words that fixed parts of paths are made of, for telling ``/users/search`` from ``/users/alice``.

A word is here when fixed segments of at least four of the 460 providers in the development part of a public directory
of OpenAPI documents hold it (``python -m benchmarks.templating --words``). It is a hint among others:
``/status/active`` and ``/plans/premium`` are made of such words too.
"""

from __future__ import annotations

import re
from functools import lru_cache

MAX_WORDS = 128  # characters of a segment that are looked at

_PARTS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")
_WORDS = """
about accept access account accounts action actions activate active activities activity actors add additional addons
address addresses admin admins advanced age agent agents air album albums alert alerts aliases all amount analyses
analysis analytics analyze and annotations announcement answer api apikeys app application applications apply
approve apps archive areas artifacts artist artists as asset assets assign assignments attach attachment attachments
attribute attributes audio audit auth authenticate authentication authorization authorizations authorize auto
autocomplete availability available avatar background balance balances bank base basic batch batches billing block
blocks board boards book booking bookmarks branch branches brands broadcasts browse build builds bulk bundle bundles
business by cache calculate calendar call callback calls campaign campaigns cancel capabilities capture card cards
case cash catalog categories category cert certificate certificates certs change changelog changes changeset channel
channels chart chat check checkout checks children cities class classes classifications clear client clients clone
close cloud cluster clusters code codes collection collections columns commands comment comments commit commits
companies company compare complete components conditions config configs configuration configurations configured
confirm confirmation connect connection connections consents console contact contacts containers content contents
context contexts contract contribution contributions contributors control conversations convert copy correlation
count countries country counts coverage create credential credentials credit credits csv currencies currency current
custom customer customers daily dashboard data database date day db default defaults defined definition definitions
delete deleted delivery dependencies deploy deployment deployments deposit description detail details detect device
devices diff direct directory disable disconnect discover display disputes distance districts dns docs document
documents domain domains download downloads draft edit email emails emoji employee enable enabled end entities
entity entries environments episodes error errors estimate event events evidence example exchange execute executions
exists expense export exports expression external extract facilities failed favorite favorites favourite feature
featured features feed feeds fetch field fields file files filter filters financial find flag flags flight flow
folders followers following follows for forecast forgot fork form forms free from full game gateway gen general
generate generic genres geo get git global google graph group groups health heartbeat historical history hold hooks
host hosts html http icons id identity ids ignore image images import imports in inbound index industries info
information insights install instance instances institutions instructions integration integrations intent interfaces
internal inventory invitation invitations invite invites invoice invoices ip ips is issue issues item items job jobs
join journal json jwt key keys keywords known label labels languages last latest ldap leave legal level license
licenses likes line lines link linked links list listings lists live local locale location locations lock log login
logo logout logs lookup mail manifest map mapping mappings mark market markets master match me media member members
memberships merchant merge message messages meta metadata method methods metrics mfa mobile model models module
monitor move movies multi multiple my name names namespaces nearest network networks new news next nodes note notes
notification notifications notify number numbers oauth object of off offer offers on one online only ontology open
openapi openid operations options order orders org organization organizations orgs out overview owner owners
packages page pages parameters parent parse participants partner partners parts party password patch path paths
pattern pause pay payment payments pdf peers pending people performance permission permissions person persons phone
photo pin ping places plan plans platform platforms play players playlists plugins png points policies policy poll
popular port portal ports position positions post posts power pre predictions preferences prefixes preview price
prices primary priority privacy private process product products profile profiles programs progress project projects
properties property provider providers provision public publish purchase purchases push qr quality queries query
questions queue quote quotes random rate rates rating ratings raw reactions read ready receipt received recent
recipient recipients recommendations record recordings records recover recurring reference references refresh refund
refunds regions register registration registrations registry reject related relationships release releases remote
remove rename renew replace replies repo report reporting reports repositories repository request requests resend
reservations reset resolve resource resources response responses rest restart restore restrictions result results
resume retention retrieve retry return returns reverse review reviews revisions revoke role roles rotate route
routes rule rules run runs sales sandbox save saved scan schedule scheduled schedules schema schemas scope scopes
script scripts search searches seasons secret secrets sections security segments select self send series server
servers service services session sessions set sets setting settings settlement settlements setup share shared
shipping show shows shutdown sign signatures similar simple site sites slack sms snapshot snapshots social software
source sources specs ssh sso start state states stations statistics stats status statuses steps stop stops storage
store stores stream streams stripe sub submission submissions submit subscription subscriptions suggest suggested
suggestions summaries summary support supported swagger swap switch sync syslog system systems tag tags target
targets task tasks tax team teams template templates tenant term terminate terms test tests text thumbnail time
timer times timezones to token tokens top topic topics trace track tracking tracks traffic transaction transactions
transfer transfers transitions tree trending triggers trip two type types ui unassign unlink unlock unread upcoming
update updated updates upgrade upload uploads upsert url urls us usage user username users utils uuid validate
validation value values variables variants vat vehicles vendor vendors venues verification verifications verify
version versions video videos view views virtual voice void wallet watched watching watchlist web webhook webhooks
welcome well whitelist wireless with words workflow workflows workspaces write xml year zip zone zones
"""
WORDS = frozenset(_WORDS.split())


@lru_cache(maxsize=16_384)
def familiarity(segment: str) -> float:
    """Return the share (0-1) of a segment's letters that stand in words of fixed segments."""
    parts = [part.lower() for part in _PARTS.findall(segment[:MAX_WORDS])]
    letters = sum(len(part) for part in parts)
    known = sum(len(part) for part in parts if part in WORDS)
    return known / letters if letters else 0.0
