from __future__ import annotations

import pytest

from steinmetz.cache.policy.route import CachePolicy, VaryOn
from steinmetz.cache.policy.variants import ANONYMOUS, Caller, Known, NoVariant, Unproven, variant_of

ANNA, BERT, CARL = Known("anna", "clerk"), Known("bert", "clerk"), Known("carl", "admin")


def variant(policy: CachePolicy, caller: Caller) -> bytes:
    found = variant_of(policy, caller)
    assert isinstance(found, bytes)
    return found


def test_by_default_no_two_users_share() -> None:
    assert variant(CachePolicy(), ANNA) != variant(CachePolicy(), BERT)


def test_by_role_those_of_one_role_share() -> None:
    policy = CachePolicy(vary_on=VaryOn.ROLE)
    assert variant(policy, ANNA) == variant(policy, BERT) != variant(policy, CARL)


def test_shared_is_one_for_all_admitted() -> None:
    policy = CachePolicy(vary_on=VaryOn.NONE)
    assert variant(policy, ANNA) == variant(policy, CARL) == b""


@pytest.mark.parametrize("vary_on", list(VaryOn))
def test_no_admission_no_hit(vary_on: VaryOn) -> None:
    assert variant_of(CachePolicy(vary_on=vary_on), ANONYMOUS) == NoVariant("no credential")


def test_public_is_open_to_anybody_but_not_to_a_refused_credential() -> None:
    policy = CachePolicy(vary_on=VaryOn.NONE, public=True)
    assert variant(policy, ANONYMOUS) == variant(policy, ANNA) == b""
    assert variant_of(policy, Unproven("credential refused")) == NoVariant("credential refused")


def test_a_public_answer_that_varies_keeps_the_anonymous_apart() -> None:
    policy = CachePolicy(vary_on=VaryOn.ROLE, public=True)
    assert variant(policy, ANONYMOUS) != variant(policy, Known("x", "anonymous"))


def test_a_changed_role_is_another_variant() -> None:
    assert variant(CachePolicy(), Known("anna", "clerk")) != variant(CachePolicy(), Known("anna", "admin"))


def test_a_subject_cannot_pose_as_another_with_a_role() -> None:
    assert variant(CachePolicy(), Known("a;role=admin", "x")) != variant(CachePolicy(), Known("a", "admin;role=x"))
