"""Files into the catalogue: each goes in as a whole and with a commit of its own, or changes nothing.

Read (`formats`), compare with what is stored (`planning`), then write in bulk. A file that says what is stored
already writes nothing at all: no commit, no audit entry, no event.
"""

from __future__ import annotations

import asyncio
import unicodedata
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from typing import Any

from steinmetz.erp.db import Database, Unit
from steinmetz.erp.kit.announcements import announcement
from steinmetz.erp.kit.roles import Actor, Role, may_read, may_write
from steinmetz.erp.modules.catalog import planning, repository, rules
from steinmetz.erp.modules.catalog.formats.findings import Code, Findings, Severity
from steinmetz.erp.modules.catalog.formats.reading import Format, Reading, format_of, read
from steinmetz.erp.modules.catalog.lint import LintRules
from steinmetz.erp.modules.catalog.models import CatalogRules, CatalogSource
from steinmetz.erp.modules.catalog.planning.changes import Plan
from steinmetz.erp.modules.catalog.schemas import (
    MAX_NAME,
    RELOAD,
    UPDATE,
    ChangedNode,
    FileReport,
    GoneNode,
    ImportFindingView,
    NodeView,
    Reloaded,
)
from steinmetz.erp.modules.catalog.service import HOUSE_RULES, MAX_PUSHED
from steinmetz.erp.modules.system.service import audit

MAX_IDS = 100
"""Of each kind of change, in the report and in the audit log."""
MAX_STORED_FINDINGS = 500

Advance = Callable[[str, int, int], None]
"""Called with what is done, how much is done, and how much there is."""


@dataclass(frozen=True, slots=True)
class SourceFile:
    """``name`` is what the nodes of the file remember; the folder it lies in does not matter."""

    name: str
    data: bytes


def source_name(path: str) -> str:
    """The name of a file without its folders, as every system spells it; empty if nothing of it is left."""
    last = unicodedata.normalize("NFC", path).replace("\\", "/").rpartition("/")[2]
    return "".join(character for character in last if character.isprintable()).strip()[:MAX_NAME]


async def import_files(
    database: Database,
    actor: Actor,
    files: Sequence[SourceFile],
    *,
    dry_run: bool = False,
    request_id: str = "",
    advance: Advance | None = None,
) -> list[FileReport]:
    """One report a file: rules files first, for the others are made by them; else in the order given.

    With ``dry_run`` nothing is written, and the reports say what would be. Only an outage of the database raises.
    """
    ordered = sorted(files, key=lambda file: format_of(file.name) is not Format.RULES)
    importer = _Import(database, actor, dry_run=dry_run, request_id=request_id)
    reports = []
    for done, file in enumerate(ordered):
        if advance is not None:
            advance(file.name, done, len(ordered))
        reports.append(await importer.take(file))
    if advance is not None:
        advance("Done", len(ordered), len(ordered))
    return reports


class _Refused(Exception):  # noqa: N818 - the file is, and the unit rolls back
    """An error stands among the findings of the file."""


