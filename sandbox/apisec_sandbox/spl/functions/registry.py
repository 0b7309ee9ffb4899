"""How functions of eval and where are registered, and what their builders are given."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from apisec_sandbox.spl.errors import SplError
from apisec_sandbox.spl.pcre import Pattern, compile_pattern
from apisec_sandbox.spl.values import Row

Evaluate = Callable[[Row], Any]
regex: Callable[[str], Pattern] = compile_pattern
MANY = 999
MAX_REPEAT = 100_000


@dataclass
class Call:
    """The arguments of one call: compiled, their constant values (None where not constant), the fields of each.

    ``digits`` are the significant digits and decimals of each (sigfig); a builder adds to ``reads`` what its call
    reads beside its arguments.
    """

    args: list[Evaluate]
    constants: list[Any]
    fields: list[list[str]]
    now: float
    booleans: list[bool] = field(default_factory=list)
    digits: list[tuple[int | None, int | None]] = field(default_factory=list)
    services: Any = None
    reads: frozenset[str] = frozenset()


def invalid(name: str, why: str) -> SplError:
    """Splunk's words for arguments that a function cannot take, and what is wrong with them."""
    return SplError(f"The arguments to the '{name}' function are invalid: {why}")


@dataclass(frozen=True)
class Signature:
    build: Callable[[Call], Evaluate]
    arity: tuple[int, int]
    boolean: bool = False


SIGNATURES: dict[str, Signature] = {}
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
            if all(constant is not None for constant in call.constants) and args:
                return _folded(plain, call.constants)
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


def _folded(plain: Callable[..., Any], constants: list[Any]) -> Evaluate:
    """Compute a call of constants once, when the first row asks for it."""
    held: list[Any] = []

    def run(_row: Row) -> Any:
        if not held:
            held.append(plain(*constants))
        value = held[0]
        return list(value) if type(value) is list else value

    return run


def check_regex(call: Call, place: int) -> None:
    """Refuse a constant pattern that does not compile when the search is parsed, not when the first row comes."""
    if isinstance(call.constants[place], str):
        regex(call.constants[place])
