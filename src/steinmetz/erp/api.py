"""The HTTP side of the ERP: every module's routes, one way to refuse, and the documentation of it all."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager

from fastapi import Depends, FastAPI, Request
from fastapi.responses import HTMLResponse
from fastapi.routing import APIRoute

import steinmetz
from steinmetz.erp.asyncapi import install_asyncapi
from steinmetz.erp.bodies import FORM_LIMITS
from steinmetz.erp.dependencies import known_parameters
from steinmetz.erp.documentation import content_security_policy, page
from steinmetz.erp.errors import install_problem_handlers
from steinmetz.erp.modules.auth.routes import router as auth
from steinmetz.erp.modules.batch.routes import router as batch
from steinmetz.erp.modules.catalog.routes import router as catalog
from steinmetz.erp.modules.chat.routes import router as chat
from steinmetz.erp.modules.dashboard.routes import router as dashboard
from steinmetz.erp.modules.finance.books.routes import router as books
from steinmetz.erp.modules.finance.routes import router as finance
from steinmetz.erp.modules.hr.routes import router as hr
from steinmetz.erp.modules.notifications.routes import router as notifications
from steinmetz.erp.modules.system.cache import router as response_cache
from steinmetz.erp.modules.system.diagnostics_advice import router as advice
from steinmetz.erp.modules.system.diagnostics_alerts import router as alerts
from steinmetz.erp.modules.system.diagnostics_changes import router as changes
from steinmetz.erp.modules.system.diagnostics_history import router as diagnostics_history
from steinmetz.erp.modules.system.diagnostics_patterns import router as diagnostics_patterns
from steinmetz.erp.modules.system.diagnostics_plans import router as plans
from steinmetz.erp.modules.system.diagnostics_statistics import router as diagnostics_statistics
from steinmetz.erp.modules.system.process import router as process
from steinmetz.erp.modules.system.routes import router as system
from steinmetz.erp.openapi import install_openapi
from steinmetz.erp.state import AppState

ROUTERS = (
    auth,
    system,
    process,
    response_cache,
    alerts,
    diagnostics_statistics,
    diagnostics_history,
    diagnostics_patterns,
    plans,
    advice,
    changes,
    catalog,
    finance,
    books,
    hr,
    chat,
    notifications,
    batch,
    dashboard,
)


def make_api(
    state: AppState, *, lifespan: Callable[[FastAPI], AbstractAsyncContextManager[None]] | None = None
) -> FastAPI:
    """All routes over ``state``, without cache, sockets and edge."""
    app = FastAPI(
        title="SteinmetZ",
        version=steinmetz.__version__,
        summary="An ERP whose every answer is fast, live and explained",
        dependencies=[Depends(known_parameters)],
        docs_url=None,  # theirs loads its scripts from another site
        redoc_url=None,
        lifespan=lifespan,
        generate_unique_id_function=_operation_id,
        redirect_slashes=False,
        form_limits=FORM_LIMITS,
    )
    app.state.steinmetz = state
    install_problem_handlers(app)
    install_openapi(app)
    for router in ROUTERS:
        app.include_router(router)

    if state.io is not None:
        install_asyncapi(app, state.io, state.settings.port)

    @app.get("/docs", include_in_schema=False)
    async def docs(request: Request) -> HTMLResponse:
        return HTMLResponse(
            page(request.app.openapi()), headers={"Content-Security-Policy": content_security_policy()}
        )

    return app


def _operation_id(route: APIRoute) -> str:
    """``finance_pay_invoice``: what a generated client calls the operation."""
    return f"{route.tags[0]}_{route.name}" if route.tags else route.name
