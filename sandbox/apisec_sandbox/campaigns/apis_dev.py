"""The APIs that detections are developed on. Held-out ones share no name, shape or flow with them."""

from __future__ import annotations

from apisec_sandbox.campaigns.spec import ApiSpec, operations, resources

SHOP = ApiSpec(
    "webshop", "shop.example", "jwt", 1, "items", "plain", flow=("cart", "pay", "confirm"), unchecked=("order",),
    resources=resources("""
        product int - | title=text price=money stock=int rating=money
        order int customer | status=open,paid,sent total=money email=email to.street=street to.postcode=postcode
        account int customer | email=email tier=basic,plus,gold created_at=time
    """),
    operations=operations("""
        login POST /auth/login token login | username=email password=password
        refresh POST /auth/refresh ack refresh | grant=refresh
        register POST /auth/register one:account register | email=email password=password
        forgot POST /auth/password-reset ack reset | email=email
        me GET /me one:account me
        products GET /products?limit&page many:product browse
        product GET /products/{product_id} one:product view
        find GET /products/search?limit&q many:product search
        related GET /products/{product_id}/related many:product view*
        orders GET /orders?limit&page many:order list
        order GET /orders/{order_id} one:order read
        edit PATCH /orders/{order_id} one:order update | note=text gift=bool
        cart POST /orders one:order create | items=int currency=EUR,USD
        pay POST /orders/{order_id}/payment ack:order step | method=card,invoice
        confirm POST /orders/{order_id}/confirm ack:order step | terms=bool
        cancel DELETE /orders/{order_id} none:order remove
        voucher POST /vouchers/redeem ack coupon | voucher=code
        preview POST /import/preview ack fetch | picture=link
        desk GET /backoffice/orders?page&status many:order desk
        users GET /admin/users?limit&page many:account admin
        tier PUT /admin/users/{user_id}/tier ack:account admin_write | tier=basic,plus,gold
        export GET /reports/orders?day&limit many:order export
        health GET /health up health
    """),
)  # fmt: skip

BANK = ApiSpec(
    "retailbank", "bank.example", "jwt", 0, "data", "problem", flow=("draft", "challenge", "execute"), denied=403,
    partners=2, pace=14.0, unchecked=("statement",),
    resources=resources("""
        product pre - | title=text rate=money
        wallet pre holder | kind=giro,savings balance=money iban=iban opened_at=time
        transfer uuid holder | amount=money state=draft,sent,booked booked_at=time iban=iban purpose=text
        statement int holder | month=int lines=int opening=money closing=money email=email
        profile pre holder | email=email phone=phone kyc=done,open
    """),
    operations=operations("""
        login POST /v1/session token login | login=email password=password
        refresh POST /v1/session/renew ack refresh | grant=renew
        register POST /v1/customers one:profile register | email=email password=password
        forgot POST /v1/password/forgotten ack reset | email=email
        me GET /v1/profile one:profile me
        offers GET /v1/offers?page many:product browse
        offer GET /v1/offers/{offer_id} one:product view
        lookup GET /v1/offers/lookup?q many:product search
        wallets GET /v1/wallets many:wallet list
        wallet GET /v1/wallets/{wallet_id} one:wallet read
        limits PATCH /v1/wallets/{wallet_id} one:wallet update | alias=text
        transfers GET /v1/transfers?cursor&size many:transfer list
        transfer GET /v1/transfers/{transfer_id} one:transfer read
        statements GET /v1/statements?year many:statement list
        statement GET /v1/statements/{statement_id} one:statement read
        insight GET /v1/wallets/{wallet_id}/insights ack:wallet read*
        draft POST /v1/transfers one:transfer create | amount=money iban=iban
        challenge POST /v1/transfers/{transfer_id}/challenge ack:transfer step | channel=app,sms
        execute POST /v1/transfers/{transfer_id}/execute ack:transfer step | answer=text
        withdraw DELETE /v1/transfers/{transfer_id} none:transfer remove
        bonus POST /v1/bonus ack coupon | bonus=code
        hook POST /v1/webhooks/test ack fetch | target=link
        desk GET /v1/desk/transfers?page&state many:transfer desk
        audit GET /v1/admin/customers?page many:profile admin
        kyc PUT /v1/admin/customers/{customer_id}/kyc ack:profile admin_write | kyc=done,open
        export GET /v1/clearing?day&size many:transfer export
        health GET /v1/ping up health
    """),
)  # fmt: skip

