"""The catalogue over HTTP. Readings are kept by role: each sees its own part of the tree.

An id is a path of slugs and is written into the URL as it is (``/nodes/finanzen/kennzahlen``). The routes with a
word behind the id come first; no id ends with such a word (`rules.RESERVED_STEPS`).
"""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request, Response
from fastapi.exceptions import RequestValidationError
from pydantic import ValidationError
from starlette.datastructures import UploadFile

from steinmetz.cache import cached, invalidates
from steinmetz.erp.dependencies import Reading, SignedIn, Writing, reads_as, request_id_of, writes_as
from steinmetz.erp.errors import Problem, Unprocessable
from steinmetz.erp.kit.answers import Answer, Listing, json_answer
from steinmetz.erp.kit.fields import MAX_RECORD_ID, Text
from steinmetz.erp.kit.pagination import Paging
from steinmetz.erp.kit.roles import Role
from steinmetz.erp.modules.catalog import service
from steinmetz.erp.modules.catalog.formats.lines import MAX_FILE_BYTES
from steinmetz.erp.modules.catalog.importing import SourceFile, import_files, source_name
from steinmetz.erp.modules.catalog.rules import MAX_ID, MAX_LEVELS
from steinmetz.erp.modules.catalog.schemas import (
    IMPORT_EXAMPLE,
    MAX_FILES,
    ChildView,
    Deleted,
    Hit,
    ImportFileInput,
    ImportInput,
    ImportView,
    LintView,
    MenuEntry,
    NodeDetail,
    NodeInput,
    NodeMove,
    NodePatch,
    NodeView,
    Reloaded,
    RulesView,
    TreeNode,
)
from steinmetz.erp.state import state_of

PATH = "/api/functions"

router = APIRouter(prefix=PATH, tags=["catalog"])

NodePath = Annotated[Text, Path(max_length=MAX_ID, description="E.g. `finanzen/kennzahlen`")]
WRITES = [writes_as(Role.MANAGER)]


@router.get("", response_model=Answer[list[TreeNode]])
@cached(ttl=900, vary_on="role", live=True)
async def get_tree(
    unit: Reading, depth: Annotated[int, Query(ge=1, le=MAX_LEVELS, description="Levels, areas are 1")] = 1
) -> Response:
    """The areas with the number of their children, or more levels of the tree."""
    return json_answer(await service.levels(unit, depth))


@router.get("/rules", response_model=Answer[RulesView])
@cached(ttl=600, shared=True, live=True)
async def get_rules(unit: Reading) -> Any:
    """The rules document that the catalogue is linted by."""
    return {"success": True, "data": await service.rules_document(unit)}


@router.get("/menu", response_model=Answer[list[MenuEntry]])
@cached(ttl=900, vary_on="role", live=True)
async def get_menu(unit: Reading) -> Response:
    """Areas and their groups, as far as the caller's role sees them."""
    return json_answer(await service.menu(unit))


@router.get("/search", response_model=Listing[Hit])
@cached(ttl=300, vary_on="role", live=True)
async def search(
    unit: Reading,
    paging: Paging,
    q: Annotated[Text, Query(max_length=200, description="Beginnings of words, all of which must occur")],
) -> Any:
    """Find functions by the words of title and description, the best first."""
    hits, following, total = await service.search(unit, q, paging)
    return {"success": True, "data": hits, "page": {"next": following, "total": total}}


@router.get("/lint", response_model=Answer[LintView], dependencies=[reads_as(Role.MANAGER)])
@cached(ttl=300, vary_on="role", live=True)
async def lint(unit: Reading) -> Any:
    """What is wrong with the catalogue by its own rules."""
    return {"success": True, "data": await service.findings(unit)}


@router.post("/reload", response_model=Answer[Reloaded], dependencies=[writes_as(Role.ADMIN)])
@invalidates(PATH)
async def reload(unit: Writing) -> Any:
    """Put the rules in force anew and tell every screen to read the catalogue again."""
    return {"success": True, "data": await service.reload(unit)}


FILES = {"type": "array", "minItems": 1, "maxItems": MAX_FILES}
IMPORT_BODY: dict[str, Any] = {
    "required": True,
    "content": {
        "application/json": {
            "schema": {
                "type": "object",
                "required": ["files"],
                "additionalProperties": False,
                "properties": {"files": {**FILES, "items": ImportFileInput.model_json_schema()}},
            },
            "example": {"files": [IMPORT_EXAMPLE]},
        },
        "multipart/form-data": {
            "schema": {
                "type": "object",
                "required": ["files"],
                "properties": {"files": {**FILES, "items": {"type": "string", "format": "binary"}}},
            }
        },
    },
}
"""Two forms of one body, which no single model can say."""


