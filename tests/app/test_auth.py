"""Signing in, staying signed in, being signed out, and the administration of users."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import httpx2
import pytest
from pydantic import SecretStr
from sqlalchemy import func, select

from steinmetz.clock import FakeClock
from steinmetz.erp.db import Publication
from steinmetz.erp.kit.announcements import Announcement, Expulsion
from steinmetz.erp.kit.roles import SYSTEM
from steinmetz.erp.main import Application
from steinmetz.erp.modules.auth.models import Session, SessionRevocation, User
from steinmetz.erp.modules.auth.routes import COOKIE
from steinmetz.monitor import assert_queries
from steinmetz.sql.scope import ScopeKind, open_scope

pytestmark = pytest.mark.anyio

PASSWORD = "steinmetz-demo-1"
NEW_PASSWORD = "ein ganz anderes Wort"
SignIn = Callable[[str], Awaitable[httpx2.AsyncClient]]


async def log_in(client: httpx2.AsyncClient, who: str = "clerk", password: str = PASSWORD) -> httpx2.Response:
    return await client.post("/api/auth/login", json={"email": f"{who}@example.com", "password": password})


async def present(client: httpx2.AsyncClient, refresh_token: str) -> httpx2.Response:
    """Renew with exactly this token, whatever the client's own cookie is."""
    client.cookies.clear()
    return await client.post("/api/auth/refresh", headers={"Cookie": f"{COOKIE}={refresh_token}"})


def bearer(answer: httpx2.Response) -> dict[str, str]:
    return {"Authorization": f"Bearer {answer.json()['data']['accessToken']}"}


async def user_named(admin: httpx2.AsyncClient, who: str) -> dict[str, Any]:
    found = (await admin.get("/api/users", params={"search": f"{who}@"})).json()["data"]
    assert len(found) == 1
    user: dict[str, Any] = found[0]
    return user


