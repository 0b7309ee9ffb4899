"""Feeds rows to groups of accumulators, batch by batch and column by column.

A batch's field is read once into a column and made numbers once; each group then takes its part of the column. That
is what makes a pass over events about as fast as a hand-written loop, with one code path for all functions.
"""

from __future__ import annotations

import functools
import itertools
import json
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from apisec_sandbox.spl.accumulators import Accumulator
from apisec_sandbox.spl.aggregates import to_numbers
from apisec_sandbox.spl.commands.aggregation import Aggregation
from apisec_sandbox.spl.context import Context
from apisec_sandbox.spl.errors import SplError
from apisec_sandbox.spl.values import Row, combinations, sort_key, to_number, to_text, values_of, wildcard_names

BATCH = 4096  # rows taken together
PRESTATS = "psrsvd_state"  # what a row of prestats=t carries: the states of its aggregations as JSON, by name
GroupKey = tuple[Any, ...]
NOTHING: frozenset[Any] = frozenset()  # one for all groups: there may be hundreds of thousands


def batches(rows: Iterable[Row], context: Context, size: int = BATCH) -> Iterator[list[Row]]:
    """Cut rows into lists, and let the job be cancelled between them."""
    source = iter(rows)
    while batch := list(itertools.islice(source, size)):
        context.check()
        yield batch


class Group:
    """Accumulators of one group: one per aggregation, and one per field for those with a wildcard."""

    __slots__ = ("accumulators", "rows", "void", "wild")

    def __init__(self, accumulators: list[Accumulator], wild: Sequence[dict[str, Accumulator]]) -> None:
        self.accumulators = accumulators
        self.wild = wild
        self.rows = 0  # how many rows it was fed
        self.void: frozenset[Any] = NOTHING  # with allnum: what saw a value that is no number

    def state(self) -> list[Any]:
        wild = [{name: item.state() for name, item in held.items()} for held in self.wild]
        return [
            [item.state() for item in self.accumulators],
            wild,
            [list(mark) if isinstance(mark, tuple) else mark for mark in self.void],
        ]


class Column:
    """One field of a batch. ``nested`` says that multivalues stand in it."""

    __slots__ = ("_numbers", "nested", "pure", "values", "whole")

    def __init__(self, values: list[Any]) -> None:
        kinds = set(map(type, values))
        self.values = values
        self.nested = list in kinds
        self.whole = type(None) not in kinds  # no null in it
        self.pure = False  # no null among the numbers, once they are there
        self._numbers: list[Any] | None = None

    def numbers(self) -> list[Any]:
        """Return the column with numbers, None where a value is none."""
        if self._numbers is None:
            if self.nested:
                self._numbers = [
                    [to_number(one) for one in value] if type(value) is list else to_number(value)
                    for value in self.values
                ]
            else:
                self._numbers = to_numbers(self.values)
                self.pure = None not in self._numbers
        return self._numbers


class Batch:
    """Rows with the columns that were read from them."""

    def __init__(self, rows: list[Row]) -> None:
        self.rows = rows
        self._columns: dict[Any, Column] = {}

    def field(self, name: str) -> Column:
        column = self._columns.get(name)
        if column is None:
            column = self._columns[name] = Column([row.get(name) for row in self.rows])
        return column

    def of(self, item: Aggregation) -> Column:
        if item.expression is None and item.field is not None:
            return self.field(item.field)
        column = self._columns.get(id(item))
        if column is None:
            value = item.value
            column = self._columns[id(item)] = Column([value(row) for row in self.rows])
        return column


class Keys:
    """The groups of a ``by`` clause: a value is known by its text, and shown as the number it was first.

    Source: Search Reference, "stats": rows that lack a field are left out; a multivalue puts a row into the group of
    each of its values, once (dedup_splitvals) or as often as it stands there.
    """

    def __init__(self, by: Sequence[str], dedup: bool = False) -> None:
        self.by = by
        self.dedup = dedup
        self._shown: dict[str, Any] = {}
        self._texts: dict[Any, str] = {}

    def _key(self, value: Any) -> Any:
        if type(value) is str or value is None:
            return value
        text = self._texts.get(value)
        if text is None:
            if len(self._texts) > 100_000:
                self._texts.clear()
            text = self._texts[value] = to_text(value)
            self._shown.setdefault(text, value)
        return text

    def shown(self, key: GroupKey) -> GroupKey:
        """Return a group's values as the result holds them."""
        return tuple(self._shown.get(text, text) for text in key)

    def ordered(self, keys: Iterable[GroupKey]) -> list[GroupKey]:
        """Return the groups in natural order: numbers by value before texts (limits.conf natural_sort_output)."""
        if len(self.by) == 1:
            return sorted(keys, key=lambda key: sort_key(key[0]))
        known = functools.cache(sort_key)  # many groups share a value
        return sorted(keys, key=lambda key: tuple(map(known, key)))

    def split(self, batch: Batch) -> dict[GroupKey, list[int]]:
        """Return the numbers of the rows of each group."""
        parts: defaultdict[GroupKey, list[int]] = defaultdict(list)
        columns = [batch.field(name) for name in self.by]
        if any(column.nested for column in columns):
            for place, row in enumerate(batch.rows):
                for key in self.of_row(row):
                    parts[key].append(place)
            return parts
        keyed = [self._column(column) for column in columns]
        for place, key in enumerate(zip(*keyed, strict=True)):
            parts[key].append(place)
        if not all(column.whole for column in columns):
            return {key: places for key, places in parts.items() if None not in key}
        return parts

    def _column(self, column: Column) -> list[Any]:
        if set(map(type, column.values)) == {str}:
            return column.values
        return [value if type(value) is str else self._key(value) for value in column.values]

    def of_value(self, value: Any) -> tuple[Any, ...]:
        """Return the groups of one field's value."""
        if type(value) is not list:
            return () if value is None else (self._key(value),)
        keys = [self._key(one) for one in value]
        return tuple(dict.fromkeys(keys)) if self.dedup else tuple(keys)

    def of_row(self, row: Row) -> list[GroupKey]:
        """Return the groups a row belongs to: none when it lacks a field, several for multivalues."""
        found = list(combinations([[self._key(one) for one in values_of(row.get(name))] for name in self.by]))
        return list(dict.fromkeys(found)) if self.dedup else found


