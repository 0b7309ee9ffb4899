"""One harness under atheris: ``python -m fuzz.target NAME [LIBFUZZER OPTIONS]``, as ``fuzz.run`` starts it."""

from __future__ import annotations

import sys

import atheris

HANG_SECONDS = 2.0  # CPU of one instrumented input; fuzz.run times the corpus again as it runs in production


def main() -> None:
    """Instrument the product, then hand over to libFuzzer."""
    with atheris.instrument_imports(include=["apisec", "apisec_forwarder"]):
        from fuzz import decoding, engines, events  # here, so that it is instrumented
    check = {"decoding": decoding.check, "engines": engines.check, "events": events.check}[sys.argv.pop(1)]

    def one(data: bytes) -> None:
        taken = check(data)
        if taken > HANG_SECONDS:
            raise TimeoutError(f"{taken:.2f} s of CPU for {len(data)} bytes")

    atheris.Setup(sys.argv, one)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
