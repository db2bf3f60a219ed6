"""The hook alone: what each statement reads and writes, and when that is there for others.

Run it: python examples/know_statements.py
"""

from typing import Any

from sqlalchemy import create_engine, text

from steinmetz.sql import ScopeKind, WriteSet, hook, open_scope

engine = create_engine("sqlite://")
with engine.begin() as connection:
    connection.execute(text("CREATE TABLE orders (id INTEGER PRIMARY KEY, cents INTEGER)"))
    connection.execute(text("CREATE TABLE log (id INTEGER)"))
    connection.execute(text("CREATE VIEW dear AS SELECT * FROM orders WHERE cents > 10000"))
    connection.execute(text("CREATE TRIGGER t AFTER INSERT ON orders BEGIN INSERT INTO log VALUES (NEW.id); END"))


class Commits:
    def mark(self, writes: WriteSet) -> object:  # COMMIT is about to be sent; an exception stops it
        return writes

    def bump(self, token: Any) -> None:  # COMMIT was acknowledged, or nobody will ever know
        print("committed:", ", ".join(sorted(written.name for written in token.relations)))

    def unmark(self, token: Any) -> None:  # another observer has stopped it
        pass


hook(engine).observe_transactions(Commits())
with open_scope(ScopeKind.REQUEST, "GET /dear") as scope, engine.connect() as connection:
    connection.execute(text("SELECT * FROM dear"))
print(f"{scope.name} read:", ", ".join(sorted(read.name for read in scope.reads)))
with engine.begin() as connection:
    connection.execute(text("INSERT INTO orders (cents) VALUES (:cents)"), {"cents": 20_000})
