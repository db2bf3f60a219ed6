"""/api/auth, /api/users, /api/roles."""

from __future__ import annotations

from typing import Annotated, Any
from urllib.parse import urlsplit

from fastapi import APIRouter, Depends, Query, Request, Response

from steinmetz.cache import Admitted, cached
from steinmetz.erp.dependencies import (
    Reading,
    SignedIn,
    Writing,
    reads_as,
    request_id_of,
    writes_as,
)
from steinmetz.erp.errors import Forbidden, Unauthenticated
from steinmetz.erp.kit.answers import Answer, Listing
from steinmetz.erp.kit.fields import RecordId, Text
from steinmetz.erp.kit.pagination import Paging
from steinmetz.erp.kit.roles import Actor, Role
from steinmetz.erp.modules.auth import service
from steinmetz.erp.modules.auth.doorkeeper import SIGN_IN_AGAIN, Caller, SignIn
from steinmetz.erp.modules.auth.schemas import (
    LoginInput,
    NewUserInput,
    PasswordInput,
    RoleView,
    SetPasswordInput,
    SignInView,
    UserChangeInput,
    UserListView,
    UserView,
    VersionInput,
)
from steinmetz.erp.openapi import refuses
from steinmetz.erp.state import state_of

router = APIRouter(prefix="/api")

COOKIE = "steinmetz_refresh"
COOKIE_PATH = "/api/auth"


@refuses(403)
async def from_own_page(request: Request) -> None:
    """What carries the refresh cookie is taken from our own pages and allowed origins only.

    Programs that are no browser send no Origin. Raises `Forbidden`.
    """
    origin = request.headers.get("origin")
    if origin is None:
        is_foreign = request.headers.get("sec-fetch-site") in {"cross-site", "same-site"}
    else:
        own = (request.url.scheme, request.headers.get("host", "").lower())
        asking = urlsplit(origin.lower())
        is_foreign = (asking.scheme, asking.netloc) != own and origin.lower() not in state_of(
            request
        ).settings.cors_origins
    if is_foreign:
        raise Forbidden(
            Role.CLERK,
            "Origin not allowed. Name it in STEINMETZ_CORS_ORIGINS; behind a TLS proxy, name the proxy "
            "in STEINMETZ_TRUSTED_PROXIES.",
        )


def _address(request: Request) -> str:
    return request.client.host if request.client is not None else ""


def _caller(request: Request) -> Caller:
    return Caller(_address(request), request.headers.get("user-agent", ""), request_id_of(request))


def _ok(data: Any) -> dict[str, Any]:
    return {"success": True, "data": data}


def _answer(request: Request, response: Response, given: SignIn) -> Any:
    response.set_cookie(
        COOKIE,
        given.refresh_token,
        max_age=given.refresh_s,
        path=COOKIE_PATH,
        secure=request.url.scheme == "https",
        httponly=True,
        samesite="strict",
    )
    response.headers["Cache-Control"] = "no-store"
    return _ok(SignInView(access_token=given.access_token, expires_in=given.access_s, user=given.user))


@router.post(
    "/auth/login", response_model=Answer[SignInView], tags=["auth"], dependencies=[Depends(from_own_page)]
)
@refuses(401)
async def login(request: Request, response: Response, credentials: LoginInput) -> Any:
    """Sign in: an access token in the answer, a refresh token in a cookie."""
    given = await state_of(request).doorkeeper.sign_in(credentials.email, credentials.password, _caller(request))
    return _answer(request, response, given)


@router.post(
    "/auth/refresh", response_model=Answer[SignInView], tags=["auth"], dependencies=[Depends(from_own_page)]
)
@refuses(401)
async def refresh(request: Request, response: Response) -> Any:
    """New tokens for the refresh cookie; each is good once."""
    token = request.cookies.get(COOKIE)
    if not token:
        raise Unauthenticated("Not signed in", how=SIGN_IN_AGAIN)
    return _answer(request, response, await state_of(request).doorkeeper.renew(token, _caller(request)))


@router.post("/auth/logout", response_model=Answer[None], tags=["auth"], dependencies=[Depends(from_own_page)])
async def logout(request: Request, response: Response) -> Any:
    """End the sign-in of the cookie, or else that of the access token; its tokens and sockets end with it."""
    admission = request.scope.get("steinmetz.admission")
    identity = state_of(request).identity
    if admission is None and (credential := identity.credential(request.scope["headers"])) is not None:
        admission = await identity.authenticate(credential)
    actor = admission.principal.detail if isinstance(admission, Admitted) else None
    assert actor is None or isinstance(actor, Actor)
    await state_of(request).doorkeeper.sign_out(request.cookies.get(COOKIE), actor, _caller(request))
    response.delete_cookie(
        COOKIE, path=COOKIE_PATH, secure=request.url.scheme == "https", httponly=True, samesite="strict"
    )
    return _ok(None)