class Aggregator:
    """Makes groups, feeds them and reads their results."""

    def __init__(self, aggregations: Iterable[Aggregation], allnum: bool = False) -> None:
        self.items = list(aggregations)
        self.allnum = allnum
        self.plain = [item for item in self.items if not item.wild and not item.parts]
        self.plain += [part for item in self.items for part in item.parts]
        self.wild = [(item, wildcard_names(str(item.field))) for item in self.items if item.wild]
        self._numeric = [item.numeric for item in self.plain]
        self._factories = [item.factory for item in self.plain]

    def new(self) -> Group:
        return Group([make() for make in self._factories], [{} for _ in self.wild] if self.wild else ())

    def feed(self, batch: Batch, parts: dict[GroupKey, list[int]] | None, groups: dict[GroupKey, Group]) -> None:
        """Feed a batch; ``parts`` are the rows of each group, None for all rows to the group ``()``."""
        places = {(): None} if parts is None else parts
        fed: list[tuple[Group, list[int] | None]] = []
        for key, rows in places.items():
            group = groups.get(key)
            if group is None:
                group = groups[key] = self.new()
            group.rows += len(batch.rows) if rows is None else len(rows)
            fed.append((group, rows))
        if batch.rows and PRESTATS in batch.rows[0]:
            self._absorb(batch, places, groups)
            return
        for number, item in enumerate(self.plain):
            column, numeric = batch.of(item), self._numeric[number]
            values = column.numbers() if numeric else column.values
            if item.timed or not (column.pure if numeric else column.whole) or column.nested:
                for group, rows in fed:
                    self._add(group.accumulators[number], column, rows, batch, (group, number))
                continue
            for group, rows in fed:  # the plain case, once for every group of every batch
                if rows is None:
                    taken = values
                else:
                    taken = [values[place] for place in rows] if len(rows) > 1 else [values[rows[0]]]
                group.accumulators[number].add(taken)
        if self.wild:
            self._feed_wild(batch, places, groups)

    def _absorb(self, batch: Batch, places: Any, groups: dict[GroupKey, Group]) -> None:
        """Merge rows that prestats=t made."""
        for key, rows in places.items():
            for place in range(len(batch.rows)) if rows is None else rows:
                states = json.loads(batch.rows[place].get(PRESTATS, "{}"))
                for item, accumulator in zip(self.plain, groups[key].accumulators, strict=True):
                    name = canonical(item)
                    if name not in states:
                        raise SplError(f"The preceding prestats=t did not compute {name}.")
                    part = item.factory()
                    part.restore(states[name])
                    accumulator.merge(part)

    def prestats(self, group: Group) -> str:
        """Return what a row of prestats=t carries."""
        if self.wild:
            raise SplError("prestats=t does not go with wildcards in field names.")
        pairs = zip(self.plain, group.accumulators, strict=True)
        return json.dumps({canonical(item): accumulator.state() for item, accumulator in pairs})

    def add_row(self, group: Group, row: Row) -> None:
        """Feed one row: the same as ``add``, without columns."""
        if self.wild or self.allnum or PRESTATS in row:
            self.add(group, [row])
            return
        group.rows += 1
        for item, accumulator in zip(self.plain, group.accumulators, strict=True):
            values = values_of(item.value(row))
            if accumulator.timed:
                accumulator.add_timed(values, [to_number(row.get("_time"))] * len(values))
            elif accumulator.numeric:
                accumulator.add([number for value in values if (number := to_number(value)) is not None])
            elif values:
                accumulator.add(values)

    def add(self, group: Group, rows: list[Row]) -> None:
        """Feed rows that all belong to one group."""
        self.feed(Batch(rows), None, {(): group})

    def _add(
        self, target: Accumulator, column: Column, rows: list[int] | None, batch: Batch, owner: tuple[Group, Any]
    ) -> None:
        values = column.numbers() if target.numeric else column.values
        if target.timed:
            self._add_timed(target, column, rows, batch)
            return
        taken = values if rows is None else [values[place] for place in rows]
        if column.nested:
            taken = [one for value in taken for one in values_of(value)]
        elif column.pure if target.numeric else column.whole:
            target.add(taken)
            return
        kept = [value for value in taken if value is not None]
        if self.allnum and target.numeric and self._impure(column, rows, len(kept)):
            owner[0].void |= {owner[1]}
        target.add(kept)

    @staticmethod
    def _impure(column: Column, rows: list[int] | None, numbers: int) -> bool:
        """Whether a value is there that is no number."""
        values = column.values if rows is None else [column.values[place] for place in rows]
        return sum(len(values_of(value)) for value in values) > numbers

    @staticmethod
    def _add_timed(target: Accumulator, column: Column, rows: list[int] | None, batch: Batch) -> None:
        times = batch.field("_time").numbers()
        pairs = [
            (one, times[place])
            for place in (range(len(times)) if rows is None else rows)
            for one in values_of(column.values[place])
        ]
        target.add_timed([value for value, _ in pairs], [when for _, when in pairs])

    def _feed_wild(self, batch: Batch, places: Any, groups: dict[GroupKey, Group]) -> None:
        names = dict.fromkeys(name for row in batch.rows for name in row if not name.startswith("_"))
        for number, (item, test) in enumerate(self.wild):
            for name in names:
                if not test(name):
                    continue
                column = batch.field(name)
                for key, rows in places.items():
                    held = groups[key].wild[number]
                    if name not in held:
                        held[name] = item.factory()
                    self._add(held[name], column, rows, batch, (groups[key], (number, name)))

    def results(self, group: Group) -> dict[str, Any]:
        """Return the outputs by name in the order of the aggregations, null ones left out."""
        values: dict[str, Any] = {}
        for number, (item, accumulator) in enumerate(zip(self.plain, group.accumulators, strict=True)):
            values[item.output] = None if number in group.void else accumulator.result()
        found: dict[str, Any] = {}
        for item in self.items:
            if item.wild:
                self._wild_results(item, group, found)
                continue
            value = item.expression.run(values) if item.parts and item.expression else values[item.output]
            if value is not None:
                found[item.output] = value
        return found

    def _wild_results(self, item: Aggregation, group: Group, found: dict[str, Any]) -> None:
        number = next(place for place, (other, _) in enumerate(self.wild) if other is item)
        for name, accumulator in group.wild[number].items():
            value = None if (number, name) in group.void else accumulator.result()
            if value is not None:
                found[wild_output(item, name)] = value

    def merge(self, group: Group, other: Group) -> None:
        """Take over what another group saw behind what this one saw."""
        for own, its in zip(group.accumulators, other.accumulators, strict=True):
            own.merge(its)
        for (item, _), held, more in zip(self.wild, group.wild, other.wild, strict=True):
            for name, accumulator in more.items():
                if name not in held:
                    held[name] = item.factory()
                held[name].merge(accumulator)
        group.void |= other.void
        group.rows += other.rows

    def restore(self, state: Sequence[Any]) -> Group:
        """Make a group from ``Group.state``."""
        group = self.new()
        for accumulator, own in zip(group.accumulators, state[0], strict=True):
            accumulator.restore(own)
        for (item, _), held, states in zip(self.wild, group.wild, state[1], strict=True):
            for name, own in states.items():
                held[name] = item.factory()
                held[name].restore(own)
        group.void = frozenset(tuple(mark) if isinstance(mark, list) else mark for mark in state[2])
        return group


def canonical(item: Aggregation) -> str:
    """The name of what an aggregation computes, whatever it is called: ``mean(x)`` and ``avg(x)`` are one."""
    function = SYNONYMS.get(item.function, item.function)
    function = re.sub(r"\A(?:perc|p|upperperc|exactperc)(?=\d)", "perc", function)
    return f"{function}({item.field or ''})" if item.expression is None else f"{function}({item.output})"


SYNONYMS = {"c": "count", "distinct_count": "dc", "estdc": "dc", "mean": "avg", "median": "perc50"}


def wild_output(item: Aggregation, name: str) -> str:
    """``values(*) AS *`` gives the field's own name, ``avg(x*)`` gives ``avg(x1)``."""
    pattern = str(item.field)
    if item.output == f"{item.function}({pattern})" or "*" not in item.output:
        return f"{item.function}({name})"
    match = wildcard_names(pattern)(name)
    groups = match.groups() if match else ()
    parts = item.output.split("*")
    return "".join(part + (groups[place] if place < len(groups) else "") for place, part in enumerate(parts))