@dataclass(slots=True)
class _Import:
    """What one import knows of the files before."""

    database: Database
    actor: Actor
    dry_run: bool
    request_id: str
    _names: set[str] = field(default_factory=set, init=False)
    _rules_name: str | None = field(default=None, init=False)
    """The rules file that went in."""
    _document: dict[str, Any] | None = field(default=None, init=False)
    """The rules that would be in force, in a dry run."""
    _taken: set[str] = field(default_factory=set, init=False)
    """Ids that would have been given, in a dry run."""

    async def take(self, file: SourceFile) -> FileReport:
        reading = await asyncio.to_thread(read, file.name, file.data)
        findings = reading.findings
        report = FileReport(name=file.name, format=reading.format, nodes=len(reading.outline.entries))
        report.malformed = reading.outline.malformed
        if file.name in self._names:
            findings.error(Code.NAME_TWICE, 0, "Another file of this name came before it.", file.name)
        self._names.add(file.name)
        needed = Role.ADMIN if reading.format is Format.RULES else Role.MANAGER
        if not may_write(self.actor.role, needed):
            findings.error(Code.ROLE_NEEDED, 0, f"To import this the role {needed} is needed.")
        if findings.first_error is None:
            try:
                async with self._unit() as unit:
                    if reading.format is Format.RULES:
                        await self._take_rules(unit, file.name, reading, report)
                    else:
                        await self._take_tree(unit, file.name, reading, report)
            except _Refused:
                pass
        return _finished(report, findings)

    def _unit(self) -> AbstractAsyncContextManager[Unit]:
        return self.database.unit(actor=self.actor, writes=not self.dry_run, request_id=self.request_id)

    # Rules

    async def _take_rules(self, unit: Unit, name: str, reading: Reading, report: FileReport) -> None:
        if self._rules_name is not None:
            reason = f"{self._rules_name} is in force; of several rules files the first goes in."
            reading.findings.warn(Code.SECOND_RULES, 0, reason, name)
            return
        self._rules_name = name
        self._document = reading.document if self.dry_run else None
        if not self.dry_run:
            await repository.lock_whole_tree(unit.session)
        found = await (repository.rules if self.dry_run else repository.rules_to_change)(unit.session)
        before = HOUSE_RULES if found is None else found.document
        if found is not None and before == reading.document:
            return
        report.changed = 1
        if self.dry_run:
            return
        if found is None:
            found = CatalogRules(id=repository.RULES_ID, document=reading.document, loaded_at=unit.now)
            unit.session.add(found)
        found.document, found.loaded_at = reading.document, unit.now
        await unit.session.flush()
        differing = [
            part
            for part in sorted(before.keys() | reading.document.keys())
            if before.get(part) != reading.document.get(part)
        ]
        audit.record(
            unit,
            "catalog.rules",
            "catalog",
            repository.RULES_ID,
            f"Rules of {name}",
            before={part: before[part] for part in differing if part in before},
            after={part: reading.document[part] for part in differing if part in reading.document},
        )
        _announce_reload(unit)

    # Nodes

    async def _take_tree(self, unit: Unit, name: str, reading: Reading, report: FileReport) -> None:
        if not self.dry_run:
            await repository.lock_whole_tree(unit.session)
        document = self._document
        if document is None:
            found = await repository.rules(unit.session)
            document = HOUSE_RULES if found is None else found.document
        stored: Any = await repository.whole_tree(unit.session)
        plan = await asyncio.to_thread(self._planned, name, reading, document, stored)
        if reading.findings.first_error is not None:
            raise _Refused
        _count(report, plan)
        self._taken.update(each.id for each in plan.created if self.dry_run)
        if not self.dry_run:
            await _write(unit, name, plan, reading.findings, report, stored)

    def _planned(self, name: str, reading: Reading, document: dict[str, Any], stored: Sequence[Any]) -> Plan:
        findings = reading.findings
        try:
            held_against = LintRules.of(document)
        except ValueError as error:  # the document was put into the database by hand
            findings.error(Code.BAD_RULES, 0, f"The rules in force cannot be used: {error}.")
            return Plan([])
        prunes = document.get("pruneBeyondMax") is True
        planning.limits.observe_rules(reading.outline, held_against, findings, prunes=prunes)
        wanted = planning.plan.wanted_of(reading.outline, held_against)
        plan = planning.plan.plan(name, wanted, stored, held_against, findings, taken=self._taken)
        self._require_sight(plan, stored, findings)
        return plan

    def _require_sight(self, plan: Plan, stored: Sequence[Any], findings: Findings) -> None:
        """Nobody changes by a file what he could not change by hand, for he does not see it."""
        is_visible = planning.visibility.visible_to(lambda role: may_read(self.actor.role, role), stored)
        known = {row.id for row in stored}
        above = [each.parent_id for each in plan.created if each.parent_id in known]
        for node_id in (*plan.touched, *above):
            if node_id is not None and not is_visible(node_id):
                reason = "It would change nodes that your role does not see; ask an administrator to import it."
                findings.error(Code.ROLE_NEEDED, 0, reason)
                return


def _count(report: FileReport, plan: Plan) -> None:
    report.created, report.changed = len(plan.created), len(plan.changed)
    report.moved, report.deleted, report.kept = len(plan.moved), len(plan.deleted), len(plan.kept)
    report.ids = _ids(plan)


def _ids(plan: Plan) -> dict[str, list[str]]:
    """The first `MAX_IDS` of each kind of change; kinds without any are left out."""
    of_kind = {
        "created": [each.id for each in plan.created],
        "changed": plan.changed,
        "moved": plan.moved,
        "deleted": plan.deleted,
        "kept": plan.kept,
    }
    return {kind: ids[:MAX_IDS] for kind, ids in of_kind.items() if ids}


def _finished(report: FileReport, findings: Findings) -> FileReport:
    report.findings = [ImportFindingView.model_validate(finding) for finding in findings.shown]
    report.finding_counts = {str(code): count for code, count in findings.counts.items()}
    if findings.first_error is not None:
        report.refused = ImportFindingView.model_validate(findings.first_error)
        report.created = report.changed = report.moved = report.deleted = report.kept = 0
        report.ids = {}
    return report


