"""What a statement tells of the columns of its binds, and the private names of SQLAlchemy that this leans on."""

from __future__ import annotations

import sys
from typing import Any

import pytest
from sqlalchemy import (
    JSON,
    Column,
    Integer,
    Table,
    Text,
    TypeDecorator,
    bindparam,
    create_engine,
    func,
    insert,
    or_,
    select,
    text,
    update,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, Mapper, mapped_column, synonym
from sqlalchemy.sql.selectable import _OffsetLimitParam

from steinmetz.monitor.capture import origins
from steinmetz.monitor.capture.origins import Origins, origins_of


class Base(DeclarativeBase):
    pass


class Vault(TypeDecorator[str]):
    impl = JSON
    cache_ok = True


class Customer(Base):
    __tablename__ = "customers"

    id: Mapped[int] = mapped_column(primary_key=True)
    city: Mapped[str]
    passphrase: Mapped[str] = mapped_column("c17", Text)
    remark: Mapped[str] = mapped_column(info={"sensitive": True})
    box: Mapped[str] = mapped_column(Vault)
    word = synonym("passphrase")


customers: Any = Customer.__table__


def told(statement: Any) -> Origins:
    return origins_of(statement.compile(create_engine("sqlite://")))


def test_a_direct_comparison_tells_the_column() -> None:
    origin = told(select(customers.c.id).where(customers.c.city == "Ulm")).by_bind["city_1"]
    assert origin.column == "city"
    assert "customers" in origin.names


def test_the_attributes_of_mapped_classes_are_names_of_the_column() -> None:
    origin = told(insert(customers).values(c17="x")).by_bind["c17"]
    assert {"c17", "passphrase", "word"} <= origin.names


def test_a_class_that_is_mapped_later_names_its_columns_as_well() -> None:
    class Later(DeclarativeBase):
        pass

    table = Table("later", Later.metadata, Column("id", Integer, primary_key=True), Column("k1", Text))
    assert "keyword" not in told(insert(table).values(k1="x")).by_bind["k1"].names

    class Key(Later):
        __table__ = table
        keyword = table.c.k1

    assert "keyword" in told(insert(table).values(k1="x")).by_bind["k1"].names
    Key.__mapper__.add_property("secret_word", synonym("keyword"))
    assert {"keyword", "secret_word"} <= told(insert(table).values(k1="x")).by_bind["k1"].names


def test_what_the_model_declares_and_what_may_hold_anything() -> None:
    found = told(insert(customers).values(remark="x", box="y")).by_bind
    assert found["remark"].secret
    assert found["box"].structured
    assert "Vault" in found["box"].names


@pytest.mark.parametrize(
    "statement",
    [
        select(customers.c.id).where(func.lower(customers.c.city) == "ulm"),
        select(customers.c.id).where(customers.c.city + "x" == customers.c.remark),
        select(customers.c.id).where(
            or_(customers.c.city == bindparam("p"), func.lower(customers.c.remark) == bindparam("p"))
        ),
        select(func.coalesce(customers.c.city, "x")),
    ],
    ids=str,
)
def test_what_is_not_certain_has_no_origin(statement: Any) -> None:
    assert told(statement).by_bind == {}


def test_a_bind_in_two_certain_places_has_the_names_of_both() -> None:
    statement = select(customers.c.id).where(
        or_(customers.c.city == bindparam("p"), customers.c.remark == bindparam("p"))
    )
    origin = told(statement).by_bind["p"]
    assert origin.secret
    assert {"city", "remark"} <= origin.names


def test_a_text_tells_what_the_models_say_of_its_columns() -> None:
    origin = told(text("SELECT id FROM customers WHERE c17 = :p")).by_bind["p"]
    assert origin.by_text
    assert "passphrase" in origin.names
    assert told(text("SELECT id FROM customers WHERE c17 || 'x' = :p")).by_bind == {}
    assert "passphrase" in told(text("SELECT c17 AS city FROM customers WHERE id = :p")).mentioned


def test_a_limit_is_none_of_a_column(monkeypatch: pytest.MonkeyPatch) -> None:
    origin = told(select(customers.c.id).limit(5)).by_bind["param_1"]
    assert origin.column == "limit"


def test_a_statement_of_any_size_is_read_in_bounds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(origins, "_ELEMENTS", 5)
    assert told(select(customers.c.id).where(customers.c.city == "Ulm")).by_bind == {}


class TestPrivateNamesOfSqlalchemy:
    """Without them more is hidden; nothing more is shown."""

    def test_are_there(self) -> None:
        compiled = update(customers).values(city="x").compile(create_engine("sqlite://"))
        assert all(bind._is_crud for bind in compiled.binds.values())  # type: ignore[attr-defined]
        assert callable(sys.modules[Mapper.__module__]._all_registries)
        assert "word" in Customer.__mapper__._props
        assert _OffsetLimitParam.__name__ == "_OffsetLimitParam"

    def test_the_mark_of_assigned_values_is_missed(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(origins, "_is_assigned", lambda bind: False)
        assert told(insert(customers).values(city="x")).by_bind == {}

    def test_the_list_of_registries_is_missed(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delattr(sys.modules[Mapper.__module__], "_all_registries")
        assert "city" in told(insert(customers).values(city="x")).by_bind