@router.post(
    "/import",
    response_model=Answer[ImportView],
    dependencies=WRITES,
    openapi_extra={"requestBody": IMPORT_BODY},
)
async def import_catalogue(
    request: Request,
    actor: SignedIn,
    dry_run: Annotated[bool, Query(alias="dryRun", description="Write nothing; say what would become")] = False,
) -> Any:
    """Take files of a catalogue: each goes in as a whole or is refused, and of each there is a report.

    422, with the reports as `files`, if all are refused. A rules file needs the role admin.
    """
    reports = await import_files(
        state_of(request).database,
        actor,
        await _files_of(request),
        dry_run=dry_run,
        request_id=request_id_of(request),
    )
    view = ImportView(dry_run=dry_run, files=reports)
    if all(report.refused is not None for report in reports):
        first = reports[0]
        assert first.refused is not None
        detail = f"No file went in. {first.name}: {first.refused.reason}"
        raise Problem(422, "Files refused", detail, files=view.model_dump(mode="json", by_alias=True)["files"])
    return {"success": True, "data": view}


async def _files_of(request: Request) -> list[SourceFile]:
    """The files of a JSON body or of a form. Raises `Problem`, `RequestValidationError`."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind not in {"application/json", "multipart/form-data"}:
        detail = "Send the files as multipart/form-data, or as application/json {files: [{name, text}]}."
        raise Problem(415, "Unsupported media type", detail)
    body = await _body_of(request)
    if kind == "application/json":
        try:
            given = ImportInput.model_validate_json(body).files
        except ValidationError as error:
            found = [{**each, "loc": ("body", *each["loc"])} for each in error.errors(include_url=False)]
            raise RequestValidationError(found) from None
        files = [SourceFile(source_name(file.name), file.text.encode("utf-8", "surrogatepass")) for file in given]
    else:
        async with _request_of(request, body).form(max_files=MAX_FILES, max_fields=MAX_FILES) as form:
            uploads = [part for _, part in form.multi_items()]
            if not uploads or not all(isinstance(part, UploadFile) for part in uploads):
                raise Unprocessable("Send one or more files, and nothing else, as parts of the form.", "files")
            files = [
                SourceFile(source_name(part.filename or ""), await part.read())
                for part in uploads
                if isinstance(part, UploadFile)
            ]
    if not all(file.name for file in files):
        raise Unprocessable("Every file needs a name: its ending says what is in it.", "files")
    return files


async def _body_of(request: Request) -> bytes:
    """Raises a 413 for more than `MAX_FILE_BYTES`, whatever the length that was announced."""
    size, parts = 0, []
    async for part in request.stream():
        size += len(part)
        if size > MAX_FILE_BYTES:
            raise Problem(413, "Content Too Large", f"An import has at most {MAX_FILE_BYTES} bytes. Divide it.")
        parts.append(part)
    return b"".join(parts)


def _request_of(request: Request, body: bytes) -> Request:
    """The same request, its body to be read once more."""

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": body, "more_body": False}

    return Request(request.scope, receive)


@router.post("/nodes", response_model=Answer[NodeView], status_code=201, dependencies=WRITES)
async def create_node(unit: Writing, data: NodeInput) -> Any:
    """A new function, group or area. Its id is made from its parent's and its title."""
    return {"success": True, "data": await service.create(unit, data)}


@router.get("/nodes/{node_id:path}/children", response_model=Answer[list[ChildView]])
@cached(ttl=300, vary_on="role", live=True)
async def get_children(unit: Reading, node_id: NodePath) -> Any:
    """The nodes directly below one, as far as the caller's role sees them."""
    return {"success": True, "data": await service.children(unit, node_id)}


@router.post("/nodes/{node_id:path}/move", response_model=Answer[NodeView], dependencies=WRITES)
async def move_node(unit: Writing, node_id: NodePath, data: NodeMove) -> Any:
    """Give a node another parent or place; its id stays."""
    return {"success": True, "data": await service.move(unit, node_id, data)}


@router.get("/nodes/{node_id:path}", response_model=Answer[NodeDetail])
@cached(ttl=300, vary_on="role", live=True)
async def get_node(unit: Reading, node_id: NodePath) -> Any:
    """One node with the way to it and the number of its children."""
    return {"success": True, "data": await service.node(unit, node_id)}


@router.patch("/nodes/{node_id:path}", response_model=Answer[NodeView], dependencies=WRITES)
async def change_node(unit: Writing, node_id: NodePath, patch: NodePatch) -> Any:
    """Change title, description, icon, kind or role; what is left out stays as it is, and so does the id."""
    return {"success": True, "data": await service.change(unit, node_id, patch)}


@router.delete("/nodes/{node_id:path}", response_model=Answer[Deleted], dependencies=WRITES)
async def delete_node(
    unit: Writing,
    node_id: NodePath,
    version: Annotated[int, Query(ge=1, le=MAX_RECORD_ID, description="The version the caller has read")],
    recursive: Annotated[bool, Query(description="Also everything below it")] = False,
    dry_run: Annotated[bool, Query(alias="dryRun", description="Delete nothing; say how many")] = False,
) -> Any:
    """Delete a node; with ``recursive`` also everything below it, otherwise that is a 409."""
    deleted = await service.delete(unit, node_id, version, with_below=recursive, dry_run=dry_run)
    return {"success": True, "data": deleted}
