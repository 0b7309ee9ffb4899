"""Transactions made to take long: every value a beginning of something, every name a new one.

    python -m fuzz.hostile [--engine pure|native] [--mode balanced|strict] [--count 20]

prints the CPU milliseconds of the dearest ones (the least of three turns: other work on the machine counts in). Tests
hold that they are bounded by counts, that both engines make the same event of each, and that it says what is missing.
"""

from __future__ import annotations

import argparse
import base64
import json
import time
from collections.abc import Callable, Iterator

from apisec.model.transaction import Body, Client, Headers, Request, Response, Transaction
from apisec.redaction.keys import KeyRing, Tokenizer
from apisec_forwarder import keys
from apisec_forwarder.pipeline import PipelineSettings, Service, engine

SIZE = 1 << 17  # bytes of a body: as much as is analysed
_JSON = "application/json"

# Values of an array, by their number.
VALUES: dict[str, Callable[[int], object]] = {
    "quotes": lambda i: f"'{i}",
    "injections": lambda i: f"a' union select {i} or 1=1 --",
    "mixed": lambda i: f"<{i}' or 1={i}--%3c&gt;",
    "percent": lambda i: f"%2527%u0027{i}&lt;/*",
    "entities": lambda i: f"&lt;{i};/*",
    "escapes": lambda i: f"\\u0027{i}/**/",
    "digits": lambda i: str(1_000_000_007 * (i + 1) % 10**10),
    "cards": lambda i: f"4111-{i % 9000 + 1000}-1111-{i:04d}",
    "mails": lambda i: f"u{i}@e.com",
    "capitals": lambda i: f"Ab Cd{i} Ef",
    "assigned": lambda i: f"token{i}=x y:{i}",
    "base64": lambda i: base64.b64encode(f"hi {i} x@y.de".encode()).decode(),
    "json": lambda i: json.dumps({"a": i}),
    "xml": lambda i: f"<a>{i}</a>",
    "spoken": lambda i: f"tax id {i} vat",
    "integers": lambda i: 10**11 + i * 7919,
    "fractions": lambda i: 1 / (i + 3),
}
# Members of an object, by their number.
MEMBERS: dict[str, Callable[[int], tuple[str, object]]] = {
    "suspicious names": lambda i: (f"$a'{i}", i),
    "telling names": lambda i: (f"password{i}", f"x{i}"),
    "names": lambda i: (f"field{i}", f"x{i}y{i}"),
}
TEXTS: dict[str, tuple[str, str]] = {
    "long injection": (json.dumps("' or 1=1 --" * (SIZE // 12)), _JSON),
    "long digits": (json.dumps("".join(f"{i * 7919 % 10**8} " for i in range(SIZE // 9))), _JSON),
    "long capitals": (json.dumps("Ab Cd " * (SIZE // 7)), _JSON),
    "long mixture": (json.dumps("tel 030 12345 Mr. Ab iban DE12 3456 " * (SIZE // 37)), _JSON),
    "text": ("' or 1=1 --\n" * (SIZE // 12), "text/plain"),
    "form": ("&".join(f"k'{i}='+or+{i}" for i in range(9000)), "application/x-www-form-urlencoded"),
    "lines": ("\n".join(f'{{"a":"\' or {i}"}}' for i in range(6000)), "application/x-ndjson"),
    "elements": ("<r>" + "".join(f"<a b='{i}'>' or {i}</a>" for i in range(4000)) + "</r>", "application/xml"),
}


def transactions() -> Iterator[tuple[str, Transaction]]:
    """Yield hostile transactions by name, in the request and in the response."""
    for name, make in VALUES.items():
        text = _filled("[", "]", make)
        yield name, _sent(text, _JSON)
        yield f"{name}, answered", _answered(text)
    for name, member in MEMBERS.items():
        text = _filled("{", "}", member)
        yield name, _sent(text, _JSON)
    for name, (text, media) in TEXTS.items():
        yield name, _sent(text, media)
    yield "query", _sent("{}", _JSON, "/x?" + "&".join(f"a{i}=%27or{i}" for i in range(3000)))
    yield "path", _sent("{}", _JSON, "/" + "'or/" * 8000)
    yield "cookies", _sent("{}", _JSON, headers=(("cookie", "; ".join(f"c{i}='or {i}" for i in range(3000))),))
    yield "headers", _sent("{}", _JSON, headers=tuple((f"x-{i}", "' or 1=1 <a>") for i in range(400)))
    yield "long header", _sent("{}", _JSON, headers=(("x-a", "' or 1=1 <a>" * 8000),))
    yield (
        "head before body",
        _sent(
            _filled("[", "]", lambda i: f"a' or {i}='"),
            _JSON,
            headers=(("x-note", "' union select a from b--"),),
        ),
    )


def _filled(start: str, end: str, make: Callable[[int], object]) -> str:
    """Return an array of values, or an object of members, as long as a body is analysed."""
    pieces, size = [], len(start) + len(end)
    for number in range(9_900):
        made = make(number)
        piece = ":".join(map(json.dumps, made)) if isinstance(made, tuple) else json.dumps(made)
        size += len(piece) + 1
        if size > SIZE - 8:
            break
        pieces.append(piece)
    return start + ",".join(pieces) + end


def _sent(text: str, media: str, target: str = "/x", headers: Headers = ()) -> Transaction:
    data = text.encode()
    request = Request(
        "POST", target, (("content-type", media), *headers), Body(data, len(data)), "https", "shop.example"
    )
    return Transaction("t-1", 1.0, Client("192.0.2.1"), request, Response(200, (), Body(b"", 0)))


def _answered(text: str) -> Transaction:
    data = text.encode()
    request = Request("GET", "/x", (), Body(b"", 0), "https", "shop.example")
    return Transaction(
        "t-1", 1.0, Client("192.0.2.1"), request, Response(200, (("content-type", _JSON),), Body(data, len(data)))
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--engine", choices=("pure", "native"), default="pure")
    parser.add_argument("--mode", choices=("balanced", "strict"), default="balanced")
    parser.add_argument("--count", type=int, default=20, help="how many are printed (default 20)")
    args = parser.parse_args()
    settings = PipelineSettings("edge", "DEV", (Service("shop", "commerce", ("shop.example",)),), mode=args.mode)
    one = engine(settings, Tokenizer(KeyRing.parse(keys.generate())), args.engine)
    rows = []
    for name, made in transactions():
        taken = []
        for _ in range(3):
            began = time.process_time()
            event = one.process(made)
            taken.append(time.process_time() - began)
        rows.append((min(taken) * 1000, name, event["coverage"]))
    for milliseconds, name, coverage in sorted(rows, reverse=True)[: args.count]:
        print(f"{milliseconds:6.0f} ms  {name}  ({coverage})")


if __name__ == "__main__":
    main()
