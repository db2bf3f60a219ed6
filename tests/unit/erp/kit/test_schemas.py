from __future__ import annotations

from dataclasses import dataclass

import pytest
from pydantic import ValidationError

from steinmetz.erp.kit.schemas import Input, Schema


class View(Schema):
    last_name: str


class Entry(Input):
    last_name: str


@dataclass
class Record:
    last_name: str


def test_records_are_told_in_camel_case() -> None:
    assert View.model_validate(Record("Stein")).model_dump(by_alias=True) == {"lastName": "Stein"}


def test_inputs_drop_blanks_around_text() -> None:
    assert Entry.model_validate({"lastName": "  Stein "}).last_name == "Stein"


def test_inputs_refuse_what_they_do_not_know() -> None:
    with pytest.raises(ValidationError, match="firstName"):
        Entry.model_validate({"lastName": "Stein", "firstName": "S"})