class TestSigningIn:
    async def test_gives_an_access_token_and_a_strict_cookie(self, client: httpx2.AsyncClient) -> None:
        answer = await log_in(client, "manager")

        data = answer.json()["data"]
        assert answer.json()["success"] is True
        assert data["expiresIn"] == 900
        assert data["user"]["role"] == "manager"
        assert data["user"]["createdAt"] == "2026-03-02T09:00:00Z"
        cookie = answer.headers["set-cookie"]
        for attribute in ("HttpOnly", "SameSite=strict", "Path=/api/auth"):
            assert attribute in cookie
        assert "Secure" not in cookie
        assert answer.headers["cache-control"] == "no-store"
        me = await client.get("/api/auth/me", headers=bearer(answer))
        assert me.json()["data"]["email"] == "manager@example.com"

    async def test_over_https_sets_a_cookie_for_https_only(self, app: Application) -> None:
        transport = httpx2.ASGITransport(app)
        async with httpx2.AsyncClient(transport=transport, base_url="https://erp.example") as client:
            assert "Secure" in (await log_in(client)).headers["set-cookie"]

    async def test_takes_the_address_in_any_case(self, client: httpx2.AsyncClient) -> None:
        answer = await client.post("/api/auth/login", json={"email": " Clerk@Example.COM ", "password": PASSWORD})
        assert answer.status_code == 200

    async def test_says_the_same_of_a_wrong_password_and_of_nobody(self, client: httpx2.AsyncClient) -> None:
        wrong, nobody = await log_in(client, password="nicht dieses Wort"), await log_in(client, "nobody")
        assert wrong.status_code == nobody.status_code == 401
        assert wrong.json()["detail"] == nobody.json()["detail"]

    async def test_does_as_much_work_for_nobody_as_for_somebody(
        self, app: Application, client: httpx2.AsyncClient, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        checked: list[bool] = []
        matches = app.state.hasher.matches

        def spy(kept: str | None, password: str) -> bool:
            checked.append(kept is not None)
            return matches(kept, password)

        monkeypatch.setattr(app.state.hasher, "matches", spy)
        await log_in(client, password="nicht dieses Wort")
        await log_in(client, "nobody")
        assert checked == [True, False]

    async def test_is_refused_from_a_foreign_page(self, client: httpx2.AsyncClient) -> None:
        credentials = {"email": "clerk@example.com", "password": PASSWORD}
        for origin, status in (("https://evil.example", 403), ("null", 403), ("http://testserver", 200)):
            answer = await client.post("/api/auth/login", json=credentials, headers={"Origin": origin})
            assert answer.status_code == status, origin

    async def test_t15_writes_nothing_that_others_read(self, app: Application, client: httpx2.AsyncClient) -> None:
        written: set[str] = set()

        class Observer:
            def mark(self, writes: Any) -> object:
                written.update(relation.name for relation in writes.relations)
                assert not writes.unknown
                return None

            def bump(self, token: object) -> None: ...
            def unmark(self, token: object) -> None: ...

        app.live.hook.observe_transactions(Observer())
        answer = await log_in(client)
        await client.post("/api/auth/refresh")
        assert written == {"sessions", "sign_in_entries"}

        credential = bearer(answer)["Authorization"].removeprefix("Bearer ").encode()
        with open_scope(ScopeKind.ADMISSION, "test") as scope:
            await app.state.identity.authenticate(credential)
        assert {relation.name for relation in scope.reads} == {"users", "session_revocations"}
        assert not scope.unknown


class TestThrottling:
    async def test_slows_down_guesses_at_one_account(self, client: httpx2.AsyncClient, clock: FakeClock) -> None:
        for _ in range(6):
            assert (await log_in(client, password="falsches Wort")).status_code == 401
        refused = await log_in(client)
        assert refused.status_code == 429
        assert 0 < int(refused.headers["retry-after"]) <= 30
        assert (await log_in(client, "manager")).status_code == 200

        clock.advance(int(refused.headers["retry-after"]))
        assert (await log_in(client)).status_code == 200

    async def test_slows_down_guesses_from_one_address(self, client: httpx2.AsyncClient) -> None:
        for number in range(20):
            assert (await log_in(client, f"nobody{number}")).status_code == 401
        assert (await log_in(client, "nobody20")).status_code == 429

    async def test_costs_nothing_who_knows_the_password(self, client: httpx2.AsyncClient) -> None:
        for _ in range(25):
            assert (await log_in(client)).status_code == 200


class TestRenewal:
    async def test_rotates_the_refresh_token(self, client: httpx2.AsyncClient, clock: FakeClock) -> None:
        first = (await log_in(client)).cookies[COOKIE]
        clock.advance(60)
        renewed = await client.post("/api/auth/refresh")
        assert renewed.status_code == 200
        assert renewed.cookies[COOKIE] != first
        assert (await client.get("/api/auth/me", headers=bearer(renewed))).status_code == 200

    async def test_gives_the_predecessor_the_same_successor_for_ten_seconds(
        self, client: httpx2.AsyncClient, clock: FakeClock
    ) -> None:
        first = (await log_in(client)).cookies[COOKIE]
        second = (await present(client, first)).cookies[COOKIE]
        clock.advance(10)
        again = await present(client, first)
        assert again.cookies[COOKIE] == second
        assert (await present(client, second)).status_code == 200

    async def test_of_a_used_up_token_ends_the_whole_sign_in(
        self, client: httpx2.AsyncClient, clock: FakeClock, published: list[Publication]
    ) -> None:
        first = (await log_in(client)).cookies[COOKIE]
        renewed = await present(client, first)
        clock.advance(10.5)

        reused = await present(client, first)
        assert reused.status_code == 401
        assert reused.json()["title"] == "Refresh token used twice"
        assert (await present(client, renewed.cookies[COOKIE])).status_code == 401
        assert (await client.get("/api/auth/me", headers=bearer(renewed))).status_code == 401
        assert [type(one) for one in published] == [Expulsion]

    async def test_of_the_predecessors_predecessor_is_reuse_at_any_time(self, client: httpx2.AsyncClient) -> None:
        first = (await log_in(client)).cookies[COOKIE]
        second = (await present(client, first)).cookies[COOKIE]
        third = (await present(client, second)).cookies[COOKIE]
        assert (await present(client, first)).status_code == 401
        assert (await present(client, third)).status_code == 401

    async def test_leaves_other_sign_ins_of_the_user_alone(
        self, client: httpx2.AsyncClient, clients: Any, clock: FakeClock
    ) -> None:
        other = await clients()
        await log_in(other)
        first = (await log_in(client)).cookies[COOKIE]
        await present(client, first)
        clock.advance(11)
        assert (await present(client, first)).status_code == 401
        assert (await other.post("/api/auth/refresh")).status_code == 200

    async def test_is_refused_without_or_with_a_forged_cookie(self, client: httpx2.AsyncClient) -> None:
        assert (await client.post("/api/auth/refresh")).status_code == 401
        session, generation, signature = (await log_in(client)).cookies[COOKIE].split(".")
        for forged in (
            f"{session}.2.{signature}",
            f"{session}.{generation}.x",
            "",
            "..",
            f"{session}.٣.{signature}",
        ):
            answer = await client.post("/api/auth/refresh", headers=[(b"cookie", f"{COOKIE}={forged}".encode())])
            assert answer.status_code == 401, forged

    async def test_ends_after_thirty_days(self, client: httpx2.AsyncClient, clock: FakeClock) -> None:
        token = (await log_in(client)).cookies[COOKIE]
        clock.advance(30 * 86_400)
        assert (await present(client, token)).status_code == 401

    async def test_forgets_sign_ins_that_ended(
        self, app: Application, client: httpx2.AsyncClient, clock: FakeClock
    ) -> None:
        await log_in(client)
        clock.advance(31 * 86_400)
        await log_in(client)
        async with app.state.database.unit(writes=False) as unit:
            assert await unit.session.scalar(select(func.count()).select_from(Session)) == 1


class TestAccessTokens:
    async def test_expire_after_fifteen_minutes(self, sign_in: SignIn, clock: FakeClock) -> None:
        clerk = await sign_in("clerk")
        clock.advance(899)
        assert (await clerk.get("/api/auth/me")).status_code == 200
        clock.advance(1)
        expired = await clerk.get("/api/auth/me")
        assert expired.status_code == 401
        assert expired.json()["title"] == "Token expired"
        assert 'error_description="Token expired"' in expired.headers["www-authenticate"]

    async def test_are_needed_and_the_refusal_says_how_to_get_one(self, client: httpx2.AsyncClient) -> None:
        refused = await client.get("/api/auth/me")
        assert refused.status_code == 401
        assert "/api/auth/login" in refused.json()["detail"]
        assert refused.headers["www-authenticate"].startswith("Bearer")

    async def test_of_other_makers_are_worth_nothing(self, client: httpx2.AsyncClient) -> None:
        for token in ("", "x", "a.b.c", "eyJhbGciOiJub25lIn0.eyJzdWIiOiIxIn0.", "€", "x" * 5_000):
            answer = await client.get("/api/auth/me", headers=[(b"authorization", b"Bearer " + token.encode())])
            assert answer.status_code == 401, token


class TestSigningOut:
    async def test_ends_the_tokens_and_the_sockets(self, sign_in: SignIn, published: list[Publication]) -> None:
        clerk = await sign_in("clerk")
        assert (await clerk.post("/api/auth/logout")).status_code == 200
        assert (await clerk.get("/api/auth/me")).json()["title"] == "Token revoked"
        assert (await clerk.post("/api/auth/refresh")).status_code == 401
        assert len(published) == 1
        assert isinstance(published[0], Expulsion)
        assert ":session:" in published[0].room

    async def test_works_by_access_token_alone(self, sign_in: SignIn) -> None:
        clerk = await sign_in("clerk")
        clerk.cookies.clear()
        await clerk.post("/api/auth/logout")
        assert (await clerk.get("/api/auth/me")).status_code == 401

    async def test_twice_or_by_nobody_is_fine(self, sign_in: SignIn, client: httpx2.AsyncClient) -> None:
        clerk = await sign_in("clerk")
        for who in (clerk, clerk, client):
            assert (await who.post("/api/auth/logout")).status_code == 200

    async def test_forgets_revocations_that_no_longer_matter(
        self, app: Application, sign_in: SignIn, clock: FakeClock
    ) -> None:
        await (await sign_in("clerk")).post("/api/auth/logout")
        clock.advance(31 * 86_400)
        await (await sign_in("clerk")).post("/api/auth/logout")
        async with app.state.database.unit(writes=False) as unit:
            assert await unit.session.scalar(select(func.count()).select_from(SessionRevocation)) == 1


class TestChangingThePassword:
    async def test_ends_all_other_sign_ins_and_keeps_this_one(self, sign_in: SignIn) -> None:
        here, elsewhere = await sign_in("auditor"), await sign_in("auditor")
        changed = await here.post(
            "/api/auth/password", json={"currentPassword": PASSWORD, "newPassword": NEW_PASSWORD}
        )
        assert changed.status_code == 200
        assert (await here.get("/api/auth/me")).status_code == 401, "the old access token is void"
        assert (await here.get("/api/auth/me", headers=bearer(changed))).status_code == 200
        assert (await here.post("/api/auth/refresh")).status_code == 200
        assert (await elsewhere.get("/api/auth/me")).status_code == 401
        assert (await elsewhere.post("/api/auth/refresh")).status_code == 401
        assert (await log_in(elsewhere, "auditor")).status_code == 401
        assert (await log_in(elsewhere, "auditor", NEW_PASSWORD)).status_code == 200

    @pytest.mark.parametrize(
        ("current", "new", "field"),
        [
            ("falsches Wort", NEW_PASSWORD, "currentPassword"),
            (PASSWORD, "kurz", "newPassword"),
            (PASSWORD, "aaaaaaaaaaaa", "newPassword"),
            (PASSWORD, "Clerk@example.com", "newPassword"),
        ],
    )
    async def test_is_refused_and_names_the_field(
        self, sign_in: SignIn, current: str, new: str, field: str
    ) -> None:
        clerk = await sign_in("clerk")
        answer = await clerk.post("/api/auth/password", json={"currentPassword": current, "newPassword": new})
        assert answer.status_code == 422
        assert answer.json()["errors"][0]["field"] == field
        assert new not in answer.text or new in PASSWORD

    async def test_cannot_be_used_for_guessing(self, sign_in: SignIn) -> None:
        clerk = await sign_in("clerk")
        guess = {"currentPassword": "falsches Wort", "newPassword": NEW_PASSWORD}
        statuses = [(await clerk.post("/api/auth/password", json=guess)).status_code for _ in range(7)]
        assert statuses == [422] * 6 + [429]


@pytest.mark.both_databases
class TestUsers:
    async def test_are_created_listed_and_found(self, sign_in: SignIn, client: httpx2.AsyncClient) -> None:
        admin = await sign_in("admin")
        new = {"email": "Neu@Example.com", "name": "Ñina Neu", "role": "clerk", "password": NEW_PASSWORD}
        created = await admin.post("/api/users", json=new)
        assert created.status_code == 201
        assert created.json()["data"]["email"] == "neu@example.com"
        assert (await log_in(client, "neu", NEW_PASSWORD)).status_code == 200

        page = (await admin.get("/api/users", params={"limit": 2})).json()
        assert page["page"]["total"] == 5
        names = [user["name"] for user in page["data"]]
        while page["page"]["next"]:
            page = (await admin.get("/api/users", params={"limit": 2, "cursor": page["page"]["next"]})).json()
            names += [user["name"] for user in page["data"]]
        assert len(names) == len(set(names)) == 5

        found = (await admin.get("/api/users", params={"search": "neu@", "role": "clerk", "active": True})).json()
        assert [user["lastSignInAt"] for user in found["data"]] == ["2026-03-02T09:00:00Z"]
        again = await admin.post("/api/users", json=new)
        assert again.status_code == 409
        assert again.json()["current"]["email"] == "neu@example.com"

    async def test_are_nobodys_business_but_the_administrators(self, sign_in: SignIn) -> None:
        for role in ("manager", "clerk", "auditor"):
            someone = await sign_in(role)
            new = {"email": "x@example.com", "name": "X", "role": "admin", "password": NEW_PASSWORD}
            for answer in (await someone.get("/api/users"), await someone.post("/api/users", json=new)):
                assert answer.status_code == 403
                assert answer.json()["neededRole"] == "admin"
                assert "admin" in answer.json()["detail"]

    async def test_that_are_disabled_are_refused_at_the_next_request(
        self, sign_in: SignIn, client: httpx2.AsyncClient, published: list[Publication]
    ) -> None:
        admin, clerk = await sign_in("admin"), await sign_in("clerk")
        assert (await clerk.get("/api/auth/me")).status_code == 200
        user = await user_named(admin, "clerk")
        disabled = await admin.post(f"/api/users/{user['id']}/disable", json={"version": user["version"]})
        assert disabled.json()["data"]["isActive"] is False
        assert published == [Expulsion(f"user:{user['id']}")]
        assert (await clerk.get("/api/auth/me")).status_code == 401
        assert (await clerk.post("/api/auth/refresh")).status_code == 401
        assert (await log_in(client)).status_code == 401

        enabled = await admin.post(
            f"/api/users/{user['id']}/enable", json={"version": disabled.json()["data"]["version"]}
        )
        assert enabled.json()["data"]["isActive"] is True
        assert (await clerk.get("/api/auth/me")).status_code == 401, "tokens from before stay void"
        assert (await log_in(client)).status_code == 200

    async def test_with_a_new_role_have_it_at_the_next_request(
        self, sign_in: SignIn, published: list[Publication]
    ) -> None:
        admin, clerk = await sign_in("admin"), await sign_in("clerk")
        user = await user_named(admin, "clerk")
        change = {"version": user["version"], "role": "manager", "name": "Chef Neu"}
        changed = (await admin.patch(f"/api/users/{user['id']}", json=change)).json()["data"]
        assert (changed["role"], changed["name"], changed["version"]) == ("manager", "Chef Neu", 2)
        assert (await clerk.get("/api/auth/me")).json()["data"]["role"] == "manager"
        told, sent_away = published
        assert isinstance(told, Announcement)
        assert (told.event, told.rooms) == ("system:notification", (f"user:{user['id']}",))
        assert sent_away == Expulsion(f"user:{user['id']}"), "after he has heard why"
        stale = await admin.patch(f"/api/users/{user['id']}", json=change)
        assert stale.status_code == 409
        assert stale.json()["current"] == changed

    async def test_include_an_administrator_always(self, sign_in: SignIn) -> None:
        admin = await sign_in("admin")
        user = await user_named(admin, "admin")
        where = f"/api/users/{user['id']}"
        demoted = await admin.patch(where, json={"version": user["version"], "role": "clerk"})
        disabled = await admin.post(f"{where}/disable", json={"version": user["version"]})
        assert demoted.status_code == disabled.status_code == 409
        assert "last administrator" in disabled.json()["detail"]

        second = {"email": "b@example.com", "name": "B", "role": "admin", "password": NEW_PASSWORD}
        assert (await admin.post("/api/users", json=second)).status_code == 201
        disabled = await admin.post(f"{where}/disable", json={"version": user["version"]})
        assert disabled.status_code == 200

    async def test_are_signed_out_of_many_sign_ins_with_few_statements(
        self, app: Application, sign_in: SignIn
    ) -> None:
        for number in range(20):
            await app.state.doorkeeper.vouch_for("clerk@example.com", f"device {number}")
        user = await user_named(await sign_in("admin"), "clerk")
        async with assert_queries(max=15):
            await app.state.doorkeeper.set_password(SYSTEM, user["id"], SecretStr(NEW_PASSWORD), request_id="")
        async with app.state.database.unit(writes=False) as unit:
            revoked = select(func.count()).select_from(SessionRevocation)
            assert await unit.session.scalar(revoked.where(SessionRevocation.user_id == user["id"])) == 20

    async def test_given_a_new_password_are_signed_out_everywhere(
        self, sign_in: SignIn, client: httpx2.AsyncClient
    ) -> None:
        admin, clerk = await sign_in("admin"), await sign_in("clerk")
        user = await user_named(admin, "clerk")
        answer = await admin.post(f"/api/users/{user['id']}/password", json={"newPassword": NEW_PASSWORD})
        assert answer.status_code == 200
        assert (await clerk.get("/api/auth/me")).status_code == 401
        assert (await clerk.post("/api/auth/refresh")).status_code == 401
        assert (await log_in(client, password=NEW_PASSWORD)).status_code == 200

    async def test_that_do_not_exist_are_not_found(self, sign_in: SignIn) -> None:
        admin = await sign_in("admin")
        for path, status in (("4711", 404), ("0", 422), (str(2**40), 422), ("x", 422)):
            assert (await admin.get(f"/api/users/{path}")).status_code == status, path

    async def test_have_changes_in_the_audit_log_without_any_secret(
        self, sign_in: SignIn, app: Application
    ) -> None:
        admin = await sign_in("admin")
        user = await user_named(admin, "clerk")
        await admin.patch(f"/api/users/{user['id']}", json={"version": 1, "role": "manager"})
        await admin.post(f"/api/users/{user['id']}/password", json={"newPassword": NEW_PASSWORD})
        log = await admin.get("/api/audit", params={"entity": "user", "entityId": user["id"]})
        entries = log.json()["data"]
        assert [entry["action"] for entry in entries] == ["user.password", "user.change"]
        assert (entries[1]["before"]["role"], entries[1]["after"]["role"]) == ("clerk", "manager")
        assert entries[1]["actorName"] == "Admin Beispiel"
        async with app.state.database.unit(writes=False) as unit:
            hashed = await unit.session.scalar(select(User.password_hash).where(User.id == user["id"]))
        assert hashed is not None
        assert hashed not in log.text
        assert NEW_PASSWORD not in log.text


async def test_roles_say_what_they_include(sign_in: SignIn) -> None:
    roles = {role["role"]: role for role in (await (await sign_in("clerk")).get("/api/roles")).json()["data"]}
    assert roles["auditor"]["writesAs"] == []
    assert roles["manager"]["readsAs"] == ["manager", "clerk"]
