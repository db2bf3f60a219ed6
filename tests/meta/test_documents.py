"""The documents tell the truth: what they name exists, and what exists in their lists is named."""

from __future__ import annotations

import ast
import importlib
import importlib.util
import re
import textwrap
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import click
import pytest
import typer.main
from pydantic import SecretStr

from steinmetz.cache import CachePolicy, RouteTable, VaryOn
from steinmetz.erp.main import Application, create_app
from steinmetz.erp.settings import Settings, load_settings, variable
from steinmetz.realtime import Event

ROOT = Path(__file__).resolve().parents[2]
REFERENCE = ROOT / "docs" / "reference"
DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])

each_document = pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))


# ---- Reading Markdown


@cache
def prose(document: Path) -> str:
    """The text without its fenced blocks."""
    return re.sub(r"^( *)```.*?^\1```$", "", document.read_text(), flags=re.MULTILINE | re.DOTALL)


def code_blocks(document: Path, language: str) -> list[str]:
    found = re.findall(rf"^( *)```{language}\n(.*?)^\1```$", document.read_text(), re.MULTILINE | re.DOTALL)
    return [textwrap.dedent(block) for _, block in found]


def links(document: Path) -> Iterator[tuple[str, str]]:
    """(text, target) of every link and picture."""
    text = prose(document)
    for match in re.finditer(r"\[((?:[^\[\]]|\[[^\]]*\])*)\]\(([^()\s]+)\)", text):
        yield match[1], match[2]
    for match in re.finditer(r'(?:src|srcset|href)="([^"]+)"', text):
        yield "", match[1]


def is_relative(target: str) -> bool:
    return not re.match(r"[a-z][a-z0-9+.-]*:", target)


@cache
def anchors(document: Path) -> frozenset[str]:
    """The anchors of its headings, as the usual hosts of repositories make them."""
    found: list[str] = []
    for heading in re.findall(r"^#{1,6} (.+)$", prose(document), re.MULTILINE):
        words = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).strip().lower()
        anchor = re.sub(r"[^\w\- ]", "", words).replace(" ", "-")
        repeated = found.count(anchor)
        found.append(f"{anchor}-{repeated}" if repeated else anchor)
    return frozenset(found)


