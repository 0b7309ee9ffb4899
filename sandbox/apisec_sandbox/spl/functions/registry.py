"""How functions of eval and where are registered, and what their builders are given."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from apisec_sandbox.spl.pcre import Pattern, compile_pattern
from apisec_sandbox.spl.values import Row

Evaluate = Callable[[Row], Any]
regex: Callable[[str], Pattern] = compile_pattern
MANY = 999
MAX_REPEAT = 100_000


@dataclass(frozen=True)
class Call:
    """The arguments of one call: compiled, their constant values (None where not constant), the fields of each."""

    args: list[Evaluate]
    constants: list[Any]
    fields: list[list[str]]
    now: float


@dataclass(frozen=True)
class Signature:
    build: Callable[[Call], Evaluate]
    arity: tuple[int, int]
    boolean: bool = False


SIGNATURES: dict[str, Signature] = {}
PER_VALUE = frozenset(("mvfilter", "mvmap"))
Builder = Callable[[Call], Evaluate]


def function(name: str, least: int, most: int | None = None, boolean: bool = False) -> Callable[[Builder], Builder]:
    """Register a builder; a name that is taken is refused."""

    def register(build: Builder) -> Builder:
        if name in SIGNATURES:
            raise ValueError(f"function {name} is registered twice")
        SIGNATURES[name] = Signature(build, (least, least if most is None else most), boolean)
        return build

    return register


def simple(name: str, least: int, most: int | None = None, boolean: bool = False) -> Callable[[Any], Any]:
    """Register a plain function of the values; any null argument gives null."""

    def register(plain: Callable[..., Any]) -> Callable[..., Any]:
        def build(call: Call) -> Evaluate:
            args = call.args
            if len(args) == 1:
                only = args[0]

                def one(row: Row) -> Any:
                    value = only(row)
                    return None if value is None else plain(value)

                return one

            def run(row: Row) -> Any:
                values = [arg(row) for arg in args]
                return None if any(value is None for value in values) else plain(*values)

            return run

        function(name, least, most, boolean)(build)
        return plain

    return register


def check_regex(call: Call, place: int) -> None:
    """Refuse a constant pattern that does not compile when the search is parsed, not when the first row comes."""
    if isinstance(call.constants[place], str):
        regex(call.constants[place])