CLINIC = ApiSpec(
    "clinic", "clinic.example", "cookie", -5, "results", "list", flow=("book", "intake", "checkin"), people=.7,
    unchecked=("visit",),
    resources=resources("""
        doctor int - | title=text speciality=cardiology,dermatology,surgery seats=int
        visit ord person | state=planned,done,missed starts_at=time room=text remark=text
        letter hex person | subject=text pages=int sent_at=time email=email
        chart int person | full_name=name birth_date=dob phone=phone email=email
    """),
    operations=operations("""
        login POST /api/login token login | user=email password=password
        refresh POST /api/keepalive ack refresh | keep=yes
        register POST /api/signup one:chart register | email=email password=password
        forgot POST /api/forgot ack reset | email=email
        me GET /api/chart one:chart me
        doctors GET /api/doctors?page many:doctor browse
        doctor GET /api/doctors/{doctor_id} one:doctor view
        seek GET /api/doctors/seek?term many:doctor search
        visits GET /api/visits?page many:visit list
        visit GET /api/visits/{visit_id} one:visit read
        remark PATCH /api/visits/{visit_id} one:visit update | remark=text
        letters GET /api/letters?page many:letter list
        letter GET /api/letters/{letter_id} one:letter read
        reminder POST /api/visits/{visit_id}/reminder ack:visit update* | channel=mail,sms
        book POST /api/visits one:visit create | slot=int reason=text
        intake POST /api/visits/{visit_id}/intake ack:visit step | allergies=none,some
        checkin POST /api/visits/{visit_id}/checkin ack:visit step | arrived=bool
        drop DELETE /api/visits/{visit_id} none:visit remove
        referral POST /api/referrals/claim ack coupon | claim=code
        pull POST /api/letters/pull ack fetch | origin=link
        desk GET /api/ward/visits?day&page many:visit desk
        staff GET /api/ward/charts?page many:chart admin
        assign PUT /api/ward/charts/{chart_id}/ward ack:chart admin_write | ward=a,b,c
        export GET /api/billing?day many:visit export
        health GET /api/health up health
    """),
)  # fmt: skip

WORKSPACE = ApiSpec(
    "workspace", "work.example", "bearer", 1, "", "plain", flow=("invite", "approve", "activate"), tenants=True,
    people=1.2, pace=6.0, denied=403, unchecked=("document",),
    resources=resources("""
        template pre - | title=text blocks=int
        document uuid workspace | title=text body=text words=int updated_at=time
        seat pre workspace | email=email role=member,guest state=open,active
        member pre workspace | email=email full_name=name role=member,admin
    """),
    operations=operations("""
        login POST /oauth/token token login | username=email password=password
        refresh POST /oauth/refresh ack refresh | grant=refresh
        register POST /signup one:member register | email=email password=password
        forgot POST /password ack reset | email=email
        me GET /whoami one:member me
        templates GET /templates?offset many:template browse
        template GET /templates/{template_id} one:template view
        quick GET /templates/quick?text many:template search
        documents GET /documents?limit&offset many:document list
        document GET /documents/{document_id} one:document read
        save PUT /documents/{document_id} one:document update | title=text body=text
        comments GET /documents/{document_id}/comments ack:document read*
        seats GET /seats?offset many:seat list
        seat GET /seats/{seat_id} one:seat read
        invite POST /seats one:seat create | email=email role=member,guest
        approve POST /seats/{seat_id}/approve ack:seat step | by=owner,admin
        activate POST /seats/{seat_id}/activate ack:seat step | agreed=bool
        revoke DELETE /seats/{seat_id} none:seat remove
        promo POST /billing/promo ack coupon | promo=code
        unfurl POST /unfurl ack fetch | page=link
        desk GET /support/documents?offset many:document desk
        members GET /console/members?limit&offset many:member admin
        grant PUT /console/members/{member_id}/role ack:member admin_write | role=member,admin
        export GET /console/export?offset many:document export
        health GET /healthz up health
    """),
)  # fmt: skip

