"""``customers.import``: a customer for each row, unless it is here already."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import ConfigDict, Field, ValidationError, model_validator

from steinmetz.erp.db import Unit
from steinmetz.erp.errors import Problem, Unprocessable, invalid_input
from steinmetz.erp.kit.roles import Role
from steinmetz.erp.kit.schemas import Input, example
from steinmetz.erp.kit.spreadsheet import csv_line
from steinmetz.erp.modules.batch import repository, rules
from steinmetz.erp.modules.batch.kinds.port import Document, Kind, Payload, Plan
from steinmetz.erp.modules.finance import service as finance

NUMBER = "externalNumber"
MAX_NUMBER_CHARS = 40
COLUMNS = (
    NUMBER,
    *(field.alias or name for name, field in finance.customers.CustomerInput.model_fields.items()),
)


class ImportParameters(Input):
    """Either a CSV text with a header of these column names, or rows as objects with these fields."""

    model_config = ConfigDict(
        **example(
            rows=[{"externalNumber": "4711", "name": "Aalener Apparatebau GmbH", "email": "info@aab.example"}]
        ),
        str_strip_whitespace=False,
    )

    csv: str | None = None
    rows: Annotated[list[Any], Field(max_length=rules.MAX_ITEMS)] | None = None

    @model_validator(mode="after")
    def _is_one_table(self) -> ImportParameters:
        if (self.csv is None) == (self.rows is None):
            raise ValueError("give either csv or rows")
        if self.csv is not None:
            _, names = rules.csv_header(self.csv)
            unknown = sorted(set(names) - set(COLUMNS))
            if unknown or len(set(names)) < len(names) or "name" not in names:
                raise ValueError(
                    f"the first line of the CSV must name each column once, among them name; known are "
                    f"{', '.join(COLUMNS)}"
                )
            rules.csv_rows(self.csv)
        return self


async def plan(unit: Unit, wanted: ImportParameters) -> Plan:
    if wanted.csv is not None:
        payloads = [
            {"line": row.line, "fields": row.fields, **({"error": row.error} if row.error else {})}
            for row in rules.csv_rows(wanted.csv)
        ]
        return Plan(payloads, {"format": "csv", "rows": len(payloads)})
    rows = wanted.rows or []
    payloads = [
        {"line": line, "fields": row}
        if isinstance(row, dict)
        else {"line": line, "fields": {}, "error": "a row is an object with fields"}
        for line, row in enumerate(rows, start=1)
    ]
    return Plan(payloads, {"format": "json", "rows": len(payloads)})


async def run(unit: Unit, parameters: Payload, payload: Payload) -> str:
    """Raises `Unprocessable` that names the line."""
    line = payload["line"]
    try:
        if error := payload.get("error"):
            raise Unprocessable(error)
        number, data = _customer(payload["fields"], is_text=parameters["format"] == "csv")
        customer_number, outcome = await _create(unit, number, data)
    except ValidationError as error:
        raise Unprocessable(f"Line {line}: {_told(error)}") from None
    except Problem as problem:
        raise Unprocessable(f"Line {line}: {problem.detail}") from None
    return csv_line([line, outcome, customer_number, number, data.name])


def _told(error: ValidationError) -> str:
    found = invalid_input(
        [{**each, "loc": ("body", *each["loc"])} for each in error.errors(include_input=False, include_url=False)]
    ).extra["errors"]
    return "; ".join(f"{each['field']}: {each['message']}" for each in found[:5])


def _customer(fields: dict[str, Any], *, is_text: bool) -> tuple[str, finance.customers.CustomerInput]:
    """The external number and the customer of a row. Raises `ValidationError`, `Unprocessable`."""
    rest = {name: value for name, value in fields.items() if value is not None and value != ""}
    number = rest.pop(NUMBER, "")
    if isinstance(number, int) and not isinstance(number, bool):
        number = str(number)
    if not isinstance(number, str) or len(number := number.strip()) > MAX_NUMBER_CHARS or "\x00" in number:
        raise Unprocessable(f"{NUMBER}: text of at most {MAX_NUMBER_CHARS} characters")
    days = rest.get("paymentDays")
    if is_text and isinstance(days, str) and days.strip().isascii() and days.strip().isdigit() and len(days) < 9:
        rest["paymentDays"] = int(days)
    data = finance.customers.CustomerInput.model_validate(rest)
    if not number and not data.email:
        raise Unprocessable(f"{NUMBER} or email is needed, so that the customer is recognised when it comes again")
    return number, data


def _keys(number: str, data: finance.customers.CustomerInput) -> list[str]:
    keys = [f"customer number {number}"] if number else []
    return [*keys, f"customer mail {data.email.lower()} {data.name.casefold()}"] if data.email else keys


async def _create(unit: Unit, number: str, data: finance.customers.CustomerInput) -> tuple[str, str]:
    """(customer number, ``created`` or ``exists``)"""
    keys = _keys(number, data)
    new = await repository.origins.take_origins(unit.session, keys)
    known = None if len(new) == len(keys) else await repository.origins.record_of_origin(unit.session, keys)
    if known is None and data.email:
        known = await finance.customers.find_customer(unit, name=data.name, email=data.email)
    if known is not None:
        found = await finance.customers.customer(unit, known)
        await repository.origins.set_origins(unit.session, sorted(new), known)
        return found.number, "exists"
    created = await finance.customers.create_customer(unit, data)
    await repository.origins.set_origins(unit.session, keys, created.id)
    return created.number, "created"


def document(parameters: Payload) -> Document:
    head = csv_line(["line", "outcome", "number", NUMBER, "name"])
    return Document("customers-import.csv", "text/csv; charset=utf-8", head)


CUSTOMERS_IMPORT = Kind("customers.import", ImportParameters, lambda wanted: Role.CLERK, plan, run, document)
