"""The APIs that detections are measured on; nobody develops on them. They share no flow or shape with ``apis_dev``."""

from __future__ import annotations

from apisec_sandbox.campaigns.spec import ApiSpec, operations, resources

TICKETS = ApiSpec(
    "boxoffice", "tickets.test", "bearer", -6, "performances", "coded", flow=("hold", "seatmap", "settle", "issue"),
    people=1.4, pace=5.0, unchecked=("reservation",),
    resources=resources("""
        show pre - | headline=text doorsAt=time fee=money soldOut=bool
        reservation ulid holderRef | seats=int phase=held,settled,issued total=money holdUntil=time contactEmail=email
        fan ulid holderRef | contactEmail=email since=time newsletter=bool
    """),
    operations=operations("""
        enter POST /entry token login | contactEmail=email passphrase=password
        extend POST /entry/extend ack refresh | device=ios,web
        join POST /fans one:fan register | contactEmail=email passphrase=password
        lost POST /entry/lost ack reset | contactEmail=email
        self GET /fans/self one:fan me
        shows GET /shows?city&from many:show browse
        show GET /shows/{showId} one:show view
        suggest GET /shows/suggest?phrase many:show search
        lineup GET /shows/{showId}/lineup ack:show view*
        reservations GET /reservations?from many:reservation list
        reservation GET /reservations/{reservationId} one:reservation read
        amend PUT /reservations/{reservationId}/contact one:reservation update | contactEmail=email
        hold POST /reservations one:reservation create | seats=int
        seatmap POST /reservations/{reservationId}/seatmap ack:reservation step | block=A,B,C
        settle POST /reservations/{reservationId}/settle ack:reservation step | with=wallet,wire
        issue POST /reservations/{reservationId}/issue ack:reservation step | format=pdf,pass
        release DELETE /reservations/{reservationId} none:reservation remove
        presale POST /presale/unlock ack coupon | presale=code
        embed POST /embeds ack fetch | widget=link
        counter GET /counter/reservations?from many:reservation desk
        fans GET /operator/fans?from many:fan admin
        block POST /operator/fans/{fanId}/block ack:fan admin_write | reason=fraud,bot
        manifest GET /operator/manifest?show many:reservation export
        ready GET /ready up health
    """),
)  # fmt: skip

INSURER = ApiSpec(
    "insurer", "cover.test", "jwt", 2, "page", "problem", flow=("report", "evidence", "assess", "payout"), denied=403,
    partners=3, people=.8, pace=18.0, unchecked=("claim",),
    resources=resources("""
        tariff int - | label=text premium=money excess=money
        contract ord insured | tariff_code=text premium=money running=bool started=time
        claim snow insured | stage=reported,assessed,paid loss=money happened=time iban=iban
        insured ord insured | fullName=name birthDate=dob email=email
    """),
    operations=operations("""
        signin POST /svc/auth/signin token login | email=email pin=password
        prolong POST /svc/auth/prolong ack refresh | once=bool
        enrol POST /svc/insured one:insured register | email=email pin=password
        unlock POST /svc/auth/unlock ack reset | email=email
        card GET /svc/insured/card one:insured me
        tariffs GET /svc/tariffs?skip&take many:tariff browse
        tariff GET /svc/tariffs/{tariff_no} one:tariff view
        compare GET /svc/tariffs/compare?words many:tariff search
        contracts GET /svc/contracts?skip&take many:contract list
        contract GET /svc/contracts/{contract_no} one:contract read
        claims GET /svc/claims?skip&take many:claim list
        claim GET /svc/claims/{claim_no} one:claim read
        timeline GET /svc/claims/{claim_no}/timeline ack:claim read*
        restate PATCH /svc/claims/{claim_no} one:claim update | loss=money
        report POST /svc/claims one:claim create | loss=money cause=water,fire,theft
        evidence POST /svc/claims/{claim_no}/evidence ack:claim step | photos=int
        assess POST /svc/claims/{claim_no}/assess ack:claim step | remote=bool
        payout POST /svc/claims/{claim_no}/payout ack:claim step | speed=now,later
        drop DELETE /svc/claims/{claim_no} none:claim remove
        referral POST /svc/referral ack coupon | referral=code
        invoice POST /svc/evidence/by-link ack fetch | invoiceLink=link
        desk GET /svc/adjuster/claims?skip many:claim desk
        book GET /svc/underwriting/insured?skip many:insured admin
        rate PUT /svc/underwriting/insured/{ref}/rate ack:insured admin_write | factor=money
        ledger GET /svc/reinsurance/ledger?quarter many:claim export
        beat GET /svc/beat up health
    """),
)  # fmt: skip

