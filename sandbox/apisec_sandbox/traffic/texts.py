"""What ordinary people type: searches and reviews, some of which look like attacks and are none."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Texts:
    searches: tuple[str, ...]
    tricky_searches: tuple[str, ...]
    reviews: tuple[tuple[str, str], ...]
    tricky_reviews: tuple[tuple[str, str], ...]
    refund_reasons: tuple[str, ...]
    notes: tuple[str, ...]


TRAIN = Texts(
    searches=(
        "tea",
        "earl grey",
        "kettle",
        "mug",
        "organic",
        "shortbread",
        "cold brew",
        "table cloth",
        "teapot",
        "chai",
    ),
    tricky_searches=(
        "select tea from the shop's union",
        "O'Brien's biscuits",
        "mum's & dad's mugs",
        "drop table cloth",
        "tea for < 5 euro",
        "rock'n'roll mug",
        "10 or more = free shipping?",
        "where can i order by phone",
        "milk jug (1/2 pint); white",
        "50% off -- ends today!",
        "café crème",
        "cat mug and dog mug",
        "gift | birthday",
        "insert for strainer",
    ),
    reviews=(
        ("Great tea", "We drink it every morning. The tin keeps it fresh for weeks."),
        ("Fine", "Good quality for the price, delivery took four days."),
        ("A present", "My sister was very happy with it, thank you!"),
        ("Too sweet", "Not my taste, a little too sweet, but well made."),
    ),
    tricky_reviews=(
        ("Brewing table", "| time | taste |\n|---|---|\n| 2 min | light |\n| 5 min | **strong** |\n\n> don't boil it"),
        ("My tea timer", "I wrote `for (i = 0; i < 5; i++) { sleep(60); }` and it beeps. Union of geek & tea!"),
        ("I <3 it", "Tea > coffee, and 3 < 5 stars would be unfair; <b>really</b> love it."),
        ("It's ok", "It's not 'the best', it's just \"ok\" -- select another one from the list if you like milk."),
        ("Für Teeliebhaber", "Schöner Geschmack, die Dose schließt gut. Preis/Leistung: 1 = sehr gut."),
        ("Lost parcel", "Track & trace said /home/../depot, whatever that means; support fixed it."),
    ),
    refund_reasons=("damaged on arrival", "ordered twice by mistake", "it's not what I expected; sorry", "too late"),
    notes=("Please see the attached document.", "Here's my proof of address & ID."),
)

HELDOUT = Texts(
    searches=("sencha", "espresso", "garden diary", "wafer", "royal", "nordic", "milk jug", "rooibos", "cook book"),
    tricky_searches=(
        "grandma's union jack mug, select edition",
        "what's the best order by weight? 1 or 2 kg",
        "delete my basket and start again",
        "D'Angelo's `special` roast",
        "\"velvet\" mug + 'golden' kettle",
        "herbata z cytryną",
        "緑茶 セット",
        "table for two; chairs too",
        "a=b tea strainer",
        "update on having fun from 9 to 5",
        "price <= 20 && rating >= 4",
        "/dev/mug programmer gift",
        "{{name}} personalised cup",
        "tea (loose) #1 -- not bags",
        "cat /etc mug for sysadmins",
    ),
    reviews=(
        ("Super", "Polecam, bardzo dobry smak i szybka dostawa."),
        ("Çok iyi", "Tadı harika, paketleme özenli."),
        ("いい香り", "香りが良くて、また買いたいです。"),
        ("Solid", "Does what it should. Lid fits tightly."),
    ),
    tricky_reviews=(
        ("Config", "```yaml\nbrew:\n  temp: 80\n  note: \"don't boil\"\n```\nWorks for me; YMMV & all that."),
        ("SQL joke", "SELECT * FROM shelf WHERE tea = 'gone'; -- my partner drank it. Ordering again, haha"),
        ("HTML mug", "The mug says <body>coffee</body> and everybody at work laughs. 5/5."),
        ("Maths", "If price < 10 and quality > 8 then buy; or 1 == 1, just buy it."),
        ("Path", "See ../instructions on the box (step 3), then cd into the kitchen && boil water."),
        ("Ірина", "Дуже смачний чай, дякую! <3"),
    ),
    refund_reasons=("uszkodzone opakowanie", "wrong size, isn't a mug but a thimble", "kırık geldi", "changed my mind"),
    notes=("W załączniku dokument tożsamości.", "scan of my card's back side & statement"),
)  # fmt: skip

TEXTS = {"train": TRAIN, "heldout": HELDOUT}
