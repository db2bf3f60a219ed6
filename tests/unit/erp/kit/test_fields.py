"""What comes from outside is bounded by what every database can hold."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from steinmetz.erp.kit.fields import MAX_RECORD_ID, Reference, Text, Version, unchanged
from steinmetz.erp.kit.schemas import Input


class Patch(Input):
    version: Version
    owner: Reference = unchanged()
    name: Text = unchanged()


@pytest.mark.parametrize(
    "wrong",
    [
        {"version": 0},
        {"version": MAX_RECORD_ID + 1},
        {"version": 1, "owner": 0},
        {"version": 1, "owner": None},
        {"version": 1, "name": None},
        {"version": 1, "name": "nul\x00"},
        {"version": 1, "name": "\ud800"},
        {"version": 1, "colour": "red"},
    ],
)
def test_what_no_database_holds_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        Patch.model_validate(wrong)


def test_what_is_left_out_of_a_patch_stays_unchanged() -> None:
    patch = Patch.model_validate({"version": 3, "name": " Muster "})
    assert patch.model_dump(exclude_unset=True) == {"version": 3, "name": "Muster"}
    assert "default" not in Patch.model_json_schema()["properties"]["owner"]
