"""No admission, no hit; and what sign-in reads never empties an answer."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from steinmetz.cache import Admitted, CacheConfig, Refused, cached

pytestmark = pytest.mark.anyio


def personal(rig: Any, reply: Any, path: str = "/mine", **terms: Any) -> list[str]:
    """A cached route that greets its caller, or says 401."""
    computed: list[str] = []

    @cached(**terms)
    async def endpoint(scope: Any, receive: Any, send: Any) -> None:
        admission = scope.get("steinmetz.admission")
        if isinstance(admission, Admitted):
            computed.append(admission.principal.subject)
            rig.hook.read("invoices")
            await reply(send, f"{admission.principal.subject} as {admission.principal.role}".encode())
        else:
            computed.append("-")
            await reply(send, b"sign in", status=401)

    rig.app.add(path, endpoint)
    return computed


async def test_each_user_has_an_answer_of_his_own(rig: Any, reply: Any) -> None:
    personal(rig, reply)
    for _ in range(2):
        for user in ("anna", "bert", "carl"):
            assert (await rig.ask("/mine", user=user)).body.startswith(user.encode())
    assert rig.cache.stats()["hits"] == 3


async def test_without_a_credential_there_is_no_hit_even_of_a_shared_answer(rig: Any, reply: Any) -> None:
    personal(rig, reply, shared=True)
    assert (await rig.ask("/mine", user="anna")).cache == "MISS"
    assert (await rig.ask("/mine", user="bert")).cache == "HIT"
    stranger = await rig.ask("/mine")
    assert (stranger.status, stranger.cache) == (401, "BYPASS")


async def test_a_refused_caller_gets_no_hit_and_the_application_answers(rig: Any, reply: Any) -> None:
    personal(rig, reply, shared=True)
    await rig.ask("/mine", user="anna")
    refused = await rig.ask("/mine", user="mallory")
    assert (refused.status, refused.cache) == (401, "BYPASS")
    assert refused.scope["steinmetz.admission"] == Refused("unknown")


async def test_by_role_those_of_one_role_share(rig: Any, reply: Any) -> None:
    computed = personal(rig, reply, vary_on="role")
    for user in ("anna", "bert", "carl"):
        await rig.ask("/mine", user=user)
    assert computed == ["anna", "carl"]


async def test_a_hit_costs_no_second_proof(rig: Any, reply: Any) -> None:
    personal(rig, reply)
    for _ in range(5):
        await rig.ask("/mine", user="anna")
    assert rig.callers.asked == 1


async def test_every_request_with_a_credential_finds_its_admission_in_the_scope(rig: Any, reply: Any) -> None:
    async def plain(scope: Any, receive: Any, send: Any) -> None:
        await reply(send, b"x")

    rig.app.add("/plain", plain, "POST")
    answer = await rig.ask("/plain", method="POST", user="anna")
    assert isinstance(answer.scope["steinmetz.admission"], Admitted)
    assert "steinmetz.admission" not in (await rig.ask("/plain", method="POST")).scope


async def test_t15_a_hundred_sign_ins_drop_nobodys_answer(rig: Any, reply: Any) -> None:
    personal(rig, reply)
    await rig.ask("/mine", user="anna")
    for _ in range(100):
        rig.hook.commit("sessions")
    assert (await rig.ask("/mine", user="anna")).cache == "HIT"
    assert rig.cache.invalidations()[0]["relations"] == ["main:sessions"]


async def test_a_revoked_sign_in_is_refused_at_its_next_request(rig: Any, reply: Any) -> None:
    personal(rig, reply)
    await rig.ask("/mine", user="anna")
    assert (await rig.ask("/mine", user="anna")).cache == "HIT"
    del rig.callers.roles["anna"]
    rig.hook.commit("users")
    answer = await rig.ask("/mine", user="anna")
    assert (answer.status, answer.cache) == (401, "BYPASS")


async def test_while_a_revocation_is_being_committed_the_application_is_asked(make_rig: Any, reply: Any) -> None:
    rig = make_rig(CacheConfig(wait_s=0))
    personal(rig, reply)
    await rig.ask("/mine", user="anna")
    transaction = rig.hook.transaction()
    transaction.write("sessions")
    transaction.mark()
    await rig.ask("/mine", user="anna")
    assert rig.callers.asked == 2
    transaction.unmark()
    await rig.ask("/mine", user="anna")
    assert rig.callers.asked == 2


async def test_a_changed_role_sees_what_the_new_role_sees(rig: Any, reply: Any) -> None:
    personal(rig, reply)
    await rig.ask("/mine", user="anna")
    rig.callers.roles["anna"] = "admin"
    rig.hook.commit("users")
    assert (await rig.ask("/mine", user="anna")).body == b"anna as admin"


async def test_a_credential_ends_when_it_says(rig: Any, reply: Any) -> None:
    personal(rig, reply)
    rig.callers.expires_at["anna"] = rig.clock.now() + timedelta(seconds=5)
    await rig.ask("/mine", user="anna")
    assert (await rig.ask("/mine", user="anna")).cache == "HIT"
    rig.clock.advance(5)
    answer = await rig.ask("/mine", user="anna")
    assert (answer.status, answer.cache) == (401, "BYPASS")


async def test_a_refusal_is_remembered_for_a_short_time_only(rig: Any, reply: Any) -> None:
    personal(rig, reply)
    for _ in range(3):
        await rig.ask("/mine", user="mallory")
    assert rig.callers.asked == 1
    rig.clock.advance(10)
    await rig.ask("/mine", user="mallory")
    assert rig.callers.asked == 2


@pytest.mark.parametrize("deed", ["read_unknown", "write"])
async def test_an_admission_that_wrote_or_may_have_read_anything_is_not_remembered(
    rig: Any, reply: Any, deed: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    personal(rig, reply)
    prove = rig.callers.authenticate

    async def authenticate(credential: bytes) -> Any:
        if deed == "write":
            rig.hook.commit("sightings")
        else:
            rig.hook.read_unknown()
        return await prove(credential)

    monkeypatch.setattr(rig.callers, "authenticate", authenticate)
    await rig.ask("/mine", user="anna")
    assert (await rig.ask("/mine", user="anna")).cache == "HIT"
    assert rig.callers.asked == 2


async def test_an_authenticator_that_fails_costs_the_hit_and_not_the_answer(rig: Any, reply: Any) -> None:
    personal(rig, reply)
    await rig.ask("/mine", user="anna")
    rig.hook.commit("users")
    rig.callers.fails = True
    answer = await rig.ask("/mine", user="anna")
    assert (answer.status, answer.cache) == (401, "BYPASS")
    assert "steinmetz.admission" not in answer.scope


async def test_what_sign_in_reads_is_not_read_by_the_answer(rig: Any, reply: Any) -> None:
    personal(rig, reply)
    await rig.ask("/mine", user="anna")
    assert rig.cache.entries()[0]["reads"] == ["main:invoices"]


async def test_a_flood_of_false_credentials_is_bounded(make_rig: Any, reply: Any) -> None:
    rig = make_rig(CacheConfig(admission_bytes=50_000))
    personal(rig, reply)
    for number in range(200):
        await rig.ask("/mine", user=f"mallory {number}")
    assert rig.cache.stats()["admissions"] <= 50


async def test_no_answer_depends_on_whether_the_cache_is_on_whoever_asks(rig: Any, reply: Any) -> None:
    """Every route x every identity, interleaved, twice, against the uncached twin."""
    routes = {"/user": {}, "/role": {"vary_on": "role"}}
    for path, terms in routes.items():

        @cached(**terms)
        async def endpoint(scope: Any, receive: Any, send: Any, path: str = path) -> None:
            admission = scope.get("steinmetz.admission")
            if not isinstance(admission, Admitted):
                await reply(send, b"sign in", status=401)
                return
            who = admission.principal
            await reply(send, f"{path} {who.role} {who.subject if path == '/user' else ''}".encode())

        rig.app.add(path, endpoint)

    @cached(public=True)
    async def public(scope: Any, receive: Any, send: Any) -> None:
        await reply(send, b"for everybody")

    rig.app.add("/public", public)
    rig.callers.roles |= {"dora": "admin", "anna;role=admin": "clerk", "anna#": "clerk"}
    identities = [None, "mallory", *rig.callers.roles]
    asked = [(path, user) for _ in range(3) for path in ("/user", "/role", "/public") for user in identities]

    async def answers() -> list[tuple[int, bytes]]:
        return [
            (answer.status, answer.body) for answer in [await rig.ask(path, user=user) for path, user in asked]
        ]

    cached_answers = await answers()
    hits = rig.cache.stats()["hits"]
    rig.cache.enabled = False
    assert await answers() == cached_answers
    assert hits >= len(asked) / 3