CAMPUS = ApiSpec(
    "campus", "uni.test", "cookie", 9, "records", "coded", flow=("apply", "submit", "enroll"), people=1.1, pace=11.0,
    unchecked=("grade",), denied=403,
    resources=resources("""
        course ord - | name=text credits=int term=spring,autumn places=int
        enrolment int student | course=text status=applied,enrolled waitlist=int changed=time
        grade int student | points=money passed=bool examined=time remark=text
        student int student | full_name=name email=email semester=int
    """),
    operations=operations("""
        sso POST /portal/sso token login | account=email password=password
        ping POST /portal/sso/ping ack refresh | tab=int
        newbie POST /portal/applicants one:student register | email=email password=password
        recover POST /portal/recover ack reset | email=email
        profile GET /portal/profile one:student me
        courses GET /portal/courses?term&p many:course browse
        course GET /portal/courses/{code} one:course view
        query GET /portal/courses/query?kw many:course search
        enrolments GET /portal/enrolments?p many:enrolment list
        enrolment GET /portal/enrolments/{nr} one:enrolment read
        grades GET /portal/grades?p many:grade list
        grade GET /portal/grades/{nr} one:grade read
        appeal POST /portal/grades/{nr}/appeal ack:grade update* | text=text
        apply POST /portal/enrolments one:enrolment create | choice=int
        submit POST /portal/enrolments/{nr}/submit ack:enrolment step | signed=bool
        enroll POST /portal/enrolments/{nr}/enroll ack:enrolment step | seat=int
        leave DELETE /portal/enrolments/{nr} none:enrolment remove
        waiver POST /portal/waivers ack coupon | waiver=code
        library POST /portal/library/resolve ack fetch | doi=link
        office GET /portal/office/enrolments?p many:enrolment desk
        roll GET /portal/registrar/students?p many:student admin
        status PATCH /portal/registrar/students/{nr} ack:student admin_write | semester=int
        transcript GET /portal/registrar/transcripts?p many:grade export
        alive GET /portal/alive up health
    """),
)  # fmt: skip

FREIGHT = ApiSpec(
    "freight", "haul.test", "api_key", -5, "", "coded", flow=("tender", "accept", "dispatch", "deliver"), tenants=True,
    people=.35, partners=10, devices=.5, pace=5.0, unchecked=("load",),
    resources=resources("""
        lane pre - | from_city=text to_city=text rate=money
        load ulid carrier | state=tendered,moving,done weight=int pickup=time phone=phone
        proof hex carrier | pages=int signed=bool received=time full_name=name
        carrier ulid carrier | label=text email=email trucks=int
    """),
    operations=operations("""
        account GET /haul/account one:carrier me
        lanes GET /haul/lanes?cursor many:lane browse
        lane GET /haul/lanes/{lane} one:lane view
        route GET /haul/lanes/route?terms many:lane search
        loads GET /haul/loads?cursor&state many:load list
        load GET /haul/loads/{load} one:load read
        eta GET /haul/loads/{load}/eta ack:load read*
        weigh PUT /haul/loads/{load}/weight one:load update | weight=int
        proofs GET /haul/proofs?cursor many:proof list
        proof GET /haul/proofs/{proof} one:proof read
        tender POST /haul/loads one:load create | weight=int cooled=bool
        accept POST /haul/loads/{load}/accept ack:load step | price=money
        dispatch POST /haul/loads/{load}/dispatch ack:load step | truck=int
        deliver POST /haul/loads/{load}/deliver ack:load step | dock=int
        void DELETE /haul/loads/{load} none:load remove
        fuel POST /haul/fuel-cards/activate ack coupon | activation=code
        geofence POST /haul/geofences/load ack fetch | kml=link
        position POST /haul/positions ack ingest | speed=money heading=int
        control GET /haul/control/loads?cursor many:load desk
        carriers GET /haul/control/carriers?cursor many:carrier admin
        suspend PUT /haul/control/carriers/{carrier}/suspended ack:carrier admin_write | suspended=bool
        settlement GET /haul/control/settlement?week many:proof export
        live GET /haul/live up health
    """),
)  # fmt: skip