def sections(document: Path, level: int = 2) -> dict[str, str]:
    """Heading -> what stands below it."""
    parts = re.split(rf"^{'#' * level} (.+)$", document.read_text(), flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def rows(text: str) -> list[list[str]]:
    """The cells of all table rows below their heads."""
    found = []
    for table in re.findall(r"^\|.*\n\|[-| ]+\|\n((?:\|.*\n?)*)", text, re.MULTILINE):
        found += [[cell.strip() for cell in line.strip("|").split(" | ")] for line in table.splitlines()]
    return [[cell.strip("| ") for cell in cells] for cells in found]


# ---- Links


@each_document
def test_every_relative_link_leads_somewhere(document: Path) -> None:
    broken = []
    for _, target in links(document):
        if not is_relative(target):
            continue
        path, _, anchor = unquote(target).partition("#")
        goal = (document.parent / path).resolve() if path else document
        is_there = goal.exists() and goal.is_relative_to(ROOT)
        if not is_there or (anchor and goal.suffix == ".md" and anchor not in anchors(goal)):
            broken.append(target)
    assert broken == []


@cache
def definitions(source: Path) -> frozenset[str]:
    """Functions, classes, their methods and the names that are assigned in the module."""

    def of(body: list[ast.stmt], prefix: str) -> Iterator[str]:
        for node in body:
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                yield prefix + node.name
                if isinstance(node, ast.ClassDef):
                    yield from of(node.body, f"{prefix}{node.name}.")
            elif isinstance(node, ast.Assign | ast.AnnAssign):
                targets = node.targets if isinstance(node, ast.Assign) else [node.target]
                yield from (prefix + target.id for target in targets if isinstance(target, ast.Name))

    return frozenset(of(ast.parse(source.read_text()).body, ""))


@each_document
def test_a_function_that_a_link_names_is_in_the_file_that_it_leads_to(document: Path) -> None:
    lacking = []
    for text, target in links(document):
        named = re.fullmatch(r"`([A-Za-z_][\w.]*)`", text)
        source = (document.parent / target).resolve()
        is_name = named is not None and source.suffix == ".py" and named[1] != source.name
        if is_name and source.exists() and named is not None and named[1] not in definitions(source):
            lacking.append(f"{named[1]} in {target}")
    assert lacking == []


def test_the_four_walks_are_walked_by_links() -> None:
    walks = sections(ROOT / "ARCHITECTURE.md", 3)
    for walk in ("(a) A hit", "(b) A miss", "(c) A write", "(d) A socket event"):
        assert len(re.findall(r"\]\(src/steinmetz/\S+\.py\)", walks[walk])) >= 8


# ---- Code in documents


@each_document
def test_python_in_a_document_compiles_and_imports_what_there_is(document: Path) -> None:
    lacking = []
    for block in code_blocks(document, "python"):
        flags = ast.PyCF_ALLOW_TOP_LEVEL_AWAIT | ast.PyCF_ONLY_AST
        tree = compile(block, str(document), "exec", flags=flags)
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("steinmetz"):
                module = importlib.import_module(node.module or "")
                lacking += [alias.name for alias in node.names if not hasattr(module, alias.name)]
    assert lacking == []


@pytest.mark.parametrize(
    "block",
    [
        *code_blocks(ROOT / "README.md", "python"),
        *code_blocks(ROOT / "docs" / "howto" / "know-what-statements-touch.md", "python"),
    ],
)
def test_python_that_a_reader_tries_first_stands_in_an_example(block: str) -> None:
    wanted = [line for line in block.splitlines() if line.strip()]

    def holds(example: Path) -> bool:
        lines = iter(example.read_text().splitlines())
        return all(line in lines for line in wanted)

    assert any(holds(example) for example in (ROOT / "examples").glob("*.py"))


# ---- The two commands


def commands_of_the_door() -> set[str]:
    spec = importlib.util.spec_from_file_location("dev", ROOT / "dev.py")
    assert spec is not None
    assert spec.loader is not None
    door = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(door)
    return set(re.findall(r"^  ([a-z]+) ", door.USAGE, re.MULTILINE))


@each_document
def test_a_command_of_the_developers_door_exists(document: Path) -> None:
    assert set(re.findall(r"python3 dev\.py ([a-z]+)", document.read_text())) <= commands_of_the_door()


def test_the_readme_begins_with_two_commands() -> None:
    two = sections(ROOT / "README.md")["Two commands"]
    assert re.findall(r"^    python3 dev\.py ([a-z]+)", two, re.MULTILINE) == ["run", "test"]


def test_the_readme_speaks_of_no_port_but_the_default_one() -> None:
    text = (ROOT / "README.md").read_text()
    named = re.findall(r"(?:localhost|127\.0\.0\.1|0\.0\.0\.0):(\d+)|\bport (\d+)|--port[ =](\d+)", text)
    default = str(Settings.model_fields["port"].default)
    assert {port for ports in named for port in ports if port} == {default}


def test_the_readme_has_a_place_for_the_figures_of_the_benchmark() -> None:
    assert re.search(r"<!-- figures: erp -->.*<!-- /figures -->", (ROOT / "README.md").read_text(), re.DOTALL)


# ---- Settings


def shown(default: Any) -> str:
    """A default as people write it into the environment."""
    if default is None or isinstance(default, SecretStr):
        return "not set"
    if isinstance(default, tuple):
        return ", ".join(default) or "none"
    return f"`{('on' if default else 'off') if isinstance(default, bool) else default}`"


def test_every_setting_is_described_with_its_default_and_no_other() -> None:
    described = {row[0].strip("`"): row[1] for row in rows((REFERENCE / "settings.md").read_text())}
    assert described == {variable(name): shown(field.default) for name, field in Settings.model_fields.items()}


@each_document
def test_a_document_names_no_setting_that_nobody_reads(document: Path) -> None:
    known = {variable(name) for name in Settings.model_fields} | {"STEINMETZ_STRICT"}
    assert set(re.findall(r"\bSTEINMETZ_[A-Z0-9_]+\b", document.read_text())) <= known


# ---- Commands


def every_command() -> dict[str, click.Command]:
    from steinmetz.cli.main import app

    def of(command: Any, name: str) -> Iterator[tuple[str, Any]]:
        below = getattr(command, "commands", None)
        if below is None:
            yield name, command
            return
        for word, inner in below.items():
            yield from of(inner, f"{name} {word}".strip())

    return dict(of(typer.main.get_command(app), ""))


def test_every_command_is_described_with_its_options_and_no_other() -> None:
    described = sections(REFERENCE / "commands.md")
    commands = every_command()
    assert set(described) - {"The developer's door", "Beside a running server"} == set(commands)
    for name, command in commands.items():
        assert f"`steinmetz {name}`" in described[name]
        options = {row[0].strip("`") for row in rows(described[name])}
        assert options == {
            option for parameter in command.params for option in parameter.opts if option != "--help"
        }


# ---- HTTP


@pytest.fixture(scope="module")
def application(tmp_path_factory: pytest.TempPathFactory) -> Application:
    return create_app(load_settings(data_dir=tmp_path_factory.mktemp("documents")))


def kept(policy: CachePolicy | None) -> str:
    if policy is None:
        return "no"
    words = {VaryOn.NONE: "shared", VaryOn.ROLE: "by role", VaryOn.USER: "by user"}
    whose = "public" if policy.public else words[policy.vary_on]
    return f"{policy.ttl_s:g} s, {whose}{', live' if policy.live else ''}"


def test_every_route_is_described_with_how_long_it_is_cached_and_for_whom(application: Application) -> None:
    described = {(row[0], row[1].strip("`")): row[3] for row in rows((REFERENCE / "http.md").read_text())}
    table = {
        (method, route.template.replace(":path", "")): route for method, route in RouteTable.of(application.api)
    }
    routes = {
        (method.upper(), path): kept(
            table[method.upper(), path].policy if (method.upper(), path) in table else None
        )
        for path, operations in application.api.openapi()["paths"].items()
        for method in operations
    }
    assert described == routes


def test_the_paths_that_writes_invalidate_are_named(application: Application) -> None:
    text = (REFERENCE / "http.md").read_text()
    paths = {path for _, route in RouteTable.of(application.api) for path in route.invalidates}
    assert [path for path in paths if f"below `{path}`" not in text] == []


def test_every_code_of_a_finding_is_explained_with_how_grave_it_is_and_no_other() -> None:
    from steinmetz.erp.modules.catalog.formats.findings import Code, Severity

    text = (ROOT / "docs" / "howto" / "import-a-catalogue.md").read_text()
    explained = {row[0].strip("`"): row[1] for row in rows(text.partition("## Findings")[2])}
    assert set(explained) == set(Code)
    assert set(explained.values()) == set(Severity)


# ---- Events


def events_in_the_sources() -> set[str]:
    """Every text in the server's sources that has the form of an event's name, and what the page listens to."""
    texts: set[str] = set()
    for folder in ("erp/modules", "realtime/server", "live"):
        for file in (ROOT / "src" / "steinmetz" / folder).rglob("*.py"):
            constants = (
                node.value for node in ast.walk(ast.parse(file.read_text())) if isinstance(node, ast.Constant)
            )
            texts.update(value for value in constants if isinstance(value, str))
    for file in (ROOT / "web" / "src").rglob("*.ts*"):
        texts.update(re.findall(r"\.(?:on|emit)\('([^']+)'", file.read_text()))
    return {text for text in texts if re.fullmatch(r"[a-z]+(:[a-z]+)+", text)}


def test_every_event_that_is_emitted_or_handled_is_described_and_no_other() -> None:
    described = sections(REFERENCE / "events.md")
    tables = described["From the server"] + described["From the client"]
    assert {row[0].strip("`") for row in rows(tables)} == events_in_the_sources()


def test_the_events_are_those_of_the_schemas_with_every_field_that_they_carry(application: Application) -> None:
    described = sections(REFERENCE / "events.md")
    io = application.state.io
    assert io is not None
    registry = io.registries["/"]
    for heading, events in (("From the server", registry.sent), ("From the client", registry.received)):
        told = {row[0].strip("`"): " ".join(row) for row in rows(described[heading])}
        assert set(told) == set(events)
        lacking = [
            (name, field)
            for name, event in events.items()
            for field in fields_of(event, sent=heading == "From the server")
            if not re.search(rf"\b{field}\b", told[name])
        ]
        assert lacking == []


def fields_of(event: Event, *, sent: bool) -> set[str]:
    """The fields of an event's own payload, whatever it is; `dashboard:update` is described by HTTP."""
    if event.payload is None or event.name == "dashboard:update":
        return set()
    schema = event.payload.json_schema(sent=sent)
    definitions = schema.get("$defs", {})
    kinds = [schema, *schema.get("anyOf", ()), *schema.get("oneOf", ())]
    named = [definitions.get(kind.get("$ref", "").rpartition("/")[2], kind) for kind in kinds]
    return {field for kind in named for field in kind.get("properties", ())}


def test_the_rooms_that_a_socket_joins_are_described() -> None:
    from steinmetz.erp.kit.roles import Actor, Role
    from steinmetz.erp.modules.auth.rules import rooms_of

    described = set(
        re.findall(r"`([^`]+)`", " ".join(row[0] for row in rows(sections(REFERENCE / "events.md")["Rooms"])))
    )
    rooms = rooms_of(Actor(7, "Ada", Role.ADMIN, "s1"))
    joined = {
        re.sub(r"^role:\w+$", "role:<role>", room.replace("7", "<id>", 1).replace("s1", "<id>")) for room in rooms
    }
    assert described == joined