@router.get("/auth/me", response_model=Answer[UserView], tags=["auth"])
async def me(unit: Reading) -> Any:
    """The signed-in user."""
    assert unit.actor.id is not None
    return _ok(await service.user(unit, unit.actor.id))


@router.post(
    "/auth/password", response_model=Answer[SignInView], tags=["auth"], dependencies=[Depends(from_own_page)]
)
async def change_password(request: Request, response: Response, actor: SignedIn, change: PasswordInput) -> Any:
    """A new password for the signed-in user; all other sign-ins of his end."""
    given = await state_of(request).doorkeeper.change_password(
        actor,
        change.current_password,
        change.new_password,
        address=_address(request),
        request_id=request_id_of(request),
    )
    return _answer(request, response, given)


@router.get("/roles", response_model=Answer[list[RoleView]], tags=["users"])
async def roles(actor: SignedIn) -> Any:
    """The roles, and whose readings and changes each includes."""
    return _ok(service.roles())


READS_ADMINISTRATION = [reads_as(Role.ADMIN)]
ADMINISTRATES = [writes_as(Role.ADMIN)]


@router.get("/users", response_model=Listing[UserListView], tags=["users"], dependencies=READS_ADMINISTRATION)
@cached(ttl=300, vary_on="role", live=True)
async def users(
    unit: Reading,
    page: Paging,
    search: Annotated[Text | None, Query(max_length=100, description="In name or e-mail")] = None,
    role: Annotated[Role | None, Query(description="Only of this role")] = None,
    active: Annotated[bool | None, Query(description="Only who may sign in, or only who may not")] = None,
) -> Any:
    """Users by name."""
    shown, next_cursor, total = await service.users(unit, page, search=search, role=role, is_active=active)
    return {"success": True, "data": shown, "page": {"next": next_cursor, "total": total}}


@router.post(
    "/users", response_model=Answer[UserView], tags=["users"], status_code=201, dependencies=ADMINISTRATES
)
async def create_user(request: Request, actor: SignedIn, new: NewUserInput) -> Any:
    """A new user."""
    return _ok(await state_of(request).doorkeeper.create_user(actor, new, request_id=request_id_of(request)))


@router.get("/users/{user_id}", response_model=Answer[UserView], tags=["users"], dependencies=READS_ADMINISTRATION)
@cached(ttl=300, vary_on="role", live=True)
async def user(unit: Reading, user_id: RecordId) -> Any:
    """One user."""
    return _ok(await service.user(unit, user_id))


@router.patch("/users/{user_id}", response_model=Answer[UserView], tags=["users"], dependencies=ADMINISTRATES)
async def change_user(unit: Writing, user_id: RecordId, change: UserChangeInput) -> Any:
    """Name, role or language; a new role closes the user's sockets."""
    return _ok(await service.change_user(unit, user_id, change))


@router.post(
    "/users/{user_id}/disable", response_model=Answer[UserView], tags=["users"], dependencies=ADMINISTRATES
)
async def disable_user(unit: Writing, user_id: RecordId, seen: VersionInput) -> Any:
    """The user's tokens are void at once and his sockets close."""
    return _ok(await service.disable_user(unit, user_id, seen.version))


@router.post(
    "/users/{user_id}/enable", response_model=Answer[UserView], tags=["users"], dependencies=ADMINISTRATES
)
async def enable_user(unit: Writing, user_id: RecordId, seen: VersionInput) -> Any:
    """Let a disabled user sign in again; his old tokens stay void."""
    return _ok(await service.enable_user(unit, user_id, seen.version))


@router.post(
    "/users/{user_id}/password", response_model=Answer[UserView], tags=["users"], dependencies=ADMINISTRATES
)
async def set_password(request: Request, actor: SignedIn, user_id: RecordId, change: SetPasswordInput) -> Any:
    """Give a user a new password; all his sign-ins end."""
    doorkeeper = state_of(request).doorkeeper
    return _ok(
        await doorkeeper.set_password(actor, user_id, change.new_password, request_id=request_id_of(request))
    )