TELEMETRY = ApiSpec(
    "telemetry", "iot.example", "jwt", 8, "entries", "problem", flow=("claim", "pair", "arm"), people=.4, devices=.6,
    unchecked=("sensor",),
    resources=resources("""
        firmware int - | version=text size=int
        sensor snow keeper | label=text state=on,off,lost battery=int seen_at=time
        alarm int keeper | level=low,high raised_at=time cleared=bool
        keeper pre keeper | email=email sites=int
    """),
    operations=operations("""
        login POST /api/2/login token login | name=email password=password
        refresh POST /api/2/login/extend ack refresh | extend=yes
        register POST /api/2/keepers one:keeper register | email=email password=password
        forgot POST /api/2/forgot ack reset | email=email
        me GET /api/2/keeper one:keeper me
        firmwares GET /api/2/firmware?from many:firmware browse
        firmware GET /api/2/firmware/{firmware_id} one:firmware view
        scan GET /api/2/firmware/scan?text many:firmware search
        sensors GET /api/2/sensors?count&from many:sensor list
        sensor GET /api/2/sensors/{sensor_id} one:sensor read
        rename PATCH /api/2/sensors/{sensor_id} one:sensor update | label=text
        history GET /api/2/sensors/{sensor_id}/history ack:sensor read*
        alarms GET /api/2/alarms?from many:alarm list
        alarm GET /api/2/alarms/{alarm_id} one:alarm read
        claim POST /api/2/sensors one:sensor create | label=text kind=heat,smoke,door
        pair POST /api/2/sensors/{sensor_id}/pair ack:sensor step | nonce=text
        arm POST /api/2/sensors/{sensor_id}/arm ack:sensor step | mode=home,away
        retire DELETE /api/2/sensors/{sensor_id} none:sensor remove
        trial POST /api/2/trial ack coupon | trial=code
        callback POST /api/2/callbacks/probe ack fetch | callback=link
        readings POST /api/2/readings ack ingest | celsius=money volts=money
        desk GET /api/2/fleet/sensors?from&state many:sensor desk
        keepers GET /api/2/fleet/keepers?from many:keeper admin
        quota PUT /api/2/fleet/keepers/{keeper_id}/quota ack:keeper admin_write | quota=int
        export GET /api/2/fleet/dump?from many:sensor export
        health GET /api/2/alive up health
    """),
)  # fmt: skip

STUDIO = ApiSpec(
    "studio", "studio.example", "jwt", -8, "nodes", "list", flow=("StartEdit", "RenderEdit", "PublishEdit"),
    graphql="/graphql", people=.8, unchecked=("clip",),
    resources=resources("""
        genre int - | title=text weight=int
        clip pre maker | title=text seconds=int state=raw,ready,live created_at=time
        maker pre maker | email=email followers=int
    """),
    operations=operations("""
        login POST /login token login | username=email password=password
        refresh POST /login/refresh ack refresh | grant=refresh
        register POST /join one:maker register | email=email password=password
        forgot POST /forgot ack reset | email=email
        Viewer POST /graphql one:maker me
        Genres POST /graphql many:genre browse
        Genre POST /graphql one:genre view
        FindGenres POST /graphql many:genre search
        MyClips POST /graphql many:clip list
        Clip POST /graphql one:clip read
        Retitle POST /graphql one:clip update
        ClipStats POST /graphql ack:clip read*
        StartEdit POST /graphql one:clip create
        RenderEdit POST /graphql ack:clip step
        PublishEdit POST /graphql ack:clip step
        Unpublish POST /graphql ack:clip remove
        code POST /redeem ack coupon | code=code
        grab POST /grab ack fetch | media=link
        Moderation POST /graphql many:clip desk
        AllMakers POST /graphql many:maker admin
        BanMaker POST /graphql ack:maker admin_write
        Dump POST /graphql many:clip export
        health GET /health up health
    """),
)  # fmt: skip

