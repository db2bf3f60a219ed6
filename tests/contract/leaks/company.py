"""The tables that hold secrets, each for another reason, and the secrets that are looked for afterwards."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import JSON, Column, ForeignKey, Integer, LargeBinary, String, Table, Text, TypeDecorator
from sqlalchemy.ext.hybrid import hybrid_property
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship

WORD = "mZ4qMARKERx7"
"""Letters of either case and digits: whoever folds, cuts or counts it is found out as well."""
NUMBER = 918273645
CONFIGURED = ("nickname",)


class EncryptedText(TypeDecorator[str]):
    """Says what it holds, and encrypts nothing, so that what the driver gets can be recognised."""

    impl = Text
    cache_ok = True


class Base(DeclarativeBase):
    pass


class Person(Base):
    __tablename__ = "people"

    id: Mapped[int] = mapped_column(primary_key=True)
    city: Mapped[str] = mapped_column(String(40), default="Ulm")
    password: Mapped[str | None] = mapped_column(Text)
    salary: Mapped[int | None]
    passphrase: Mapped[str | None] = mapped_column("c17", Text)
    blob1: Mapped[str | None] = mapped_column(EncryptedText)
    remark: Mapped[str | None] = mapped_column(Text, info={"sensitive": True})
    nickname: Mapped[str | None] = mapped_column(Text)
    account: Mapped[str | None] = mapped_column(Text, key="iban", name="c18")
    settings: Mapped[dict[str, Any] | None] = mapped_column(JSON)
    payload: Mapped[str | None] = mapped_column(Text)
    avatar: Mapped[bytes | None] = mapped_column(LargeBinary)
    grade: Mapped[int | None]
    keys: Mapped[list[AccessToken]] = relationship(back_populates="person")

    @hybrid_property
    def phrase(self) -> str | None:
        return self.passphrase


class AccessToken(Base):
    __tablename__ = "access_tokens"

    id: Mapped[int] = mapped_column(primary_key=True)
    city: Mapped[str] = mapped_column(String(40), default="Ulm")
    value: Mapped[str | None] = mapped_column(Text)
    person_id: Mapped[int | None] = mapped_column(ForeignKey("people.id"))
    person: Mapped[Person | None] = relationship(back_populates="keys")


limited = Table(
    "limited_secrets", Base.metadata,
    Column("id", Integer, primary_key=True), Column("secret", Text, nullable=False, unique=True),
    Column("size", Integer, nullable=False),
)  # fmt: skip


@dataclass(frozen=True)
class Kind:
    """Why a column is sensitive: ``attribute`` is its name in Python, ``raw`` in the database."""

    reason: str
    model: Any
    attribute: str
    raw: str
    secret: Any = WORD

    @property
    def t(self) -> Table:
        table: Table = self.model.__table__
        return table

    @property
    def col(self) -> Column[Any]:
        return next(column for column in self.t.c if column.name == self.raw)

    @property
    def attr(self) -> Any:
        return getattr(self.model, self.attribute)

    @property
    def literal(self) -> str:
        """The secret as SQL text."""
        return str(self.secret) if isinstance(self.secret, int) else f"'{self.secret}'"

    @property
    def is_number(self) -> bool:
        return isinstance(self.secret, int)


PLAIN = (
    Kind("its name", Person, "password", "password"),
    Kind("its name, and it is a number", Person, "salary", "salary", NUMBER),
    Kind("its attribute's name", Person, "passphrase", "c17"),
    Kind("its type", Person, "blob1", "blob1"),
    Kind("the model declares it", Person, "remark", "remark"),
    Kind("the application configured it", Person, "nickname", "nickname"),
    Kind("its key's name", Person, "account", "c18"),
    Kind("its table's name", AccessToken, "value", "value"),
)
HOLDING = (
    Kind("JSON holds it", Person, "settings", "settings", {"password": WORD, "list": [{"iban": NUMBER}]}),
    Kind("a text holds it as JSON", Person, "payload", "payload", f'{{"token": "{WORD}"}}'),
    Kind("a text holds it in an address", Person, "payload", "payload", f"postgres://x:{WORD}@h/d"),
    Kind("bytes hold it", Person, "avatar", "avatar", WORD.encode()),
)
