"""What a patch changes, and what is told of it."""

from __future__ import annotations

from dataclasses import dataclass

from steinmetz.erp.kit.fields import Version, unchanged
from steinmetz.erp.kit.patches import apply, differing, wanted_by
from steinmetz.erp.kit.schemas import Input


class Patch(Input):
    version: Version
    city: str = unchanged()
    postal_code: str = unchanged()


@dataclass
class Record:
    city: str = "Ulm"
    postal_code: str = "89073"


def test_only_what_was_sent_is_wanted_and_never_the_version() -> None:
    assert wanted_by(Patch(version=3, city="Bonn")) == {"city": "Bonn"}
    assert wanted_by(Patch(version=3)) == {}


def test_what_is_the_same_does_not_differ() -> None:
    assert differing(Record(), {"city": "Ulm", "postal_code": "53111"}) == {"postal_code": "89073"}


def test_what_differs_is_changed_and_told_as_the_api_names_it() -> None:
    record = Record()
    assert apply(record, {"city": "Ulm", "postal_code": "53111"}) == (
        {"postalCode": "89073"},
        {"postalCode": "53111"},
    )
    assert record == Record(postal_code="53111")
    assert apply(record, {"postal_code": "53111"}) == ({}, {})