async def _write(
    unit: Unit, name: str, plan: Plan, findings: Findings, report: FileReport, stored: Sequence[Any]
) -> None:
    told = _findings_to_keep(findings)
    source = await repository.source(unit.session, name)
    if source is not None and not plan and (source.nodes, source.findings) == (report.nodes, told):
        return
    if source is None:
        source = CatalogSource(name=name, nodes=0, findings=[], imported_at=unit.now)
        unit.session.add(source)
    source.nodes, source.findings, source.imported_at = report.nodes, told, unit.now
    await repository.insert_nodes(unit.session, list(_rows(unit, name, plan)))
    for is_new_version in (True, False):
        changes = [_values(change) for change in plan.changes if change.is_new_version is is_new_version]
        await repository.change_nodes(unit.session, changes, unit.now if is_new_version else None)
    await repository.delete_nodes(unit.session, plan.deleted)
    await unit.session.flush()
    counts = {kind: getattr(report, kind) for kind in ("nodes", "created", "changed", "moved", "deleted", "kept")}
    summary = f"{name}: " + ", ".join(f"{count} {kind}" for kind, count in counts.items() if count)
    audit.record(unit, "catalog.import", "catalog", name, summary, after={**counts, "ids": report.ids})
    if plan:
        await _announce(unit, plan, _Sight(stored))
    else:  # only what lint tells of the file is new
        _announce_reload(unit, tuple(role for role in Role if may_read(role, Role.MANAGER)))


def _rows(unit: Unit, name: str, plan: Plan) -> Iterator[dict[str, Any]]:
    for each in plan.created:
        yield {
            "id": each.id,
            "parent_id": each.parent_id,
            "area": each.area,
            "title": each.entry.title,
            "description": "",
            "icon": each.entry.icon,
            "kind": each.kind,
            "min_role": Role.CLERK,
            "position": each.position,
            "depth": each.entry.depth,
            "source": name,
            "source_key": each.key,
            "updated_at": unit.now,
            "version": 1,
        }


def _values(change: planning.changes.Change) -> dict[str, Any]:
    return {
        "id": change.id,
        "parent_id": change.parent_id,
        "area": change.area,
        "title": change.title,
        "icon": change.icon,
        "kind": change.kind,
        "position": change.position,
        "depth": change.depth,
        "source_key": change.source_key,
    }


def _findings_to_keep(findings: Findings) -> list[dict[str, Any]]:
    """What lint shall go on telling: nodes that are there, but not as their file had them."""
    return [
        {"code": str(each.code), "line": each.line, "reason": each.reason, "nodeId": each.node_id}
        for each in findings.shown
        if each.severity is Severity.WARNING and each.node_id is not None
    ][:MAX_STORED_FINDINGS]


# Who hears of it


class _Sight:
    """Which roles see a node of a tree."""

    def __init__(self, nodes: Collection[Any]) -> None:
        self._nodes = {node.id: (node.parent_id, node.min_role) for node in nodes}

    def after(self, plan: Plan) -> _Sight:
        """The tree as the plan makes it."""
        sight = _Sight(())
        sight._nodes = dict(self._nodes)
        for each in plan.created:
            sight._nodes[each.id] = each.parent_id, Role.CLERK
        for change in plan.changes:
            sight._nodes[change.id] = change.parent_id, self._nodes[change.id][1]
        return sight

    def roles(self, node_id: str) -> tuple[Role, ...]:
        needed: list[Role] = []
        current: str | None = node_id
        while current in self._nodes and len(needed) <= 2 * rules.MAX_LEVELS:
            assert current is not None
            current, min_role = self._nodes[current]
            needed.append(min_role)
        return rules.roles_that_see(needed)


def _announce_reload(unit: Unit, roles: Sequence[Role] = ()) -> None:
    """To all, or to these roles."""
    unit.publish(announcement(RELOAD, Reloaded(loaded_at=unit.now), _rooms(roles)))


async def _announce(unit: Unit, plan: Plan, before: _Sight) -> None:
    """Each node by itself if they are few; else everybody reads the tree again."""
    created = {each.id for each in plan.created}
    standing = list(dict.fromkeys([*created, *plan.changed, *plan.moved, *plan.pushed]))
    if len(standing) + len(plan.deleted) > MAX_PUSHED:
        _announce_reload(unit)
        return
    after = before.after(plan)
    found = {node.id: node for node in await repository.nodes(unit.session, standing)}
    for node_id in standing:
        function = ChangedNode(function=NodeView.model_validate(found[node_id]))
        sees_now = after.roles(node_id)
        saw_before = () if node_id in created else before.roles(node_id)
        _tell(unit, function, sees_now)
        _tell(unit, GoneNode(deleted=node_id), [role for role in saw_before if role not in sees_now])
    for node_id in plan.deleted:
        _tell(unit, GoneNode(deleted=node_id), before.roles(node_id))


def _tell(unit: Unit, change: ChangedNode | GoneNode, roles: Sequence[Role]) -> None:
    if roles:
        unit.publish(announcement(UPDATE, change, _rooms(roles)))


def _rooms(roles: Sequence[Role]) -> tuple[str, ...]:
    return tuple(f"role:{role}" for role in roles)
