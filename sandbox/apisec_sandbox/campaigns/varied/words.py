"""What APIs are about and how their makers name things: the vocabulary of the grammar."""

from __future__ import annotations

from typing import NamedTuple


class Theme(NamedTuple):
    """Nouns as ``singular/plural`` (with hyphens between words); steps of the flow, ``?`` optional, ``+`` repeated."""

    name: str
    public: tuple[str, ...]
    owned: tuple[str, ...]
    account: str
    begin: tuple[str, ...]
    steps: tuple[str, ...]


def _themes(text: str) -> tuple[Theme, ...]:
    found = []
    for line in filter(None, map(str.strip, text.splitlines())):
        name, public, owned, account, begin, steps = (part.strip() for part in line.split("|"))
        found.append(
            Theme(
                name, tuple(public.split()), tuple(owned.split()), account, tuple(begin.split()), tuple(steps.split())
            )
        )
    return tuple(found)


THEMES = _themes("""
    travel | hotel fare tour flight | reservation itinerary ticket | traveller | hold book | passengers+ seats? price pay confirm checkin?
    insurance | product tariff | policy/policies claim premium-invoice beneficiary/beneficiaries | client | quote apply | questionnaire underwrite offer accept sign?
    versicherung | tarif/tarife leistung/leistungen | vertrag/vertraege schaden/schaeden beitrag/beitraege | versicherter/versicherte | melden beantragen | belege+ pruefen? bestaetigen abschliessen
    energy | tariff charger | contract meter-reading invoice | household | switch | meter signature? verify confirm
    charging | station connector | charge receipt car | driver | reserve | plug authorise start stop? settle
    food | restaurant dish/dishes menu | order basket delivery/deliveries | diner | open | items+ address tip? place pay
    grocery | article aisle deal | basket shopping-list delivery-slot | shopper | start | lines+ slot coupon? checkout pay
    telecom | plan bundle | subscription sim-card bill usage-record | subscriber | request | identity number-port? sign activate
    school | course lesson | enrolment submission grade certificate | student | enrol | documents+ fee? approve confirm
    lms | module quiz/quizzes | attempt badge progress-report | learner | begin | answers+ hint? submit finish
    job-board | vacancy/vacancies firm | application cv-profile interview | candidate | apply | letter? answers+ submit schedule
    real-estate | listing agent-office | viewing offer tenancy/tenancies | seeker | propose | documents+ deposit? countersign complete
    logistics | depot service-level | shipment parcel consignment manifest | shipper | draft | lines+ label customs? manifest dispatch
    fleet | vehicle-model depot | trip vehicle-log maintenance-order | operator | plan | stops+ assign inspect? release
    government | form authority/authorities | filing permit-case payment-notice | filer | file | attachments+ identity fee sign? lodge
    steuer | formular/formulare hinweis/hinweise | erklaerung/erklaerungen bescheid/bescheide anlage/anlagen | mandant/mandanten | anlegen | anlagen+ pruefen unterschrift? senden
    pharmacy | medicine leaflet | prescription refill dosage-plan | patient | submit | insurance verify counsel? dispense
    lab | assay kit | sample result-sheet work-order | researcher | register | aliquots+ calibrate? run release
    forum | board guideline | thread direct-message poll | poster | compose | attachments+ preview? captcha publish
    dating | interest prompt | match conversation photo-album | single | create | photos+ bio verify publish?
    gaming | hero arena skin | match-record inventory-item trade | player | offer | items+ counter? lock accept
    tickets | venue show artist | seat-hold purchase pass/passes | fan | hold | seats+ insurance? fees pay deliver
    sneakers | drop model | entry/entries purchase-order return | collector | enter | size captcha? shipping pay
    crypto | market asset | wallet-address withdrawal trade-order statement | trader | place | amount allow? otp-check broadcast
    wallet | merchant offer | payment payee top-up voucher-slip | payer | initiate | payee amount? authenticate capture
    prestamos | producto/productos sucursal/sucursales | solicitud/solicitudes cuota/cuotas contrato/contratos | cliente/clientes | iniciar | ingresos+ garantia? evaluar firmar desembolsar
    tienda | articulo/articulos marca/marcas | pedido/pedidos devolucion/devoluciones factura/facturas | comprador/compradores | abrir | lineas+ cupon? envio pago
    sante | praticien/praticiens acte/actes | rendez-vous/rendez-vous ordonnance/ordonnances remboursement/remboursements | adherent/adherents | reserver | motif pieces? valider confirmer
    print-shop | paper-stock template | design print-job proof | designer | upload | pages+ proof approve rush? produce
    coworking | room desk-type amenity/amenities | booking access-pass guest-invite | member-person | request | slot catering? approve pay
    smart-home | gadget-model scene-template | gadget automation event-log | occupant | pair | room firmware? test activate
    farming | crop-variety product-sheet | field harvest-record irrigation-plan | grower | plan | plots+ soil? approve schedule
    charity | cause campaign-page | donation pledge receipt-letter | donor | pledge | amount giftaid? mandate confirm
    library | book edition author | loan hold-request fine | reader | reserve | branch renew? collect close
    legal | template-deed jurisdiction | matter time-entry/time-entries deed | counsel | open | parties+ conflicts retainer? engage
    crm | campaign-type price-list | lead opportunity/opportunities quote-document | seller | qualify | contacts+ discount? propose win
    hr | benefit training | leave-request payslip expense-report | employee | draft | receipts+ project? submit approve
    media-house | show episode | playlist download family-profile | listener | queue | quality licence offline? start
    parking | garage zone | permit stay fine-notice | motorist | begin | plate zone-check? extend? stop pay
    tender | notice category/categories | bid award-file question | bidder | prepare | lots+ bond? seal submit
""")  # noqa: E501

