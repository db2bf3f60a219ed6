"""Notifications over HTTP. Each user has his own: answers are kept by user, until the first notice expires."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request

from steinmetz.cache import cached, valid_until
from steinmetz.erp.dependencies import Reading, SignedIn, Writing, request_id_of, writes_as
from steinmetz.erp.kit.answers import Answer, answer
from steinmetz.erp.kit.fields import RecordId
from steinmetz.erp.kit.pagination import Paging
from steinmetz.erp.kit.roles import Role
from steinmetz.erp.modules.notifications import service
from steinmetz.erp.modules.notifications.schemas import (
    DeletedNotification,
    Inbox,
    NotificationInput,
    NotificationView,
    ReadCount,
)
from steinmetz.erp.state import state_of

router = APIRouter(prefix="/api/notifications", tags=["notifications"])


@router.get("", response_model=Inbox)
@cached(ttl=300, vary_on="user", live=True)
async def list_notifications(
    unit: Reading,
    paging: Paging,
    unread: Annotated[bool, Query(description="Only those that I have not read")] = False,
) -> Any:
    """What am I told, and how much of it is new? Newest first, in my language."""
    rows, following, total, count, expires_at = await service.inbox(unit, paging, only_unread=unread)
    if expires_at is not None:
        valid_until(expires_at)
    return {
        "success": True,
        "data": rows,
        "page": {"next": following, "total": total},
        "unreadCount": count,
    }


@router.post("", response_model=Answer[NotificationView], status_code=201, dependencies=[writes_as(Role.MANAGER)])
async def send(unit: Writing, data: NotificationInput) -> Any:
    """Tell something to a user or to a role; as an administrator to everybody."""
    return answer(await service.send(unit, data))


# What somebody has read is his own business: an auditor, who changes nothing, may mark it, too.


@router.post("/read-all", response_model=Answer[ReadCount])
async def mark_all_read(request: Request, actor: SignedIn) -> Any:
    """I have seen them all."""
    database = state_of(request).database
    async with database.unit(actor=actor, request_id=request_id_of(request)) as unit:
        read = await service.mark_all_read(unit)
    return answer(ReadCount(read=read, unread_count=0))


@router.post("/{notification_id}/read", response_model=Answer[ReadCount])
async def mark_read(request: Request, actor: SignedIn, notification_id: RecordId) -> Any:
    """I have seen this one."""
    database = state_of(request).database
    async with database.unit(actor=actor, request_id=request_id_of(request)) as unit:
        read, unread = await service.mark_read(unit, notification_id)
    return answer(ReadCount(read=read, unread_count=unread))


@router.delete("/{notification_id}", response_model=Answer[DeletedNotification])
async def delete(unit: Writing, notification_id: RecordId) -> Any:
    """Take back what I have announced; an administrator may take back anything."""
    await service.delete(unit, notification_id)
    return answer(DeletedNotification(deleted=notification_id))