KITCHEN = ApiSpec(
    "kitchen", "eats.test", "jwt", 5, "entries", "list", flow=("basket", "checkout", "tip"), people=1.6, pace=5.0,
    unchecked=("meal",),
    resources=resources("""
        dish int - | dish=text kcal=int cost=money vegan=bool
        meal snow eater | state=cooking,riding,eaten cost=money phone=phone drop.street=street drop.postcode=postcode
        eater int eater | email=email phone=phone punches=int
    """),
    operations=operations("""
        hello POST /app/hello token login | email=email password=password
        again POST /app/hello/again ack refresh | build=int
        newbie POST /app/eaters one:eater register | email=email password=password
        oops POST /app/oops ack reset | email=email
        eater GET /app/eater one:eater me
        menu GET /app/menu?area&n many:dish browse
        dish GET /app/menu/{dishNo} one:dish view
        craving GET /app/menu/craving?mood many:dish search
        pairings GET /app/menu/{dishNo}/pairings ack:dish view*
        meals GET /app/meals?n many:meal list
        meal GET /app/meals/{mealNo} one:meal read
        door PATCH /app/meals/{mealNo} one:meal update | bell=text
        basket POST /app/meals one:meal create | portions=int
        checkout POST /app/meals/{mealNo}/checkout ack:meal step | pay=card,cash
        tip POST /app/meals/{mealNo}/tip ack:meal step | tip=money
        undo DELETE /app/meals/{mealNo} none:meal remove
        punch POST /app/punchcards ack coupon | punch=code
        photo POST /app/photos/from-web ack fetch | snap=link
        rescue GET /app/rescue/meals?n many:meal desk
        eaters GET /app/hq/eaters?n many:eater admin
        ban PUT /app/hq/eaters/{eaterNo}/ban ack:eater admin_write | days=int
        night GET /app/hq/night?n many:meal export
        wake GET /app/wake up health
    """),
)  # fmt: skip

JOBS = ApiSpec(
    "jobs", "hire.test", "bearer", 0, "edges", "problem", flow=("beginApplication", "attachCv", "sendApplication"),
    graphql="/query", people=.9, unchecked=("application",), tenants=True,
    resources=resources("""
        posting pre - | role=text salary=money remote=bool
        application uuid candidate | stage=open,sent,hired sentOn=time fullName=name email=email
        candidate uuid candidate | email=email years=int visible=bool
    """),
    operations=operations("""
        open POST /session token login | email=email password=password
        keep POST /session/keep ack refresh | tab=int
        start POST /candidates one:candidate register | email=email password=password
        mail POST /session/mail ack reset | email=email
        viewerProfile POST /query one:candidate me
        postings POST /query many:posting browse
        posting POST /query one:posting view
        searchPostings POST /query many:posting search
        myApplications POST /query many:application list
        application POST /query one:application read
        noteApplication POST /query one:application update
        similarPostings POST /query ack:posting view*
        beginApplication POST /query one:application create
        attachCv POST /query ack:application step
        sendApplication POST /query ack:application step
        withdrawApplication POST /query ack:application remove
        boost POST /boost ack coupon | boost=code
        parse POST /cv/parse ack fetch | cv=link
        recruiterInbox POST /query many:application desk
        allCandidates POST /query many:candidate admin
        hideCandidate POST /query ack:candidate admin_write
        funnelDump POST /query many:application export
        up GET /up up health
    """),
)  # fmt: skip

