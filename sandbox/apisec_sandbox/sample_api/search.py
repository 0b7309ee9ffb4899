"""Product search by SQL built from text: injectable, a deliberate weakness, inside a fence.

The database is in memory and holds only seeded data. The fence: one SELECT, reading two tables, a bound on
instructions, on the length of values and on rows. So an injection reads what it should not, and nothing else.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable

from apisec_sandbox.sample_api.model import Account, Product

MAX_ROWS = 40
MAX_INSTRUCTIONS = 50_000
MAX_VALUE_BYTES = 20_000
FUNCTIONS = frozenset({"like", "lower", "upper", "length", "substr", "char", "coalesce", "sqlite_version", "hex"})

Row = tuple[object, ...]


def _authorise(action: int, _first: str | None, name: str | None, _db: str | None, _trigger: str | None) -> int:
    """Allow reading and a few functions; SQLite gives a function's name as the second argument."""
    allowed = action in (sqlite3.SQLITE_SELECT, sqlite3.SQLITE_READ) or (
        action == sqlite3.SQLITE_FUNCTION and (name or "").lower() in FUNCTIONS
    )
    return sqlite3.SQLITE_OK if allowed else sqlite3.SQLITE_DENY


class ProductSearch:
    """Answers ``(rows, warning)``; the warning repeats the database's error (verbose errors, deliberate)."""

    def __init__(self, products: Iterable[Product], accounts: Iterable[Account]) -> None:
        self._db = sqlite3.connect(":memory:", check_same_thread=False)
        self._db.execute("CREATE TABLE products (slug TEXT, name TEXT, category TEXT, price INTEGER)")
        self._db.execute("CREATE TABLE customers (email TEXT, full_name TEXT, ssn TEXT, phone TEXT)")
        self._db.executemany(
            "INSERT INTO products VALUES (?, ?, ?, ?)",
            [(product.slug, product.name, product.category, product.price) for product in products],
        )
        self._db.executemany(
            "INSERT INTO customers VALUES (?, ?, ?, ?)",
            [(account.email, account.full_name, account.ssn, account.phone) for account in accounts],
        )
        self._db.commit()
        self._db.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, MAX_VALUE_BYTES)
        self._db.set_progress_handler(lambda: 1, MAX_INSTRUCTIONS)
        self._db.set_authorizer(_authorise)

    def find(self, text: str) -> tuple[list[Row], str]:
        sql = (
            "SELECT slug, name, category, price FROM products "  # noqa: S608  the deliberate weakness
            f"WHERE name LIKE '%{text}%' OR category LIKE '%{text}%'"
        )
        try:
            return self._db.execute(sql).fetchmany(MAX_ROWS), ""
        except (sqlite3.Error, sqlite3.Warning, ValueError) as error:
            return self._find_escaped(text), str(error)

    def _find_escaped(self, text: str) -> list[Row]:
        """What the shop's developers added when customers searched for O'Brien."""
        pattern = f"%{text}%".replace("\0", "")
        sql = "SELECT slug, name, category, price FROM products WHERE name LIKE ? OR category LIKE ?"
        try:
            return self._db.execute(sql, (pattern, pattern)).fetchmany(MAX_ROWS)
        except sqlite3.Error:  # a pattern beyond SQLite's own bound on LIKE
            return []