# Styles of what stands before a path; {v} is a version.
PREFIXES = ("", "", "/api", "/api/v{v}", "/v{v}", "/rest/v{v}", "/services", "/{name}/api", "/api/{name}/v{v}",
            "/gw/{name}", "/public/v{v}", "/mobile/v{v}", "/{name}-svc")  # fmt: skip

FIELDS = {  # kinds of members and how they are called, in snake case
    "text": ("title", "label", "caption", "subject", "note", "remark", "comment", "summary"),
    "prose": ("description", "body_text", "content", "details", "terms_text"),
    "money": ("total", "price", "amount", "balance", "fee", "net_amount", "discount"),
    "int": ("quantity", "stock", "pages", "weight", "duration", "points", "revision"),
    "time": ("created_at", "updated_at", "due_at", "starts_at", "booked_at", "valid_until"),
    "bool": ("active", "paid", "archived", "urgent", "confirmed"),
    "STATE": ("status", "state", "phase", "stage"),
    "CURRENCY": ("currency", "channel", "priority"),
}
PERSONAL = {
    "email": ("email", "contact_email", "mail"),
    "phone": ("phone", "mobile", "msisdn"),
    "name": ("full_name", "display_name"),
    "street": ("street",),
    "postcode": ("postcode", "zip", "plz"),
    "iban": ("iban",),
    "dob": ("birth_date", "date_of_birth"),
}
STATES = (
    "open,closed",
    "draft,sent,paid",
    "new,active,done,void",
    "pending,approved,rejected",
    "a,b,c,d",
    "offen,bezahlt",
)
CHOICES = ("EUR,USD,GBP", "web,app,branch", "low,normal,high")

OWNERS = ("owner", "customer", "customer_id", "holder", "account_id", "user_id", "tenant", "created_by")
KEYS = ("id", "id", "id", "id", "uuid", "ID", "{noun}_id", "{noun}_id", "{noun}_id")
UNSEEN = ("nr", "code", "ref")  # members that hold ids and are not called so
PAGING = (
    ("page", "page", "limit"), ("page", "page", "per_page"), ("page", "pageNo", "pageSize"), ("page", "p", "rows"),
    ("page", "seite", "anzahl"), ("offset", "offset", "limit"), ("offset", "start", "count"),
    ("offset", "skip", "take"),
    ("cursor", "cursor", "size"), ("cursor", "after", "first"), ("cursor", "next", "max"), ("", "", ""),
)  # fmt: skip
TERMS = ("q", "query", "term", "search", "keyword", "filter", "text", "s", "suche", "buscar")
WIDENING = ("expand", "include", "fields", "view", "embed", "select", "depth")
LISTINGS = ("items", "data", "results", "rows", "content", "entries", "records", "value", "liste", "", "")
TOKENS_OF = ("access_token", "token", "accessToken", "jwt", "auth_token")

# Names of accounts: kind of value, and how the member is called.
ACCOUNTS = (
    ("email", "email"), ("email", "username"), ("email", "login"), ("email", "user"), ("email", "mail"),
    ("email", "userName"), ("nick", "username"), ("nick", "login"), ("nick", "user"), ("nick", "handle"),
    ("phone", "msisdn"), ("phone", "phone"), ("phone", "mobile"), ("member", "memberNo"), ("member", "kundennummer"),
    ("member", "customerNumber"), ("email", "emailAddress"), ("nick", "benutzer"),
)  # fmt: skip
PASSWORDS = ("password", "passwd", "pwd", "pass", "passwort", "passphrase")
CODES = ("otp", "smsCode", "verification_code", "tan")

LOGIN_PATHS = ("login", "auth/login", "session", "sessions", "signin", "auth/token", "oauth/token", "token", "anmelden",
               "account/authenticate", "users/login", "iam/authenticate")  # fmt: skip
RESET_PATHS = (
    "forgot",
    "password/reset",
    "auth/forgot-password",
    "account/recover",
    "users/reset",
    "passwort/vergessen",
)
REGISTER_PATHS = ("register", "signup", "accounts", "users", "join", "registrieren")
ME_PATHS = ("me", "profile", "whoami", "account", "users/me", "self", "session/user")
HEALTH_PATHS = ("health", "healthz", "ping", "status", "alive", "actuator/health")
STAFF = ("admin", "backoffice", "internal", "ops", "console", "manage", "staff", "support")
EXPORTS = ("export", "report", "dump", "extract", "ledger", "download")
FETCHES = ("webhook", "callbacks", "import", "preview", "unfurl", "fetch", "avatar/from-url", "hooks/test", "sync")
LINKS = ("url", "link", "callback", "source", "target", "href", "endpoint", "imageUrl")
COUPONS = ("coupon", "voucher", "promo", "redeem", "gutschein", "bonus", "referral", "invite-code")