LEDGER = ApiSpec(
    "ledger", "books.test", "bearer", 10, "lines", "plain", flow=("voucher", "review", "post"), tenants=True, people=.6,
    partners=4, pace=10.0, denied=403, unchecked=("posting",),
    resources=resources("""
        chart ord - | caption=text side=debit,credit depth=int
        posting int firm | amount=money memo=text state=draft,reviewed,posted on=time
        payslip hex firm | full_name=name net=money iban=iban month=int
        firm hex firm | email=email seats=int frozen=bool
    """),
    operations=operations("""
        token POST /gl/token token login | email=email password=password
        renew POST /gl/token/renew ack refresh | ttl=int
        found POST /gl/firms one:firm register | email=email password=password
        reset POST /gl/reset ack reset | email=email
        firm GET /gl/firm one:firm me
        charts GET /gl/charts?at many:chart browse
        chart GET /gl/charts/{no} one:chart view
        grep GET /gl/charts/grep?for many:chart search
        postings GET /gl/postings?at&top many:posting list
        posting GET /gl/postings/{no} one:posting read
        correct PUT /gl/postings/{no} one:posting update | memo=text
        trail GET /gl/postings/{no}/trail ack:posting read*
        payslips GET /gl/payslips?at many:payslip list
        payslip GET /gl/payslips/{slip} one:payslip read
        voucher POST /gl/postings one:posting create | amount=money memo=text
        review POST /gl/postings/{no}/review ack:posting step | fine=bool
        post POST /gl/postings/{no}/post ack:posting step | period=int
        reverse DELETE /gl/postings/{no} none:posting remove
        credit POST /gl/credits ack coupon | credit=code
        feed POST /gl/feeds/try ack fetch | feed=link
        advisor GET /gl/advisor/postings?at many:posting desk
        firms GET /gl/root/firms?at many:firm admin
        freeze PUT /gl/root/firms/{firm}/frozen ack:firm admin_write | frozen=bool
        dump GET /gl/root/dump?at many:payslip export
        pulse GET /gl/pulse up health
    """),
)  # fmt: skip

POD = ApiSpec(
    "podcast", "pods.test", "cookie", 3, "feed", "plain", flow=("record", "transcode", "publish"), people=1.2,
    partners=0, pace=8.0, unchecked=("episode",),
    resources=resources("""
        genre int - | name=text shows=int explicit=bool
        episode pre host | headline=text seconds=int aired=time listens=int
        host pre host | email=email followers=int bio=text
    """),
    operations=operations("""
        signon POST /y/signon token login | email=email password=password
        stay POST /y/stay ack refresh | days=int
        signup POST /y/hosts one:host register | email=email password=password
        forgotten POST /y/forgotten ack reset | email=email
        host GET /y/host one:host me
        genres GET /y/genres?upto many:genre browse
        genre GET /y/genres/{genre} one:genre view
        hear GET /y/genres/hear?about many:genre search
        charts GET /y/genres/{genre}/charts many:genre view*
        episodes GET /y/episodes?upto many:episode list
        episode GET /y/episodes/{episode} one:episode read
        retitle PATCH /y/episodes/{episode} one:episode update | headline=text
        record POST /y/episodes one:episode create | headline=text seconds=int
        transcode POST /y/episodes/{episode}/transcode ack:episode step | bitrate=int
        publish POST /y/episodes/{episode}/publish ack:episode step | when=now,later
        pull DELETE /y/episodes/{episode} none:episode remove
        perk POST /y/perks ack coupon | perk=code
        ingestion POST /y/ingest ack fetch | enclosure=link
        care GET /y/care/episodes?upto many:episode desk
        hosts GET /y/care/hosts?upto many:host admin
        verify PUT /y/care/hosts/{host}/verified ack:host admin_write | verified=bool
        rss GET /y/care/rss?upto many:episode export
        ok GET /y/ok up health
    """),
)  # fmt: skip

APIS = (TICKETS, INSURER, CAMPUS, FREIGHT, KITCHEN, JOBS, LEDGER, POD)