SUPPLY = ApiSpec(
    "supply", "supply.example", "api_key", 5, "rows", "plain", flow=("request", "quote", "order"), people=.3,
    partners=8, tenants=True, pace=4.0, denied=403, unchecked=("quotation",),
    resources=resources("""
        article ord - | title=text price=money unit=kg,pcs,m
        quotation ord buyer | state=asked,given,ordered amount=money due_at=time email=email
        invoice snow buyer | amount=money paid=bool due_at=time iban=iban
        buyer pre buyer | company=text email=email
    """),
    operations=operations("""
        me GET /b2b/self one:buyer me
        articles GET /b2b/articles?page&rows many:article browse
        article GET /b2b/articles/{article_id} one:article view
        match GET /b2b/articles/match?text many:article search
        quotations GET /b2b/quotations?page&rows many:quotation list
        quotation GET /b2b/quotations/{quotation_id} one:quotation read
        adjust PATCH /b2b/quotations/{quotation_id} one:quotation update | amount=money
        tracking GET /b2b/quotations/{quotation_id}/tracking ack:quotation read*
        invoices GET /b2b/invoices?page many:invoice list
        invoice GET /b2b/invoices/{invoice_id} one:invoice read
        request POST /b2b/quotations one:quotation create | lines=int incoterm=EXW,FCA,DDP
        quote POST /b2b/quotations/{quotation_id}/accept ack:quotation step | terms=bool
        order POST /b2b/quotations/{quotation_id}/order ack:quotation step | reference=text
        void DELETE /b2b/quotations/{quotation_id} none:quotation remove
        rebate POST /b2b/rebates ack coupon | rebate=code
        catalogue POST /b2b/catalogues/load ack fetch | location=link
        desk GET /b2b/agent/quotations?page many:quotation desk
        buyers GET /b2b/manage/buyers?page many:buyer admin
        terms PUT /b2b/manage/buyers/{buyer_id}/terms ack:buyer admin_write | days=int
        export GET /b2b/ledger?day&rows many:invoice export
        health GET /b2b/status up health
    """),
)  # fmt: skip

MEDIA = ApiSpec(
    "media", "media.example", "jwt", -3, "list", "plain", flow=("rent", "licence", "play"), people=1.5, partners=0,
    pace=7.0, unchecked=("rental",),
    resources=resources("""
        title hex - | name=text minutes=int year=int score=money
        rental ulid viewer | quality=sd,hd,uhd until=time price=money
        viewer hex viewer | email=email plan=free,family,solo
    """),
    operations=operations("""
        login POST /rest/signin token login | email=email password=password
        refresh POST /rest/signin/again ack refresh | again=yes
        register POST /rest/viewers one:viewer register | email=email password=password
        forgot POST /rest/lost ack reset | email=email
        me GET /rest/viewer one:viewer me
        titles GET /rest/titles?after&n many:title browse
        title GET /rest/titles/{title_id} one:title view
        finder GET /rest/titles/finder?q many:title search
        trailers GET /rest/titles/{title_id}/trailers many:title view*
        rentals GET /rest/rentals?after many:rental list
        rental GET /rest/rentals/{rental_id} one:rental read
        quality PATCH /rest/rentals/{rental_id} one:rental update | quality=sd,hd,uhd
        rent POST /rest/rentals one:rental create | quality=sd,hd,uhd days=int
        licence POST /rest/rentals/{rental_id}/licence ack:rental step | drm=a,b
        play POST /rest/rentals/{rental_id}/play ack:rental step | bitrate=int
        back DELETE /rest/rentals/{rental_id} none:rental remove
        gift POST /rest/gifts ack coupon | gift=code
        poster POST /rest/posters ack fetch | image=link
        desk GET /rest/care/rentals?after many:rental desk
        viewers GET /rest/care/viewers?after many:viewer admin
        plan PUT /rest/care/viewers/{viewer_id}/plan ack:viewer admin_write | plan=free,family,solo
        export GET /rest/royalties?day many:rental export
        health GET /rest/up up health
    """),
)  # fmt: skip

APIS = (SHOP, BANK, CLINIC, WORKSPACE, TELEMETRY, STUDIO, SUPPLY, MEDIA)
