"""iplocation, by a table of networks that the user gives.

Source: Search Reference, "iplocation". Splunk brings a database of its own, which is not to be had here: the lookup
file ``iplocation.csv`` of any app stands for it. Its columns: ``network`` (CIDR), City, Country, Region, lat, lon,
Continent, MetroCode, Timezone, and others that may be missing. The narrowest network that holds an address counts.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar

from apisec_sandbox.spl.commands.base import Arguments, Command, Env, Parse, added, boolean, union
from apisec_sandbox.spl.context import Context, Fields, LookupTable, Stage
from apisec_sandbox.spl.errors import SplError
from apisec_sandbox.spl.parser import Segment
from apisec_sandbox.spl.values import Row, address, network, to_text, values_of

TABLE = "iplocation.csv"
COLUMNS = ("City", "Country", "Region", "lat", "lon")
MORE_COLUMNS = ("Continent", "MetroCode", "Timezone")
IPLOCATION_OPTIONS = ("prefix", "allfields", "lang")
LANGUAGES = ("de", "en", "es", "fr", "ja", "pt-br", "ru", "zh-cn", "eo")


class Networks:
    """Rows by network: one dictionary a length of prefix, looked through from the longest on."""

    def __init__(self, rows: list[Row]) -> None:
        self._by_length: dict[tuple[int, int], dict[int, Row]] = {}
        for row in rows:
            net = network(to_text(row.get("network", "")))
            if net is None:
                raise SplError(
                    f"Error in 'iplocation' command: {TABLE} has the malformed network {row.get('network')!r}."
                )
            held = self._by_length.setdefault((net.version, net.prefixlen), {})
            held.setdefault(int(net.network_address), row)
        self._lengths = sorted(self._by_length, key=lambda pair: -pair[1])

    def find(self, text: str) -> Row | None:
        ip = address(text.strip())
        if ip is None:
            return None
        number = int(ip)
        for version, length in self._lengths:
            if version == ip.version:
                shift = ip.max_prefixlen - length
                found = self._by_length[version, length].get(number >> shift << shift)
                if found is not None:
                    return found
        return None


@dataclass
class IpLocation(Command):
    streaming: ClassVar[bool] = True
    field: str
    table: LookupTable
    prefix: str
    columns: tuple[str, ...]

    def needs(self, wanted: Fields) -> Fields:
        return union(wanted, (self.field,))

    def apply(self, stage: Stage, context: Context) -> Stage:  # noqa: ARG002
        names = [self.prefix + column for column in sorted(self.columns)]
        return Stage(self._rows(stage, Networks(self.table.rows())), added(stage.header, *names), stage.events)

    def _rows(self, stage: Stage, networks: Networks) -> Iterator[Row]:
        for row in stage.rows:
            found: Any = next(
                (one for value in values_of(row.get(self.field)) if (one := networks.find(to_text(value)))), None
            )
            for column in self.columns if found else ():
                if found.get(column) is not None:
                    row[self.prefix + column] = found[column]
            yield row


def parse_iplocation(segment: Segment, env: Env) -> Command:
    args = Arguments(segment)
    options = args.take(IPLOCATION_OPTIONS)
    field = args.field_name("the field with the address")
    options |= args.take(IPLOCATION_OPTIONS)
    args.close()
    table = env.services.lookup(TABLE)
    if table is None or not table.exists():
        raise args.fail(
            f"this stand-in brings no database of locations. Give one as the lookup file {TABLE} of an app, with the "
            f"columns network (CIDR), {', '.join(COLUMNS + MORE_COLUMNS)}"
        )
    language = options.get("lang", "en").lower()
    if language not in LANGUAGES:
        raise args.fail(f"unknown lang {language!r}; known: {', '.join(LANGUAGES)}")
    every = boolean(args, "allfields", options.get("allfields", "f"))
    return IpLocation(field, table, options.get("prefix", ""), COLUMNS + MORE_COLUMNS if every else COLUMNS)


COMMANDS: dict[str, Parse] = {"iplocation": parse_iplocation}
OPTIONS = {"iplocation": IPLOCATION_OPTIONS}
